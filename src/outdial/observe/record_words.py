"""What the log says of each record: what happens to a call."""

from __future__ import annotations

from typing import Any

from .legs import Legs
from .line import Fact, seconds
from .masking import mask, masked, short
from .words import DEBUG, ERROR, INFO, WARN, Said, Words, of_call, on_leg, spaced, why

KEY_SHOWN = 8
"""Letters of an access key's id; its secret is never here."""


def _placed(row: Any, legs: Legs) -> Said:
    facts = {**of_call(row), "from": masked(row.from_), "to": masked(row.to), "function": row.function, "key": row.key[:KEY_SHOWN]}
    return Said(level=INFO, area="calls", glyph=">", what="call placed", facts=facts)


def _event(row: Any, legs: Legs) -> Said:
    event, kind = row.event, type(row.event).__name__
    started = row.participants[0].started_at if row.participants else row.at
    facts: dict[str, Fact] = {**of_call(row), "leg": legs.tag(row.leg).removeprefix("LEG-") or None}
    after: dict[str, Fact] = {"after": seconds(max(0, row.at - started) / 1000)}
    if kind == "Ringing":
        return Said(level=INFO, area="calls", glyph="-", what="ringing", facts=facts | after)
    if kind == "Answered":
        return Said(level=INFO, area="calls", glyph="-", what="connected", facts=facts | after)
    if kind == "ActionFailed":
        facts |= {"action": event.action.type, "error": event.error_type, "message": mask(event.message)}
        return Said(level=WARN, area="calls", glyph="x", what=f"{event.action.type} failed", facts=facts)
    if kind == "InvalidReply":
        facts |= {"error": event.error_type, "message": mask(event.message)}
        return Said(level=DEBUG, area="apps", glyph="x", what="reply refused", facts=facts)
    if kind == "DigitsReceived":
        facts |= {"count": len(event.digits)}
    action = getattr(event, "action", None)
    facts |= {"n": row.number, "action": None if action is None else action.type}
    return Said(level=DEBUG, area="calls", glyph="-", what=spaced(kind), facts=facts | after)


def _given(row: Any, legs: Legs) -> Said:
    facts = {**of_call(row), "seq": row.sequence, "function": row.function, "bytes": len(row.request)}
    return Said(level=DEBUG, area="apps", glyph=">", what="event given", facts=facts)


def _done(row: Any, legs: Legs) -> Said:
    facts: dict[str, Fact] = {**of_call(row), "seq": row.sequence, "attempts": row.attempts if row.attempts > 1 else None}
    if row.outcome == "replied":
        return Said(level=DEBUG, area="apps", glyph="<", what="reply", facts={**facts, "bytes": len(row.reply)})
    what = {"bad_reply": "bad reply", "failed": "handler failed", "timeout": "no answer from handler"}[row.outcome]
    level = DEBUG if row.outcome == "bad_reply" else WARN  # its note says the same, and more
    return Said(level=level, area="apps", glyph="x", what=what, facts={**facts, "error": why(row.error.strip().partition("\n")[0])})


def _output(row: Any, legs: Legs) -> Said:
    return Said(level=INFO, area="apps", glyph="<", what=mask(row.text) or "(an empty line)", facts={**of_call(row), "seq": row.sequence})


def _note(row: Any, legs: Legs) -> Said:
    level = {"debug": DEBUG, "info": INFO, "warning": WARN, "error": ERROR}.get(row.level, INFO)
    return Said(level=level, area="calls", glyph="x" if level >= WARN else "-", what=mask(row.what), facts=of_call(row))


def _recording(row: Any, legs: Legs) -> Said:
    facts: dict[str, Fact] = {**of_call(row), "recording": short(row.recording), "bucket": row.bucket}
    if row.error:
        return Said(
            level=WARN,
            area="calls",
            glyph="x",
            what="recording not delivered",
            facts={**facts, "tries": row.tries, "error": mask(row.error)},
        )
    what = "recording delivered" if row.delivered else "recording finished" if row.finished else "recording"
    return Said(
        level=DEBUG, area="calls", glyph="-", what=what, facts={**facts, "length": seconds(row.samples / 8000) if row.finished else None}
    )


def _leg_ended(row: Any, legs: Legs) -> Said:
    end = row.termination
    facts = {**on_leg(legs, row.leg), "by": end.who, "status": end.sip_status or None, "why": why(end.detail)}
    return Said(level=INFO, area="calls", glyph="-" if end.result == "success" else "x", what=f"ended, {end.reason}", facts=facts)


def _cdr(row: Any, legs: Legs) -> Said:
    facts: dict[str, Fact] = {
        **of_call(row),
        "reason": row.termination.reason,
        "lasted": seconds((row.ended_at - row.started_at) / 1000),
        "billable": f"{row.billable_seconds}s",
        "invocations": row.invocations,
        "lost": row.lost or None,
    }
    lost = row.termination.reason in ("media_lost", "node_restart")
    return Said(level=ERROR if lost else INFO, area="calls", glyph="x" if lost else "-", what="call over", facts=facts)


RECORDS: Words = {
    "CallRow": (INFO, _placed),
    "EventRow": (WARN, _event),
    "InvocationRow": (DEBUG, _given),
    "InvocationDone": (WARN, _done),
    "OutputRow": (INFO, _output),
    "NoteRow": (ERROR, _note),
    "RecordingRow": (WARN, _recording),
    "LegEnded": (INFO, _leg_ended),
    "Cdr": (ERROR, _cdr),
}
