"""A call's steps in the order of their happening: what the story and the ladder are drawn from.

Times are whole milliseconds, and much happens within one. There causes come before effects: what was received, then the handler's events,
invocations and replies in their own order, then what was sent; SIP messages among themselves stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ..model.ids import LegId
from ..model.records import EventRow, InvocationDone, InvocationRow, LegEnded, NoteRow, OutputRow, RecordingRow, SipMessageRow
from ..model.resources import CallHistory

What = SipMessageRow | EventRow | InvocationRow | InvocationDone | OutputRow | NoteRow | LegEnded | RecordingRow
LAST = 1 << 30


class Rank(IntEnum):
    """Which of two steps of one millisecond comes first."""

    BEFORE = 0
    HANDLER = 1
    AFTER = 2
    RECORDING = 3
    NOTE = 4
    ENDED = 5


class Turn(IntEnum):
    """Which step of one invocation comes first."""

    EVENT = 0
    GIVEN = 1
    OUTPUT = 2
    DONE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step."""

    at: int
    order: tuple[int, int, int]
    """Rank, sequence, turn."""
    what: What


def steps(history: CallHistory) -> list[Step]:
    """All of them, by time."""
    return sorted(_steps(history), key=lambda step: (step.at, step.order))


def _steps(history: CallHistory) -> Iterator[Step]:
    yield from _messages(history.sip)
    sequences = {given.number: given.sequence for given in history.invocations}
    for event in history.events:
        yield Step(at=event.at, order=(Rank.HANDLER, sequences.get(event.number, LAST + event.number), Turn.EVENT), what=event)
    for given in history.invocations:
        yield Step(at=given.given_at, order=(Rank.HANDLER, given.sequence, Turn.GIVEN), what=given)
    for output in history.output:
        yield Step(at=output.at, order=(Rank.HANDLER, output.sequence, Turn.OUTPUT), what=output)
    for done in history.outcomes:
        yield Step(at=done.done_at, order=(Rank.HANDLER, done.sequence, Turn.DONE), what=done)
    for recording in history.recordings:
        yield Step(at=recording.started_at, order=(Rank.RECORDING, 0, 0), what=recording)
    for note in history.notes:
        yield Step(at=note.at, order=(Rank.NOTE, 0, 0), what=note)
    for ended in history.legs_ended:
        yield Step(at=ended.ended_at, order=(Rank.ENDED, 0, 0), what=ended)


def _messages(messages: tuple[SipMessageRow, ...]) -> list[Step]:
    """What was sent comes after what the handler did, unless an answer to it was received within the same millisecond."""
    found: list[Step] = []
    answered_at = None
    for i in range(len(messages) - 1, -1, -1):
        message = messages[i]
        if message.way == "received":
            answered_at = message.at
        before = message.way == "received" or answered_at == message.at
        found.append(Step(at=message.at, order=(Rank.BEFORE if before else Rank.AFTER, i, 0), what=message))
    return found


def tags(history: CallHistory) -> dict[LegId, str]:
    """`LEG-A` and so on, by leg."""
    return {leg.participant.leg: leg.participant.tag for leg in history.legs}
