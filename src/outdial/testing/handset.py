"""A telephone whose SIP is made by hand: it does what a scenario says, also what no honest stack would do.

Theory of operation. It answers our INVITE only when told, and in the words it is told (status, tag, SDP, headers); every other request of
ours it answers by itself, as RFC 3261 wants, unless told to be silent. What it sends reliably (finals, requests) it repeats until
acknowledged (T1 0.5 s, doubling to 4 s, 32 s in all). Its audio is a real media engine. It judges nothing: the ladder does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core import Deadline
from ..model import media
from ..model.ids import CommandId, Ids, LegId
from ..sdp.description import parse as parse_sdp
from ..sip.message import PHRASES, Request, Response, encode
from ..sip.parse import parse
from ..sip.values import Address, Datagram, Transmit

T1, T2, GIVE_UP = 0.5, 4.0, 32.0
NUMBERS = {"pcmu": 0, "pcma": 8}
MEDIA_FACTS = ("event", "ptime", "way", "host", "port", "tag", "body", "mute", "ack", "number", "silent", "cseq", "to")
"""Facts of a line that are about SDP or the manner; every other one is a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """What the scenario tells it: the words and facts of a line."""

    words: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Repeating:
    """A message that is sent again until it is answered."""

    data: bytes
    to: Address
    next_at: float
    every: float
    until: float


