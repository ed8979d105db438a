"""The list of calls: a line each, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from ..model.resources import CallSummary
from .sentences import sentence
from .text import SHORT_ID, clip, lasted, moment, number, words

HEAD = ("CALL", "STARTED", "FROM", "TO", "HANDLER", "STATE", "LASTED", "WHY")


def call_list(calls: Sequence[CallSummary], *, width: int = 120, full: bool = False, zone: tzinfo | None = UTC) -> str:
    """A table of at most `width` columns; `full` shows numbers whole. Empty where there is no call."""
    if not calls:
        return ""
    rows = [HEAD, *(_row(summary, full, zone) for summary in calls)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD) - 1)]
    widths[4] = min(widths[4], 24)
    return "\n".join(_line(row, widths, width) for row in rows) + "\n"


def _row(summary: CallSummary, full: bool, zone: tzinfo | None) -> tuple[str, ...]:
    call, cdr = summary.call, summary.cdr
    head = (call.call[:SHORT_ID], moment(call.started_at, zone), number(call.from_, full), number(call.to, full), call.function)
    if cdr is None:
        return (*head, "in progress" if summary.state == "in_progress" else "ended", "", "")
    why = "" if cdr.termination.result == "success" else words(sentence(cdr.termination), full)
    return (*head, cdr.termination.reason, lasted(cdr.ended_at - cdr.started_at), why)


def _line(row: tuple[str, ...], widths: list[int], width: int) -> str:
    cells = [clip(cell, size).ljust(size) for cell, size in zip(row[:-1], widths, strict=True)]
    return clip("  ".join([*cells, row[-1]]).rstrip(), width)
