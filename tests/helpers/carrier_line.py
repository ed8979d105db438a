"""A carrier core by itself on a clock that the test moves: what it asks of the engine and the voices is answered as they would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from outdial.carrier import SUBSCRIBERS, Carrier, CarrierSettings, Subscriber
from outdial.io.ids import SeededIds
from outdial.model import media, work
from outdial.model.ids import LegId
from outdial.sdp import make_offer
from outdial.sip import values as sip

T = TypeVar("T")
SOURCE = sip.Address(host="192.0.2.9", port=5060)
OFFER = make_offer("192.0.2.9", 40000, session_id=1, version=1)
PORT = 20000
PLAYS_S = 2.0
"""How long every prompt of this engine is."""


class Line:
    """One carrier; `out` is everything that it put out, in order."""

    def __init__(
        self,
        subscribers: Mapping[str, Subscriber] = SUBSCRIBERS,
        *,
        engine: bool = True,
        voice: bool = True,
        tones: bool = True,
        slow_engine: float = 0.0,
    ):
        self.now = 100.0
        self.carrier = Carrier(SeededIds("line"), subscribers, CarrierSettings(host="198.51.100.1"))
        self.out: list[Any] = []
        self.engine = engine
        self.slow_engine = slow_engine
        self.voice = voice
        self.tones = tones
        self._later: list[tuple[float, Any]] = []
        self._calls = 0

    def call(self, number: str, *, body: bytes = OFFER, uri: str = "") -> str:
        """An INVITE comes; its session."""
        self._calls += 1
        session = f"session-{self._calls}"
        self.give(
            sip.Incoming(
                session=session, uri=uri or f"sip:{number}@198.51.100.1", from_uri="sip:+12065550100@192.0.2.9", from_name="",
                to_uri=f"sip:{number}@198.51.100.1", headers=(), body=body, source=SOURCE,
            )
        )  # fmt: skip
        return session

    def give(self, item: Any) -> None:
        self.carrier.receive(item, self.now)
        self._drain()

    def ack(self, session: str, body: bytes = b"") -> None:
        self.give(sip.AckBody(session=session, body=body))

    def speech(self, session: str) -> None:
        self.give(media.Speech(stream=LegId(session)))

    def silence(self, session: str, ms: int = 1200) -> None:
        self.give(media.Silence(stream=LegId(session), ms=ms))

    def key(self, session: str, digit: str) -> None:
        self.give(media.Digit(stream=LegId(session), digit=digit, duration_ms=0, how="event"))

    def go(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline and each end of a prompt."""
        end = self.now + seconds
        while True:
            deadline = self.carrier.next_deadline()
            moments = [at for at, _ in self._later] + ([deadline.at] if deadline is not None else [])
            at = min((moment for moment in moments if moment <= end), default=None)
            if at is None:
                self.now = end
                return
            self.now = max(self.now, at)
            due = [entry for entry in self._later if entry[0] <= self.now]
            self._later = [entry for entry in self._later if entry[0] > self.now]
            for _, item in due:
                self.give(item)
            self.carrier.handle_timer(self.now)
            self._drain()

    def all(self, kind: type[T]) -> list[T]:
        """Everything of one kind that was put out."""
        return [item for item in self.out if isinstance(item, kind)]

    def last(self, kind: type[T]) -> T:
        return self.all(kind)[-1]

    @property
    def story(self) -> list[str]:
        """What was told and heard, `what text`."""
        return [f"{item.what} {item.text}".strip() for item in self.out if type(item).__name__ in ("Told", "Heard")]

    def _drain(self) -> None:
        while (item := self.carrier.next_output()) is not None:
            self.out.append(item)
            answer = self._answer(item)
            if answer is not None:
                self.carrier.receive(answer, self.now)

    def _answer(self, item: Any) -> Any:
        match item:
            case media.OpenStream() if not self.engine:
                return media.Failed(id=item.id, stream=item.stream, reason="no_port")
            case media.OpenStream() if self.slow_engine:
                done = media.Done(id=item.id, stream=item.stream, rtp_port=PORT, rtcp_port=PORT + 1)
                self._later.append((self.now + self.slow_engine, done))
                return None
            case media.OpenStream():
                return media.Done(id=item.id, stream=item.stream, rtp_port=PORT, rtcp_port=PORT + 1)
            case media.Play():
                ended = media.PlayEnded(id=item.id, stream=item.stream, why="finished", played_ms=round(PLAYS_S * 1000))
                self._later.append((self.now + PLAYS_S * item.repeat, ended))
                return media.Done(id=item.id, stream=item.stream, samples=16000)
            case media.SendDigits():
                self._later.append((self.now + 0.3, media.DigitsSent(id=item.id, stream=item.stream, why="finished")))
                return media.Done(id=item.id, stream=item.stream)
            case work.Prompt(source=work.SpeechSource()) if not self.voice:
                return work.WorkFailed(token=item.token, reason="engine")
            case work.Prompt(source=work.ObjectSource()) if not self.tones:
                return work.WorkFailed(token=item.token, reason="not_found")
            case work.Prompt():
                return work.PromptReady(token=item.token, path=f"/prompts/{item.token}.wav", samples=16000)
            case _:
                return None
