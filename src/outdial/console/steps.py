"""A call's steps in the order of their happening: what the story and the ladder are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ..model.ids import LegId
from ..model.records import EventRow, InvocationDone, InvocationRow, LegEnded, NoteRow, OutputRow, RecordingRow, SipMessageRow
from ..model.resources import CallHistory

What = SipMessageRow | EventRow | InvocationRow | InvocationDone | OutputRow | NoteRow | LegEnded | RecordingRow


class Rank(IntEnum):
    """Which of two steps of one millisecond comes first: causes before effects."""

    RECEIVED = 0
    OUTPUT = 1
    DONE = 2
    EVENT = 3
    GIVEN = 4
    SENT = 5
    RECORDING = 6
    NOTE = 7
    ENDED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step."""

    at: int
    rank: Rank
    what: What


def steps(history: CallHistory) -> list[Step]:
    """All of them, by time."""
    return sorted(_steps(history), key=lambda step: (step.at, step.rank))


def _steps(history: CallHistory) -> Iterator[Step]:
    for message in history.sip:
        yield Step(at=message.at, rank=Rank.SENT if message.way == "sent" else Rank.RECEIVED, what=message)
    for event in history.events:
        yield Step(at=event.at, rank=Rank.EVENT, what=event)
    for given in history.invocations:
        yield Step(at=given.given_at, rank=Rank.GIVEN, what=given)
    for done in history.outcomes:
        yield Step(at=done.done_at, rank=Rank.DONE, what=done)
    for output in history.output:
        yield Step(at=output.at, rank=Rank.OUTPUT, what=output)
    for note in history.notes:
        yield Step(at=note.at, rank=Rank.NOTE, what=note)
    for ended in history.legs_ended:
        yield Step(at=ended.ended_at, rank=Rank.ENDED, what=ended)
    for recording in history.recordings:
        yield Step(at=recording.started_at, rank=Rank.RECORDING, what=recording)


def tags(history: CallHistory) -> dict[LegId, str]:
    """`LEG-A` and so on, by leg."""
    return {leg.participant.leg: leg.participant.tag for leg in history.legs}
