"""A telephone on the far side of a simulated network, which does what a test says: a real peer written small.

It speaks through the same SIP endpoint and media engine as everything else; what it decides itself is only its answer's SDP.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from ..core import Deadline
from ..model import media
from ..model.ids import CommandId, Ids, LegId
from ..sdp.offer_answer import make_answer
from ..sip import values as sip


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the test tells the telephone to do now."""

    do: Literal["ring", "early", "answer", "reject", "hang_up", "press", "say", "record", "echo"]
    status: int = 180
    text: str = ""
    """Digits to press, the path of what to say or of where to record."""
    tone_ms: int = 100


class Softphone:
    """A core: in `sip` session events, media events and `Order`; out `sip` commands and media commands."""

    def __init__(self, ids: Ids, host: str) -> None:
        self._ids = ids
        self._host = host
        self._out: deque[Any] = deque()
        self._waiting: deque[Order] = deque()
        self.session: str | None = None
        self.incoming: sip.Incoming | None = None
        self._port: int | None = None
        self._answer = b""
        self.answered = False
        self.heard: list[str] = []
        """Digits that it heard, in order."""
        self.seen: list[Any] = []
        """Every session event, in order."""
        self.media: list[Any] = []

    def receive(self, item: Any, now: float) -> None:
        match item:
            case Order():
                self._waiting.append(item)
                self._obey()
            case sip.Incoming():
                self.seen.append(item)
                self.session, self.incoming, self._port, self._answer, self.answered = item.session, item, None, b"", False
                self._out.append(media.OpenStream(id=self._command(), stream=LegId(item.session), local_host=self._host))
            case sip.Offered():
                self.seen.append(item)
                self._out.append(sip.Accept(session=item.session, body=self._answer))
            case media.Done(rtp_port=int(port)):
                self._port = port
                self._obey()
            case media.Digit():
                self.heard.append(item.digit)
            case _ if type(item).__module__ == media.__name__:
                self.media.append(item)
            case _:
                self.seen.append(item)
                if isinstance(item, sip.ByeReceived | sip.Over) and self.session is not None:
                    self._out.append(media.CloseStream(id=self._command(), stream=LegId(self.session)))
                    self.session = None

    def _obey(self) -> None:
        while self._waiting and self._port is not None and self.session is not None:
            order, session, stream = self._waiting.popleft(), self.session, LegId(self.session)
            match order.do:
                case "ring":
                    self._out.append(sip.Ring(session=session, status=order.status))
                case "early":
                    self._out.append(sip.Ring(session=session, status=183, body=self._negotiate()))
                case "answer":
                    self._out.append(sip.Accept(session=session, body=self._negotiate()))
                    self.answered = True
                case "reject":
                    self._out.append(sip.Reject(session=session, status=order.status))
                case "hang_up":
                    self._out.append(sip.Bye(session=session))
                case "press":
                    self._out.append(media.SendDigits(id=self._command(), stream=stream, digits=order.text, tone_ms=order.tone_ms))
                case "say":
                    self._out.append(media.Play(id=self._command(), stream=stream, path=order.text))
                case "record":
                    self._out.append(media.Record(id=self._command(), stream=stream, path=order.text))
                case "echo":
                    self._out.append(media.Echo(id=self._command(), stream=stream))

    def _negotiate(self) -> bytes:
        if not self._answer and self.incoming is not None and self._port is not None and self.session is not None:
            self._answer, agreed = make_answer(self.incoming.body, self._host, self._port, session_id=1, version=1)
            self._out.append(
                media.SetRemote(
                    id=self._command(),
                    stream=LegId(self.session),
                    address=agreed.address,
                    port=agreed.port,
                    rtcp_port=agreed.rtcp_port,
                    codec=agreed.codec,
                    send_type=agreed.send_type,
                    accept_types=agreed.accept_types,
                    event_send_type=agreed.event_send_type,
                    event_accept_types=agreed.event_accept_types,
                    ptime_ms=agreed.ptime_ms,
                    way=agreed.way,
                    sip_host=self.incoming.source.host,
                )
            )
        return self._answer

    def _command(self) -> CommandId:
        return CommandId(self._ids.number())

    def handle_timer(self, now: float) -> None:
        """It has no timers: the test says when."""

    def next_output(self) -> Any | None:
        return self._out.popleft() if self._out else None

    def next_deadline(self) -> Deadline | None:
        return None
