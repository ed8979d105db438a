"""The ladder of a call: SIP messages, events, replies and notes side by side in time, one lane for each party.

The lanes are the handler, outdial, and each leg's far end. A step is an arrow from lane to lane, or a remark beside outdial's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from ..model.ids import LegId
from ..model.records import EventRow, InvocationDone, InvocationRow, LegEnded, NoteRow, OutputRow, RecordingRow, SipMessageRow
from ..model.resources import CallHistory
from . import phrases
from .handler_json import EVENT_NAMES, event_name
from .sentences import outcome, sentence
from .steps import Step, steps, tags
from .text import clip, lasted, moment, number, since, words, zone_name

TIME: Final = 10
"""Columns of the time."""
FIRST: Final = 14
"""Column of the handler's lane."""
GAP: Final = 28
"""Columns between two lanes, where there is room."""
NARROWEST: Final = 16
NOTES: Final = 20
"""Columns for details right of the last lane, where there is room."""
HANDLER, US, FAR = 0, 1, 2
LATE_MS: Final = 50
"""An event that was given later than this after it happened had to wait its turn: then the ladder says for how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrow:
    at: int
    source: int
    target: int
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remark:
    at: int
    text: str


def ladder(history: CallHistory, *, width: int = 120, full: bool = False, zone: tzinfo | None = UTC) -> str:
    """The ladder, at most `width` columns; `full` shows numbers whole."""
    drawing = _Drawing(history, width, full)
    call = history.call
    end = "in progress" if history.ended is None else outcome(history.ended.termination, history.cdr)
    heading = [f"call {call.call}  {moment(call.started_at, zone)}{zone_name(zone)}", end, ""]
    lines = [*heading, *drawing.head(), *drawing.rows()]
    return "\n".join(clip(line.rstrip(), width) for line in lines) + "\n"


class _Drawing:
    def __init__(self, history: CallHistory, width: int, full: bool) -> None:
        self._history = history
        self._full = full
        self._legs: dict[LegId, int] = {leg.participant.leg: FAR + i for i, leg in enumerate(history.legs)}
        lanes = FAR + max(1, len(self._legs))
        room = (width - FIRST - NOTES) // (lanes - 1)
        gap = max(NARROWEST, min(GAP, room))
        self._columns = [FIRST + gap * i for i in range(lanes)]
        self._width = width
        self._seen: set[tuple[str, bytes]] = set()

    def head(self) -> Iterator[str]:
        """The parties' names over their lanes."""
        names = [f"handler {self._history.call.function}", "outdial"]
        names += [f"{leg.participant.tag} {number(leg.participant.to, self._full)}" for leg in self._history.legs] or ["far end"]
        line = [" "] * self._width
        for name, column in zip(names, self._columns, strict=True):
            text = clip(name, self._columns[1] - self._columns[0] - 2)
            start = max(0, column - len(text) // 2)
            line[start : start + len(text)] = text
        yield "".join(line)
        yield self._lanes("")

    def rows(self) -> Iterator[str]:
        """A line for each step."""
        for step in steps(self._history):
            row = self._row(step)
            if isinstance(row, _Arrow):
                yield self._arrow(row)
            elif row is not None:
                yield self._remark(row)

    def _row(self, step: Step) -> _Arrow | _Remark | None:
        what, full = step.what, self._full
        if isinstance(what, SipMessageRow):
            return self._message(what)
        if isinstance(what, InvocationRow):
            return self._given(what)
        if isinstance(what, InvocationDone):
            return self._done(what)
        if isinstance(what, OutputRow):
            return _Remark(at=what.at, text=f"{what.stream}: {words(what.text, full)}")
        if isinstance(what, NoteRow):
            return _Remark(at=what.at, text=f"{what.level}: {words(what.what, full)}")
        if isinstance(what, LegEnded):
            tag = tags(self._history).get(what.leg, "leg")
            return _Remark(at=step.at, text=f"{tag} ended, {what.termination.reason}: {words(sentence(what.termination), full)}")
        if isinstance(what, RecordingRow):
            return _Remark(at=step.at, text=f"records: {phrases.recording(what, full)}")
        given = any(row.number == what.number for row in self._history.invocations)
        return (
            None if given else _Remark(at=step.at, text=f"{EVENT_NAMES[type(what.event)]} waits {phrases.event(what.event, full)}".rstrip())
        )

    def _message(self, row: SipMessageRow) -> _Arrow:
        key = (row.way, row.message)
        details = ["again"] if key in self._seen else []
        self._seen.add(key)
        details.append(phrases.body(row.message))
        far = self._legs.get(row.leg, FAR)
        source, target = (US, far) if row.way == "sent" else (far, US)
        return _Arrow(at=row.at, source=source, target=target, label=phrases.message(row.message), detail=", ".join(filter(None, details)))

    def _given(self, row: InvocationRow) -> _Arrow:
        event = self._event(row.number)
        details = [f"#{row.sequence}"]
        if event is not None:
            if row.given_at - event.at > LATE_MS:
                details.append(f"waited {lasted(row.given_at - event.at)}")
            details.append(phrases.event(event.event, self._full))
        label = event_name(row.request) or (EVENT_NAMES[type(event.event)] if event is not None else "event")
        return _Arrow(at=row.given_at, source=US, target=HANDLER, label=label, detail=" ".join(filter(None, details)))

    def _done(self, row: InvocationDone) -> _Arrow:
        began = next((given.given_at for given in self._history.invocations if given.sequence == row.sequence), row.done_at)
        details = [f"#{row.sequence} {lasted(row.done_at - began)}", phrases.reply_detail(row, self._full)]
        if row.attempts > 1:
            details.insert(1, f"{row.attempts} attempts")
        label = phrases.reply(row, self._full)
        return _Arrow(at=row.done_at, source=HANDLER, target=US, label=label, detail=" ".join(filter(None, details)))

    def _event(self, event: int) -> EventRow | None:
        return next((row for row in self._history.events if row.number == event), None)

    def _lanes(self, at: str) -> str:
        line = [" "] * (self._columns[-1] + 1)
        line[: len(at)] = at
        for column in self._columns:
            line[column] = "│"
        return "".join(line)

    def _at(self, at: int) -> str:
        return since(at, self._history.call.started_at).rjust(TIME)

    def _arrow(self, arrow: _Arrow) -> str:
        line = list(self._lanes(self._at(arrow.at)))
        first, last = sorted((arrow.source, arrow.target))
        left, right = self._columns[first], self._columns[last]
        for column in range(left + 1, right):
            line[column] = "┼" if column in self._columns else "─"
        start = self._columns[last - 1] + 1  # the label stands beside the far end's lane
        room = right - start
        line[start:right] = f" {clip(arrow.label, room - 5)} ".center(room, "─")
        if arrow.source < arrow.target:
            line[right - 1] = ">"
        else:
            line[left + 1] = "<"
        return "".join(line) + (f"  {arrow.detail}" if arrow.detail else "")

    def _remark(self, remark: _Remark) -> str:
        line = self._lanes(self._at(remark.at))[: self._columns[US]]
        return f"{line}● {remark.text}"
