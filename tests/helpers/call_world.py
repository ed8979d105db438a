"""Everybody around call control, played small: the API's caller, SIP with a callee, the engine, the writer, the objects, the handler.

A test reads like a call: `world.place()`, `world.rings()`, `world.answers()`, `world.reply(Hangup)`. What the neighbours do without being
asked they do at once; `world.quiet(kind)` makes one of them keep silent for a kind of value, so that the test gives the answer itself.
Each value that call control put out is in `world.out`, in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from outdial.calls import Control
from outdial.io.ids import SeededIds
from outdial.model import media, work
from outdial.model.actions import Action
from outdial.model.ids import ApplicationId, CallId, FunctionName, KeyId, LegId, Token
from outdial.model.invocations import BadReply, FunctionState, InvocationFailed, Invoke, Replied
from outdial.model.records import Cdr, Record
from outdial.model.requests import Application, Facts, PlaceCall, Placed, Refusal, Refused, RepeatKey, UpdateCall
from outdial.model.settings import CallSettings
from outdial.sip import values as sip

T = TypeVar("T")
US = sip.Address(host="192.0.2.1", port=5060)
TRUNK = sip.Address(host="192.0.2.9", port=5060)
APPLICATION = Application(
    id=ApplicationId("4a1b9b1c-0000-4000-8000-000000000001"),
    name="reminder",
    lambda_arn="arn:aws:lambda:us-east-1:000000000000:function:reminder",
    function=FunctionName("reminder"),
)
FACTS = Facts(from_owned=True, countries_owned=("US",), application=APPLICATION)
EPOCH_MS = 1_700_000_000_000


def wall(at: float) -> int:
    """Monotonic seconds as epoch milliseconds."""
    return EPOCH_MS + round(at * 1000)


def answer_sdp(port: int = 40000, host: str = "192.0.2.9", codec: str = "0 PCMU", event: int | None = 101) -> bytes:
    """What a telephone answers."""
    number, name = codec.split()
    lines = [
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {number}" + (f" {event}" if event else ""),
        f"a=rtpmap:{number} {name}/8000",
        *([f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} 0-15"] if event else []),
        "a=ptime:20",
        "a=sendrecv",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def action(kind: str, **parameters: Any) -> Action:
    """An action as the handler's reply names it."""
    return Action(type=kind, parameters=parameters)


SPEAK = action("Speak", Text="Hello")
PLAY = action("PlayAudio", AudioSource={"Type": "S3", "BucketName": "prompts", "Key": "tone.wav"})
PAUSE = action("Pause", DurationInMilliseconds="1000")
HANGUP = action("Hangup", SipResponseCode="0")
RECORD = action(
    "RecordAudio",
    DurationInSeconds="30",
    RecordingTerminators=["#"],
    RecordingDestination={"Type": "S3", "BucketName": "voicemail", "Prefix": "in"},
)
LISTEN = action(
    "ReceiveDigits", InputDigitsRegex="^[12]$", InBetweenDigitsDurationInMilliseconds=1000, FlushDigitsDurationInMilliseconds=10000
)
ASK = action(
    "SpeakAndGetDigits",
    SpeechParameters={"Text": "Press one"},
    FailureSpeechParameters={"Text": "Sorry"},
    MinNumberOfDigits=1,
    MaxNumberOfDigits=1,
    Repeat=1,
    InBetweenDigitsDurationInMilliseconds=1000,
    RepeatDurationInMilliseconds=5000,
)


