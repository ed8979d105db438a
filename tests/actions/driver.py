"""Drives one action by hand: gives it what call control would, and collects what it puts out."""

from __future__ import annotations

from typing import Any

from outdial.actions.table import TABLE
from outdial.actions.values import Context, FailedAs, Finished, Interrupted, LegFacts
from outdial.io.ids import SeededIds
from outdial.model import media
from outdial.model.actions import Action
from outdial.model.ids import CallId, LegId
from outdial.model.work import Match, Matched, Prompt, PromptReady, WorkFailed

CALL = CallId("c0000000-0000-4000-8000-000000000000")
A = LegId("a0000000-0000-4000-8000-00000000000a")
B = LegId("b0000000-0000-4000-8000-00000000000b")
GONE = LegId("d0000000-0000-4000-8000-00000000000d")
AUDIO = {"Type": "S3", "BucketName": "prompts", "Key": "ask.wav"}
SORRY = {"Type": "S3", "BucketName": "prompts", "Key": "sorry.wav"}
DESTINATION = {"Type": "S3", "BucketName": "recordings", "Prefix": "voicemail"}
ENDS = (Finished, FailedAs, Interrupted)

LEAST: dict[str, dict[str, Any]] = {
    "Speak": {"Text": "Hello"},
    "SpeakAndGetDigits": {
        "SpeechParameters": {"Text": "Press one"}, "FailureSpeechParameters": {"Text": "Sorry"}, "RepeatDurationInMilliseconds": 1000,
    },
    "PlayAudio": {"AudioSource": AUDIO},
    "PlayAudioAndGetDigits": {"AudioSource": AUDIO, "FailureAudioSource": SORRY, "RepeatDurationInMilliseconds": 1000},
    "ReceiveDigits": {
        "InputDigitsRegex": r"^\d{2}#$", "InBetweenDigitsDurationInMilliseconds": 1000, "FlushDigitsDurationInMilliseconds": 10000,
    },
    "SendDigits": {"Digits": "1"},
    "Pause": {"DurationInMilliseconds": 1000},
    "RecordAudio": {"DurationInSeconds": 10, "RecordingTerminators": ["#"], "RecordingDestination": DESTINATION},
    "Hangup": {},
}  # fmt: skip
"""The smallest parameters that each action takes (reference 10)."""
assert set(LEAST) <= set(TABLE)


def context(**changes: Any) -> Context:
    """A bridged call: two legs connected, one gone; the invocation is of LEG-A."""
    values: dict[str, Any] = {
        "call": CALL,
        "default_leg": A,
        "legs": (
            LegFacts(leg=A, tag="LEG-A", connected=True),
            LegFacts(leg=GONE, tag="LEG-B", connected=False),
            LegFacts(leg=B, tag="LEG-B", connected=True),
        ),
        "ids": SeededIds(1),
        "wall": lambda at: 1_700_000_000_000 + round(at * 1000),
        "recordings": "/recordings",
    }
    return Context(**(values | changes))


class Driven:
    """A running action and everything that it has put out so far."""

    def __init__(self, type_: str, parameters: dict[str, Any] | None = None, **changes: Any) -> None:
        raw = LEAST.get(type_, {}) if parameters is None else parameters
        self.kind = TABLE[type_]
        self.running = self.kind.begin(Action(type=type_, parameters=raw), context(**changes))
        self.now = 100.0
        self.out: list[Any] = []
        self._drain()

    def give(self, item: Any, after: float = 0.0) -> list[Any]:
        """Give one input, `after` seconds from the last; what it put out."""
        self.now += after
        self.running.receive(item, self.now)
        return self._drain()

    def wait(self, seconds: float) -> list[Any]:
        """Let time pass."""
        self.now += seconds
        self.running.handle_timer(self.now)
        return self._drain()

    def last(self, kind: type[Any]) -> Any:
        """The latest output of a kind."""
        return [item for item in self.out if isinstance(item, kind)][-1]

    def all(self, kind: type[Any]) -> list[Any]:
        """Every output of a kind."""
        return [item for item in self.out if isinstance(item, kind)]

    @property
    def end(self) -> Any | None:
        """How it ended, or None; also that nothing came after it."""
        ends = self.all(ENDS)  # type: ignore[arg-type]
        assert len(ends) <= 1
        assert not ends or self.out[-1] is ends[0]
        return ends[0] if ends else None

    @property
    def echo(self) -> dict[str, Any]:
        """The parameters as events echo them."""
        return self.running.echo.parameters

    def prepare(self) -> list[Any]:
        """Answer every prompt and every expression asked for so far."""
        before = len(self.out)
        for asked in list(self.out):
            if isinstance(asked, Prompt):
                self.give(PromptReady(token=asked.token, path=f"/cache/{asked.token}.wav", samples=8000))
            elif isinstance(asked, Match) and not asked.texts:
                self.give(Matched(token=asked.token, yes=False))
        return self.out[before:]

    def play_ended(self, why: Any = "finished") -> list[Any]:
        """The engine's word on the latest Play."""
        return self.give(media.PlayEnded(id=self.last(media.Play).id, stream=A, why=why, played_ms=1000))

    def collected(self, digits: str, terminator: str = "", why: Any = None) -> list[Any]:
        """The engine's word on the latest Collect."""
        why = why or ("terminator" if terminator else "between")
        return self.give(media.Collected(id=self.last(media.Collect).id, stream=A, digits=digits, terminator=terminator, why=why))

    def matched(self, yes: bool) -> list[Any]:
        """The answer to the latest Match."""
        return self.give(Matched(token=self.last(Match).token, yes=yes))

    def work_failed(self, kind: type[Any], reason: str, detail: str = "") -> list[Any]:
        """The latest work of a kind failed."""
        return self.give(WorkFailed(token=self.last(kind).token, reason=reason, detail=detail))

    def _drain(self) -> list[Any]:
        new: list[Any] = []
        while (item := self.running.next_output()) is not None:
            new.append(item)
        self.out += new
        return new


def fails(type_: str, parameters: dict[str, Any], **changes: Any) -> FailedAs:
    """The failure of an action that must fail before it asks for anything."""
    driven = Driven(type_, parameters, **changes)
    assert len(driven.out) == 1, driven.out
    assert isinstance(driven.end, FailedAs)
    return driven.end
