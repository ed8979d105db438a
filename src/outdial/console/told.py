"""A call told as it happens, a line a step: for `outdial call` and `outdial demo`, fed by `observe.follow`."""

from __future__ import annotations

from ..model.ids import LegId
from ..model.records import (
    CallEnded,
    CallRow,
    Cdr,
    EventRow,
    InvocationDone,
    InvocationRow,
    LegEnded,
    LegRow,
    NoteRow,
    OutputRow,
    Record,
    RecordingRow,
    SipMessageRow,
)
from . import phrases
from .handler_json import action_name, actions, event_name, spoken
from .sentences import outcome, sentence
from .text import lasted, number, since, words


class Teller:
    """Tells one call. `messages` tells SIP messages too; `full` shows numbers whole."""

    def __init__(self, *, full: bool = False, messages: bool = False) -> None:
        self._full = full
        self._messages = messages
        self._start: int | None = None
        self._events: dict[int, EventRow] = {}
        self._tags: dict[LegId, str] = {}
        self._cdr: Cdr | None = None

    def tell(self, record: Record) -> list[str]:
        """The lines that a record adds; none for most that only serve a restart."""
        full = self._full
        if isinstance(record, CallRow):
            return self._line(record.started_at, ">", f"calling {number(record.to, full)} from {number(record.from_, full)}")
        if isinstance(record, LegRow):
            self._tags[record.participant.leg] = record.participant.tag
        elif isinstance(record, EventRow):
            self._events[record.number] = record
            return self._happened(record)
        elif isinstance(record, InvocationRow):
            return self._line(record.given_at, ">", f"handler is told {event_name(record.request) or 'an event'}")
        elif isinstance(record, InvocationDone):
            return self._answered(record)
        elif isinstance(record, OutputRow):
            return self._line(record.at, "<", f"handler prints: {words(record.text, full)}")
        elif isinstance(record, NoteRow):
            return self._line(record.at, "x" if record.level in ("warning", "error") else "-", words(record.what, full))
        elif isinstance(record, RecordingRow):
            return self._recording(record)
        elif isinstance(record, SipMessageRow) and self._messages:
            return self._line(record.at, ">" if record.way == "sent" else "<", f"SIP {phrases.message(record.message)}")
        elif isinstance(record, LegEnded):
            return self._line(record.ended_at, "-", words(sentence(record.termination), full))
        elif isinstance(record, Cdr):
            self._cdr = record
        elif isinstance(record, CallEnded):
            return self._line(record.ended_at, "-", f"call over: {outcome(record.termination, self._cdr)}")
        return []

    def _line(self, at: int, glyph: str, text: str) -> list[str]:
        if self._start is None:
            self._start = at
        return [f"{since(at, self._start).rjust(9)} {glyph} {text}"]

    def _happened(self, row: EventRow) -> list[str]:
        kind = type(row.event).__name__
        if kind in ("Ringing", "Answered"):
            return self._line(row.at, "<", "it rings" if kind == "Ringing" else "answered")
        if kind in ("ActionFailed", "InvalidReply"):
            return self._line(row.at, "x", phrases.event(row.event, self._full))
        if kind in ("ActionSucceeded", "DigitsReceived", "ActionInterrupted"):
            done = {"ActionSucceeded": "done", "DigitsReceived": "heard", "ActionInterrupted": "interrupted"}[kind]
            return self._line(row.at, "-", f"{done}: {phrases.event(row.event, self._full)}")
        return []

    def _answered(self, done: InvocationDone) -> list[str]:
        if done.outcome != "replied":
            return self._line(
                done.done_at, "x", f"handler: {phrases.reply(done, self._full)} {phrases.reply_detail(done, self._full)}".rstrip()
            )
        lines = []
        for action in actions(done.reply) or []:
            said = spoken(action)
            text = words(action_name(action) + (f" {said}" if said else ""), self._full)
            lines += self._line(done.done_at, "<", f"handler wants {text}")
        return lines

    def _recording(self, row: RecordingRow) -> list[str]:
        if row.delivered:
            return self._line_of_recording(f"recorded {lasted(row.samples / 8)}: {row.path}")
        if not row.path:
            return self._line_of_recording(f"recording lost: {words(row.error, self._full)}")
        if row.error:
            return self._line_of_recording(f"recording kept for later ({words(row.error, self._full)}): {row.path}")
        return []

    def _line_of_recording(self, text: str) -> list[str]:
        return [f"{'':9} - {text}"]