class World:
    """One node's call control and its neighbours, on a clock that the test moves."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("local_host", "192.0.2.1")
        self.now = 100.0
        self.control = Control(SeededIds("calls"), wall, CallSettings(**settings))
        self.out: list[Any] = []
        self.given: list[Invoke] = []
        """Every invocation of the call's life, whatever `clear` forgot."""
        self.silent: set[type] = set()
        self.call = CallId("")
        self.leg = LegId("")
        self._port = 10000
        self._tokens = 0
        self._queue: list[Any] = []
        self._answers: dict[type, Callable[[Any], list[Any]]] = self._neighbours()
        self.give(media.Ready(version="test"), FunctionState(function=APPLICATION.function, state="served"))

    # --- moving ---

    def give(self, *items: Any) -> None:
        """Give inputs one by one; the neighbours answer what comes of each."""
        self._queue.extend(items)
        while self._queue:
            self.control.receive(self._queue.pop(0), self.now)
            self._drain()

    def wait(self, seconds: float) -> None:
        """Let time pass; what is due is done on the way."""
        until = self.now + seconds
        while (deadline := self.control.next_deadline()) is not None and deadline.at <= until:
            self.now = max(self.now, deadline.at)
            self.control.handle_timer(self.now)
            self._drain()
            self.give()
        self.now = until

    def _drain(self) -> None:
        while (output := self.control.next_output()) is not None:
            self.out.append(output)
            if isinstance(output, Invoke):
                self.given.append(output)
            answers = self._answers.get(type(output))
            if answers is not None and type(output) not in self.silent:
                self._queue.extend(answers(output))

    def quiet(self, *kinds: type) -> None:
        """Let nobody answer these values from now on."""
        self.silent.update(kinds)

    # --- looking ---

    def all(self, kind: type[T]) -> list[T]:
        """Every output of a kind so far."""
        return [output for output in self.out if isinstance(output, kind)]

    def last(self, kind: type[T]) -> T:
        """The last output of a kind."""
        found = self.all(kind)
        assert found, f"no {kind.__name__} was put out"
        return found[-1]

    def clear(self) -> None:
        """Forget what was put out so far."""
        self.out.clear()

    def kinds(self) -> list[str]:
        """What was put out, by name."""
        return [type(output).__name__ for output in self.out]

    def records(self, kind: type[T]) -> list[T]:
        """Every record of a kind that was to be saved."""
        return [record for save in self.all(work.Save) for record in save.unit if isinstance(record, kind)]

    def saved(self) -> list[Record]:
        return [record for save in self.all(work.Save) for record in save.unit]

    @property
    def told(self) -> list[str]:
        """The events that the handler was given, by name."""
        return [type(invoke.event).__name__ for invoke in self.given]

    @property
    def invoked(self) -> Invoke:
        """The invocation given last."""
        assert self.given, "the handler was given nothing"
        return self.given[-1]

    @property
    def event(self) -> Any:
        """The event given last (a `model.events.Event`)."""
        return self.invoked.event

    @property
    def refusal(self) -> Refusal:
        """Of the last request."""
        return self.last(Refused).refusal

    @property
    def cdr(self) -> Cdr:
        """The one CDR."""
        (found,) = self.records(Cdr)
        return found

    def notes(self) -> list[str]:
        return [note.what for note in self.all(work.Note)]

    # --- the caller ---

    def request(self, **changes: Any) -> PlaceCall:
        """What the API passes on."""
        self._tokens += 1
        fields: dict[str, Any] = {
            "token": Token(9_000_000 + self._tokens),
            "key": KeyId("AKEXAMPLE"),
            "from_": "+12065550100",
            "to": "+12065550150",
            "application": APPLICATION.id,
            "facts": FACTS,
            "started_at": wall(self.now),
        }
        return PlaceCall(**(fields | changes))

    def place(self, **changes: Any) -> None:
        """Place a call; it is the one that is spoken of from now on."""
        before = len(self.out)
        self.give(self.request(**changes))
        for output in self.out[before:]:
            if isinstance(output, media.OpenStream):
                self.leg = output.stream
            elif isinstance(output, Placed):
                self.call = output.call

    def update(self, **changes: Any) -> UpdateCall:
        """Ask for an update of the call."""
        self._tokens += 1
        fields: dict[str, Any] = {
            "token": Token(9_000_000 + self._tokens),
            "call": self.call,
            "application": APPLICATION.id,
            "arguments": {"do": "it"},
        }
        request = UpdateCall(**(fields | changes))
        self.give(request)
        return request

    # --- the callee ---

    def rings(self, status: int = 180, tag: str = "far", body: bytes = b"") -> None:
        self.give(sip.Provisional(session=self.leg, status=status, tag=tag, body=body, source=TRUNK))

    def answers(self, body: bytes | None = None, tag: str = "far", wanted: bool = True, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.give(
            sip.Accepted(
                session=self.leg,
                fork=tag,
                wanted=wanted,
                remote_tag=tag,
                remote_target="sip:callee@192.0.2.9",
                routes=(),
                body=answer_sdp() if body is None else body,
                headers=headers,
                source=TRUNK,
            )
        )

    def bye(self, reason: str = "") -> None:
        """The callee hangs up; the endpoint has answered it."""
        self.give(sip.ByeReceived(session=self.leg, reason=reason), sip.Over(session=self.leg, who="peer", status=0))

    def fails(self, status: int, phrase: str = "", who: str = "peer") -> None:
        """The INVITE gets a final response, or none."""
        self.give(sip.Over(session=self.leg, who=who, status=status, phrase=phrase))  # type: ignore[arg-type]

    # --- the handler ---

    def reply(self, *actions: Action, attributes: dict[str, Any] | None = None) -> None:
        """The handler answers the event given last."""
        given = self.invoked
        self.give(Replied(call=given.call, sequence=given.sequence, actions=actions, attributes=attributes))

    def bad_reply(self, error_type: str = "SystemException", message: str = "Error while reading actions list.") -> None:
        given = self.invoked
        self.give(BadReply(call=given.call, sequence=given.sequence, error_type=error_type, message=message, path="Actions"))

    def handler_fails(self, reason: str = "failed", detail: str = "it raised KeyError twice") -> None:
        given = self.invoked
        self.give(InvocationFailed(call=given.call, sequence=given.sequence, reason=reason, detail=detail))  # type: ignore[arg-type]

    # --- the engine ---

    def played(self, why: str = "finished") -> None:
        """What plays ends."""
        play = self.last(media.Play)
        self.give(media.PlayEnded(id=play.id, stream=play.stream, why=why, played_ms=1000))  # type: ignore[arg-type]

    def recorded(self, why: str = "stream_closed", digit: str = "") -> None:
        """The recording ends, its file closed."""
        it = self.last(media.Record)
        self.give(media.RecordEnded(id=it.id, stream=it.stream, why=why, path=it.path, samples=16000, digit=digit))  # type: ignore[arg-type]

    def presses(self, digits: str) -> None:
        for digit in digits:
            self.give(media.Digit(stream=self.leg, digit=digit, duration_ms=0, how="event"))

    # --- whole stretches ---

    def connect(self) -> None:
        """Place a call, let it ring and be answered; CALL_ANSWERED awaits its reply."""
        self.place()
        self.reply()
        self.rings()
        self.reply()
        self.answers()

    def _neighbours(self) -> dict[type, Callable[[Any], list[Any]]]:
        def opened(it: media.OpenStream) -> list[Any]:
            self._port += 2
            return [media.Done(id=it.id, stream=it.stream, rtp_port=self._port, rtcp_port=self._port + 1)]

        def done(it: Any) -> list[Any]:
            return [media.Done(id=it.id, stream=it.stream)]

        def closed(it: media.CloseStream) -> list[Any]:
            statistics = media.StreamStatistics(packets_sent=500, packets_received=490, lost=2, jitter_ms=1.5)
            return [media.Done(id=it.id, stream=it.stream, statistics=statistics)]

        def stopped(it: media.Stop) -> list[Any]:
            for play in self.all(media.Play):
                if play.id == it.target:
                    return [media.PlayEnded(id=it.target, stream=it.stream, why="stopped", played_ms=300), *done(it)]
            for record in self.all(media.Record):
                if record.id == it.target:
                    ended = media.RecordEnded(id=it.target, stream=it.stream, why="stopped", path=record.path, samples=8000)
                    return [ended, *done(it)]
            return done(it)

        def saved(it: work.Save) -> list[Any]:
            return [work.Saved(token=it.token)] if it.token else []

        def held(it: sip.Dial) -> list[Any]:
            return [sip.Held(session=it.session, invite=b"INVITE " + it.uri.encode(), source=US, destination=TRUNK)]

        def over(it: Any) -> list[Any]:
            return [sip.Over(session=it.session, who="us", status=0 if isinstance(it, sip.Bye) else 487)]

        def matched(it: work.Match) -> list[Any]:
            return [work.Matched(token=it.token, yes=any(re.search(it.pattern, text) for text in it.texts))]

        return {
            media.OpenStream: opened,
            media.SetRemote: done,
            media.CloseStream: closed,
            media.Play: done,
            media.Collect: done,
            media.SendDigits: done,
            media.Press: done,
            media.Record: done,
            media.Stop: stopped,
            work.Save: saved,
            work.Withdraw: lambda it: [work.Withdrawn(token=it.token)],
            work.Prompt: lambda it: [work.PromptReady(token=it.token, path="/cache/prompt.wav", samples=8000)],
            work.Match: matched,
            work.Deliver: lambda it: [work.Delivered(token=it.token)],
            work.Repair: lambda it: [work.Repaired(token=it.token, samples=4000)],
            sip.Dial: held,
            sip.Bye: over,
            sip.Cancel: over,
        }


REPEAT = RepeatKey(key=KeyId("AKEXAMPLE"), operation="CreateSipMediaApplicationCall", path="/", body_hash="ab", invocation="1")
