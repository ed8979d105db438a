"""Single steps in words."""

from __future__ import annotations

import re

from ..model.events import Event
from ..model.records import InvocationDone, RecordingRow
from .handler_json import action_name, actions, spoken
from .text import clean, clip, lasted, words

SAID = 60
_STATUS = re.compile(rb"SIP/2\.0 (\d{3})(?: ([^\r\n]{0,60}))?")
_METHOD = re.compile(rb"([A-Z]{1,20}) ")


def message(data: bytes) -> str:
    """`INVITE`, `180 Ringing`; `?` for what is neither."""
    status, method = _STATUS.match(data), _METHOD.match(data)
    if status is not None:
        return clean(f"{status[1].decode()} {(status[2] or b'').decode(errors='replace')}")
    return method[1].decode() if method is not None else "?"


def body(data: bytes) -> str:
    """`with SDP`, `with a body`, or nothing."""
    found = data.partition(b"\r\n\r\n")[2]
    return "" if not found else "with SDP" if found.startswith(b"v=0") else "with a body"


def event(what: Event, full: bool) -> str:
    """What an event adds to its name: which action, which digits, why."""
    kind = type(what).__name__
    parts: list[str] = []
    action = getattr(what, "action", None)
    if action is not None:
        parts.append(action.type)
    if kind == "ActionSucceeded":
        parts += [f"{name} {value}" for name, value in what.results.items() if isinstance(value, str | int | float)]  # type: ignore[union-attr]
    elif kind in ("ActionFailed", "InvalidReply"):
        parts.append(f"{what.error_type}: {what.message}")  # type: ignore[union-attr]
    elif kind == "DigitsReceived":
        parts.append(f"digits {what.digits}")  # type: ignore[union-attr]
    elif kind == "HungUp":
        parts.append(f"{what.termination.reason}, by {what.termination.who}")  # type: ignore[union-attr]
    return words(", ".join(parts), full)


def reply(done: InvocationDone, full: bool) -> str:
    """What came back: the actions by name, or what went wrong."""
    if done.outcome == "failed":
        return "handler failed"
    if done.outcome == "timeout":
        return "no answer"
    found = actions(done.reply)
    if done.outcome == "bad_reply" or found is None:
        return "bad reply"
    return words(", ".join(map(action_name, found)), full) or "no actions"


def reply_detail(done: InvocationDone, full: bool) -> str:
    """What is said or played, or the error."""
    if done.error:
        return words(clip(done.error.strip().partition("\n")[0], 2 * SAID), full)
    said = [text for action in actions(done.reply) or [] if (text := spoken(action)) is not None]
    return words(clip("; ".join(said), SAID), full)


def recording(row: RecordingRow, full: bool) -> str:
    """Where a recording is and how it stands."""
    state = f"{lasted(row.samples / 8)}" if row.finished else "not finished"
    if row.delivered:
        where = f"delivered to {row.bucket}/{row.key}"
    elif row.error:
        where = f"not delivered to {row.bucket}/{row.key} after {row.tries} tries ({row.error})"
    else:
        where = f"to be delivered to {row.bucket}/{row.key}"
    return f"{row.path or 'its file is lost'}  {state}, {words(where, full)}"