class Handset:
    """A core: in `Datagram`, media events and `Do`; out `Transmit` and media commands."""

    def __init__(self, ids: Ids, host: str, observe: Callable[[Request | Response, bool, float], None]) -> None:
        """`observe` is shown each message that arrives, and whether it is a repeat of one that has been shown."""
        self._ids = ids
        self._here = Address(host=host, port=5060)
        self._there: Address | None = None
        self._observe = observe
        self._out: deque[Any] = deque()
        self._waiting: deque[Do] = deque()
        self._seen: set[bytes] = set()
        self._answers: dict[tuple[str, str], bytes] = {}
        """What was answered to a request (branch, method), for its repeats."""
        self._repeating: dict[tuple[str, str], Repeating] = {}
        self.invite: Request | None = None
        self.heard: list[str] = []
        """Digits that it heard, in order."""
        self.ended: list[Any] = []
        self.silent = False
        """It answers nothing by itself."""
        self._stream = LegId("handset")
        self._port: int | None = None
        self._opened = False
        self._tag = "alice"
        self._sdp = b""
        self._cseq = 100
        self._last = b""
        self._offers: dict[str, tuple[bytes, str]] = {}
        """Branches of requests of ours with what their ACK is to carry, and their route."""
        self._muted = False
        self._remote: media.SetRemote | None = None

    # --- the four methods ---

    def receive(self, item: Any, now: float) -> None:
        match item:
            case Datagram():
                self._hear(item, now)
            case Do():
                self._waiting.append(item)
                self._obey(now)
            case media.Done(rtp_port=int(port), statistics=None):
                self._port, self._opened = port, True
                self._obey(now)
            case media.Digit():
                self.heard.append(item.digit)
            case media.PlayEnded() | media.DigitsSent():
                self.ended.append(item)

    def handle_timer(self, now: float) -> None:
        for key, one in tuple(self._repeating.items()):
            if one.next_at <= now:
                if now >= one.until:
                    del self._repeating[key]
                    continue
                self._put(one.data, one.to)
                one.every = min(2 * one.every, T2)
                one.next_at = now + one.every

    def next_output(self) -> Any | None:
        return self._out.popleft() if self._out else None

    def next_deadline(self) -> Deadline | None:
        return min((Deadline(one.next_at, "repeat") for one in self._repeating.values()), default=None)

    # --- what arrives ---

    def _hear(self, datagram: Datagram, now: float) -> None:
        message = parse(datagram.data)
        again = datagram.data in self._seen
        self._seen.add(datagram.data)
        self._there = datagram.source
        branch = branch_of(message)
        if isinstance(message, Request):
            if message.method == "INVITE" and not again and not _tag(message.get("to")):
                first, self.invite = self.invite is None, message
                if first or self._port is None:
                    self._out.append(media.OpenStream(id=self._command(), stream=self._stream, local_host=self._here.host))
            elif message.method == "ACK":
                self._repeating.pop((f"2xx {_number(message)}", "INVITE"), None)
                self._repeating.pop((branch, "INVITE"), None)
            elif (known := self._answers.get((branch, message.method))) is not None:
                self._put(known, datagram.source)
            elif message.method == "INVITE" and self._last and not self.silent:
                self._put(self._last, datagram.source)  # RFC 3261 §17.2.1: a repeat gets the latest provisional
            elif message.method != "INVITE" and not self.silent:
                self._answer_by_itself(message, branch, now)
            self._observe(message, again, now)
            return
        method = message.get("cseq").split()[-1]
        if message.status >= 200:
            self._repeating.pop((branch, method), None)
            if method == "INVITE" and branch in self._offers:
                body, target = self._offers[branch]
                self._acknowledge(message, branch, body, target)
        self._observe(message, again, now)

    def _answer_by_itself(self, request: Request, branch: str, now: float) -> None:
        if request.method == "CANCEL":
            assert self.invite is not None
            self._respond(request, 200, now)
            if (branch, "INVITE") not in self._answers:
                self._respond(self.invite, 487, now)
                self._close()
            return
        self._respond(request, 200, now)
        if request.method == "BYE" and _tag(request.get("to")) == self._tag:
            self._close()

    def _acknowledge(self, response: Response, branch: str, body: bytes, target: str) -> None:
        ok = response.status < 300
        via = branch if not ok else f"z9hG4bK{self._ids.hex(8)}"
        headers = [
            ("Via", f"SIP/2.0/UDP {self._here.host}:5060;branch={via}"),
            ("Max-Forwards", "70"),
            ("From", response.get("from")),
            ("To", response.get("to")),
            ("Call-ID", response.get("call-id")),
            ("CSeq", f"{_number(response)} ACK"),
        ]
        if ok and body:
            headers.append(("Content-Type", "application/sdp"))
        self._send(encode(f"ACK {target} SIP/2.0", tuple(headers), body if ok else b""))

    # --- what it is told ---

    def _obey(self, now: float) -> None:
        while self._waiting and self._opened:
            self._do(self._waiting.popleft(), now)

    def _do(self, do: Do, now: float) -> None:
        what, facts = do.words[0], do.facts
        if what.isdigit():
            self._answer(int(what), do, now)
        elif what == "DIGITS":
            self._command_out(media.SendDigits, digits="".join(do.words[1:]), tone_ms=int(facts.get("ms", 100)))
        elif what == "RTP":
            self._sound(do, now)
        elif what == "RAW":
            self._send(str(facts["text"]).encode())
        elif what == "silent":
            self.silent = True
        elif what == "attentive":
            self.silent = False
        else:
            self._request(what, do, now)

    def _answer(self, status: int, do: Do, now: float) -> None:
        assert self.invite is not None
        if "again" in do.words:
            self._send(self._last)
            return
        facts = do.facts
        self._tag = str(facts.get("tag", self._tag))
        body = b""
        if {"answer", "early"} & {*do.words}:
            body = self._describe(do, self._offered())
            self._sdp = body
            self._listen(do)
        elif "body" in facts:
            body = str(facts["body"]).replace("\\n", "\r\n").encode()
        elif "same" in do.words:
            body = self._sdp
        extra = tuple((name, str(given)) for name, given in facts.items() if name not in MEDIA_FACTS)
        if status >= 300:
            self._close()
        self._respond(self.invite, status, now, body, extra, "unreliably" not in do.words, do.words[1:])

    def _respond(
        self,
        request: Request,
        status: int,
        now: float,
        body: bytes = b"",
        extra: tuple[tuple[str, str], ...] = (),
        reliably: bool = True,
        words: tuple[str, ...] = (),
    ) -> None:
        to = request.get("to")
        if not _tag(to) and status > 100:
            to = f"{to};tag={self._tag}"
        vias = request.lines("via")
        first = vias[0].replace(";rport", f";received={self._there.host};rport={self._there.port}") if self._there else vias[0]
        headers = [("Via", via) for via in (first, *vias[1:])]
        headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq"))]
        given = {name.lower() for name, _ in extra}
        if 100 < status < 300 and "contact" not in given:
            headers.append(("Contact", f"<sip:alice@{self._here.host}:5060>"))
        headers += extra
        if body and "content-type" not in given:
            headers.append(("Content-Type", "application/sdp"))
        data = encode(f"SIP/2.0 {status} {PHRASES.get(status, 'Unknown')}", tuple(headers), body)
        branch, method = branch_of(request), request.method
        if status < 200 and method == "INVITE":
            self._last = data
        if status >= 200:
            self._answers[branch, method] = data
            if method == "INVITE" and reliably:
                key = (f"2xx {_number(request)}" if status < 300 else branch, "INVITE")
                self._repeat(key, data, now)
        self._last = data
        self._send(data)

    def _request(self, method: str, do: Do, now: float) -> None:
        assert self.invite is not None
        facts, words = do.facts, do.words
        if method == "ACK":
            return
        target = self.invite.get("contact").strip().strip("<>").split(">")[0]
        self._cseq = int(facts.get("cseq", self._cseq + 1))
        tag = str(facts.get("tag", self._tag))
        branch = f"z9hG4bK{self._ids.hex(8)}"
        body, kind = b"", "application/sdp"
        if "offer" in words:
            body = self._sdp if "same" in words else self._describe(do, self._offered(), version=2)
        elif method == "INFO":
            kind = "application/dtmf-relay"
            body = f"Signal={words[1]}\r\nDuration={facts.get('ms', 160)}\r\n".encode()
        ack = b""
        if method == "INVITE" and "offer" not in words:
            ack = self._sdp if facts.get("ack", "same") == "same" else self._describe(do, self._offered(), version=3)
        to = self.invite.get("from") if "stranger" not in words else "<sip:x@example.com>;tag=unknown"
        headers = [
            ("Via", f"SIP/2.0/UDP {self._here.host}:5060;rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"{self.invite.get('to')};tag={tag}"),
            ("To", to),
            ("Call-ID", self.invite.get("call-id")),
            ("CSeq", f"{self._cseq} {method}"),
            ("Contact", f"<sip:alice@{self._here.host}:5060>"),
        ]
        extra = [(name, str(given)) for name, given in facts.items() if name not in MEDIA_FACTS and name != "ms"]
        headers += extra
        if body and not any(name.lower() == "content-type" for name, _ in extra):
            headers.append(("Content-Type", kind))
        if method == "INVITE" and "unacknowledged" not in words:
            self._offers[branch] = (ack, target)
        data = encode(f"{method} {target} SIP/2.0", tuple(headers), body)
        if "once" not in words:
            self._repeat((branch, method), data, now)
        self._send(data)
        if method == "BYE" and "stranger" not in words:
            self._close()

    # --- audio ---

    def _offered(self) -> bytes:
        return self.invite.body if self.invite is not None else b""

    def _describe(self, do: Do, offer: bytes, version: int = 1) -> bytes:
        facts = do.facts
        names = [word for word in do.words if word in NUMBERS or word in ("opus", "g722")] or ["pcmu"]
        event = facts.get("event", 101)
        formats = [str({**NUMBERS, "opus": 111, "g722": 9}[name]) for name in names]
        rtpmaps = {"pcmu": "0 PCMU/8000", "pcma": "8 PCMA/8000", "opus": "111 opus/48000/2", "g722": "9 G722/8000"}
        host, port = facts.get("host", self._here.host), facts.get("port", self._port)
        lines = ["v=0", f"o=alice 1 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
        numbers = formats if event in (None, "none") else [*formats, str(event)]
        lines.append(f"m=audio {port} RTP/AVP {' '.join(numbers)}")
        lines += [f"a=rtpmap:{rtpmaps[name]}" for name in names]
        if event not in (None, "none"):
            lines += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} 0-15"]
        if "ptime" in facts:
            lines.append(f"a=ptime:{facts['ptime']}")
        lines.append(f"a={facts.get('way', 'sendrecv')}")
        return "\r\n".join([*lines, ""]).encode()

    def _listen(self, do: Do) -> None:
        """Send to where the offer says, and hear what comes."""
        description = parse_sdp(self._offered())
        audio = description.media[0]
        address = description.connection(audio)
        names = [word for word in do.words if word in NUMBERS] or ["pcmu"]
        codec = names[0]
        event = do.facts.get("event", 101)
        by_events = event not in (None, "none")
        self._muted = bool({"mute"} & {*do.words})
        self._remote = media.SetRemote(
            id=self._command(),
            stream=self._stream,
            address=address,
            port=audio.port,
            rtcp_port=audio.port + 1,
            codec="PCMU" if codec == "pcmu" else "PCMA",
            send_type=NUMBERS[codec],
            accept_types=(NUMBERS[codec],),
            event_send_type=101 if by_events else None,
            event_accept_types=tuple(sorted({101, int(event)})) if by_events else (),
            ptime_ms=int(do.facts.get("ptime", 20)),
            way="recvonly" if self._muted else "sendrecv",
            sip_host=address,
        )
        self._out.append(self._remote)

    def _sound(self, do: Do, now: float) -> None:
        match do.words[1]:
            case "tone":
                self._command_out(media.Play, path=str(do.facts["path"]))
            case "silence":
                self._hush("sendrecv")
            case "nothing":
                self._hush("recvonly")

    def _hush(self, way: Any) -> None:
        if self._remote is not None:
            fields = {name: getattr(self._remote, name) for name in self._remote.__struct_fields__}
            self._remote = media.SetRemote(**{**fields, "id": self._command(), "way": way})
            self._out.append(self._remote)

    def _close(self) -> None:
        if self._port is not None:
            self._command_out(media.CloseStream)
            self._port = None

    def _command_out(self, kind: Any, **fields: Any) -> None:
        self._out.append(kind(id=self._command(), stream=self._stream, **fields))

    def _command(self) -> CommandId:
        return CommandId(self._ids.number())

    # --- sending ---

    def _repeat(self, key: tuple[str, str], data: bytes, now: float) -> None:
        assert self._there is not None
        self._repeating[key] = Repeating(data=data, to=self._there, next_at=now + T1, every=T1, until=now + GIVE_UP)

    def _send(self, data: bytes) -> None:
        assert self._there is not None
        self._put(data, self._there)

    def _put(self, data: bytes, to: Address) -> None:
        self._out.append(Transmit(data=data, destination=to, source=self._here))


def branch_of(message: Request | Response) -> str:
    """The branch of the topmost Via."""
    return message.get("via").partition("branch=")[2].partition(";")[0].partition(",")[0].strip()


def _tag(header: str) -> str:
    return header.partition(";tag=")[2].partition(";")[0]


def _number(message: Request | Response) -> str:
    return message.get("cseq").split()[0]
