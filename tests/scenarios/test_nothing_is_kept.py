"""What a node keeps of calls that have ended: nothing, in no core and in no observer, however they ended.

Ten kinds of calls, ten times each, twice over: whatever holds more after the second hundred than after the first is a leak.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from helpers.lines import S3, Line, act, raising
from outdial.model.invocations import FunctionState
from outdial.model.requests import Placed, Refused
from outdial.observe.follow import Follow
from outdial.observe.legs import Legs
from outdial.observe.line import Level
from outdial.observe.log import Log
from outdial.observe.metrics import Metrics
from outdial.observe.sip_record import SipRecord
from outdial.testing.world import EPOCH_MS, FUNCTION

BUCKET = {"Type": "S3", "BucketName": "in", "Prefix": "p"}
RECORD = act("RecordAudio", DurationInSeconds="30", RecordingTerminators=["#"], RecordingDestination=BUCKET)
ASK = act(
    "SpeakAndGetDigits",
    SpeechParameters={"Text": "Press"},
    FailureSpeechParameters={"Text": "Sorry"},
    InputDigitsRegex="[0-9]",
    MaxNumberOfDigits=1,
    RepeatDurationInMilliseconds=1000,
)
LISTEN = act("ReceiveDigits", InputDigitsRegex="^1$", InBetweenDigitsDurationInMilliseconds=300, FlushDigitsDurationInMilliseconds=5000)
PLAY = act("PlayAudio", AudioSource={**S3, "Key": "ask.wav"})


def sizes(roots: dict[str, Any]) -> dict[str, int]:
    """How many things each attribute holds, over all objects of a kind that can be reached."""
    found: collections.Counter[str] = collections.Counter()
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = list(roots.items())
    while todo:
        name, value = todo.pop()
        if id(value) in seen or isinstance(value, str | bytes | int | float | Enum | type | Path | None.__class__):
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            found[name] += len(value)
            todo += [(name, part) for pair in value.items() for part in pair]
        elif isinstance(value, list | tuple | set | frozenset | collections.deque):
            found[name] += len(value)
            todo += [(name, part) for part in value]
        elif type(value).__module__.startswith("outdial"):
            todo += [(f"{type(value).__name__}.{key}", part) for key, part in attributes(value)]
    return {name: size for name, size in found.items() if not name.endswith("Timers._heap")}  # stale entries are swept in bulk


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot):
                yield slot, getattr(value, slot)


def answered_and_hung_up_by_the_callee(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": [PLAY]}
    line.connect().hang_up(after=0.3)


def hung_up_by_the_application(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": [ASK], "ACTION_SUCCESSFUL": [act("Hangup")]}
    line.connect(arguments={"a": "b"}).press("1", after=0.3)


def busy(line: Line) -> None:
    line.answers = {}
    line.place().world.order("reject", status=486)


def nobody_answers(line: Line) -> None:
    line.answers = {}
    line.place().world.order("ring")


def voicemail(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": [RECORD]}
    line.connect().hang_up(after=1.0)


def voicemail_that_is_delivered_later(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": [RECORD]}
    line.world.studio.fail_deliveries = True
    line.connect().hang_up(after=0.5).world.go(12.0)
    line.world.studio.fail_deliveries = False


def listener_and_update(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": [LISTEN, PLAY, PLAY], "CALL_UPDATE_REQUESTED": [ASK], "ACTION_FAILED": [act("Hangup")]}
    line.connect().press("1", after=0.2).world.go(0.5)
    line.update(do="it")
    line.press("9", after=0.1).hang_up(after=0.3)


def bad_replies(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": {"schemaVersion": "1.0"}, "INVALID_LAMBDA_RESPONSE": "[]"}
    line.connect()


def raises(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": raising(KeyError("Participants"))}
    line.connect()


def hung_up_before_the_prompt_is_there(line: Line) -> None:
    line.answers = {"CALL_ANSWERED": [act("Speak", Text="x" * 200)]}
    line.place().world.order("answer")
    line.world.order("hang_up")


KINDS: tuple[Callable[[Line], None], ...] = (
    answered_and_hung_up_by_the_callee, hung_up_by_the_application, busy, nobody_answers, voicemail, voicemail_that_is_delivered_later,
    listener_and_update, bad_replies, raises, hung_up_before_the_prompt_is_there,
)  # fmt: skip


def a_hundred_calls(line: Line) -> None:
    for _ in range(10):
        for kind in KINDS:
            kind(line)
            line.until("HANGUP")
    line.world.go(1200.0)  # transactions, resting ports, deliveries that wait


class Watched:
    """A line with every observer on it."""

    def __init__(self, folder: Path) -> None:
        self.metrics = Metrics()
        wall = EPOCH_MS.__add__
        legs = Legs()
        observers = {
            "legs": legs,
            "metrics": self.metrics,
            "follow": Follow(legs),
            "log": Log(lambda line: None, lambda now: wall(round(now * 1000)), legs, level=Level.DEBUG),
            "sip_record": SipRecord(lambda save: None, lambda now: wall(round(now * 1000)), legs),
        }
        self.line = Line(folder, observers=tuple(observers.values()))
        self._roots = {**self.line.world.pump._cores, **observers}
        del self._roots["phone"]  # the test's own, and it remembers what it saw

    def sizes(self) -> dict[str, int]:
        return sizes(self._roots)

    def grown(self, since: dict[str, int]) -> dict[str, tuple[int, int]]:
        return {name: (since.get(name, 0), size) for name, size in self.sizes().items() if size > since.get(name, 0)}


def test_after_two_hundred_calls_nothing_is_held_that_was_not_held_after_one_hundred(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    a_hundred_calls(watched.line)
    first = watched.sizes()
    a_hundred_calls(watched.line)
    assert watched.grown(first) == {}
    assert watched.line.world.store.unfinished() == []
    assert b"outdial_calls_in_progress 0.0" in watched.metrics.render()


def test_what_never_became_a_call_leaves_nothing_either(tmp_path: Path) -> None:
    """A commit that is withdrawn (503), a refusal, and a call for a function that cannot be invoked."""
    watched = Watched(tmp_path)
    world = watched.line.world

    def several() -> None:
        for _ in range(5):
            world.store.hold()
            assert isinstance(world.place(), Refused)
            world.store.release()
            assert isinstance(world.place(to="+19005550150"), Refused)
            world.give("calls", FunctionState(function=FUNCTION, state="broken", detail="it does not load"))
            assert isinstance(world.place(), Placed)
            world.give("calls", FunctionState(function=FUNCTION, state="served"))
        world.go(200.0)

    several()
    first = watched.sizes()
    several()
    assert watched.grown(first) == {}
    assert world.store.unfinished() == []
    assert b"outdial_calls_in_progress 0.0" in watched.metrics.render()
    assert b"outdial_calls_placed_total 10.0" in watched.metrics.render()
