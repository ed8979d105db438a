"""One call told: how it ended in a plain sentence, then its events with the handler's replies and output beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo

from ..model.numbers import mask_all
from ..model.records import Cdr, EventRow, InvocationDone, InvocationRow, LegEnded, NoteRow, OutputRow
from ..model.resources import CallHistory
from . import phrases
from .handler_json import EVENT_NAMES, event_name
from .sentences import outcome, sentence
from .steps import steps, tags
from .text import fold, lasted, moment, number, printable, since, words, zone_name

EVENT_WIDTH = 22


def call_story(history: CallHistory, *, width: int = 120, full: bool = False, zone: tzinfo | None = UTC) -> str:
    """The whole story, at most `width` columns; `full` shows numbers whole."""
    return "\n".join(piece for line in _lines(history, full, zone) for piece in fold(line.rstrip(), width)) + "\n"


def _lines(history: CallHistory, full: bool, zone: tzinfo | None) -> Iterator[str]:
    call = history.call
    yield f"Call {call.call}"
    started = moment(call.started_at, zone) + zone_name(zone)
    yield f"{number(call.from_, full)} -> {number(call.to, full)}, {started}, handler {call.function}"
    yield ""
    if history.ended is None:
        yield "In progress."
    else:
        end = history.ended.termination
        yield outcome(end, history.cdr).capitalize() + "."
        yield words(sentence(end), full)
    yield ""
    yield from _events(history, full)
    if history.recordings:
        yield ""
        yield "Recordings"
        yield from (f"  {phrases.recording(row, full)}" for row in history.recordings)
    if history.cdr is not None:
        yield ""
        yield "CDR"
        yield from _cdr(history.cdr)


def _events(history: CallHistory, full: bool) -> Iterator[str]:
    start = history.call.started_at
    given = {row.number: row for row in history.invocations}
    begun = {row.sequence: row for row in history.invocations}
    legs = tags(history)
    for step in steps(history):
        what, at = step.what, since(step.at, start).rjust(10)
        if isinstance(what, EventRow):
            name = _name(what, given.get(what.number))
            yield f"{at}  {name:<{EVENT_WIDTH}} {phrases.event(what.event, full)}"
        elif isinstance(what, InvocationDone):
            took = lasted(what.done_at - begun[what.sequence].given_at) if what.sequence in begun else "?"
            attempts = f", {what.attempts} attempts" if what.attempts > 1 else ""
            detail = "" if what.error else phrases.reply_detail(what, full)
            yield f"{at}    seq {what.sequence} ({took}{attempts}): {phrases.reply(what, full)}" + (f"  {detail}" if detail else "")
            yield from (f"{'':14}{_frame(line, full)}" for line in what.error.splitlines())
        elif isinstance(what, OutputRow):
            yield f"{at}    seq {what.sequence} {what.stream}| {words(what.text, full)}"
        elif isinstance(what, NoteRow):
            yield f"{at}  note ({what.level}): {words(what.what, full)}"
        elif isinstance(what, LegEnded):
            yield f"{at}  {legs.get(what.leg, 'a leg')} ended: {words(sentence(what.termination), full)}"


def _name(event: EventRow, given: InvocationRow | None) -> str:
    if given is None:
        return EVENT_NAMES[type(event.event)] + " (not given)"
    return event_name(given.request) or EVENT_NAMES[type(event.event)]


def _frame(line: str, full: bool) -> str:
    line = printable(line.expandtabs(4))
    return line if full else mask_all(line)


def _cdr(cdr: Cdr) -> Iterator[str]:
    answered = "not answered" if cdr.answered_at is None else f"answered after {lasted(cdr.answered_at - cdr.started_at)}"
    yield f"  lasted {lasted(cdr.ended_at - cdr.started_at)}, {answered}, billable {cdr.billable_seconds} s, {cdr.invocations} invocations"
    yield f"  packets sent {cdr.packets_sent}, received {cdr.packets_received}, lost {cdr.lost}, jitter {cdr.jitter_ms:.1f} ms"
