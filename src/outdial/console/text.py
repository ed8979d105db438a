"""Small helpers for monospaced text: clean, clipped, masked."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, tzinfo
from typing import Final

from ..model.numbers import mask_all, masked

SHORT_ID: Final = 8
"""Letters of a call's id that lists show; commands take as many."""


def clean(text: str) -> str:
    """One line, with nothing in it that steers a terminal."""
    return printable(" ".join(text.split()))


def printable(line: str) -> str:
    """The same letters, but for those that a terminal obeys."""
    return line if line.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in line)


def clip(text: str, width: int) -> str:
    """At most `width` letters; what is left out shows as `…`."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "…" if width > 0 else ""


def number(text: str, full: bool) -> str:
    """A telephone number, masked unless asked."""
    return text if full else masked(text)


def words(text: str, full: bool) -> str:
    """Somebody's text on one line, its numbers masked unless asked."""
    line = clean(text)
    return line if full else mask_all(line)


def moment(at_ms: int, zone: tzinfo | None = UTC) -> str:
    """`2026-09-21 14:13:20`, in `zone` (None: the machine's own)."""
    return datetime.fromtimestamp(at_ms // 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


def zone_name(zone: tzinfo | None) -> str:
    """` UTC`, or nothing for the machine's own."""
    return " UTC" if zone is UTC else ""


def fold(line: str, width: int) -> list[str]:
    """A line in pieces of at most `width`, those after the first set in."""
    if len(line) <= width:
        return [line]
    return textwrap.wrap(line, width, initial_indent=" " * (len(line) - len(line.lstrip())), subsequent_indent=" " * 14) or [""]


def since(at_ms: int, start_ms: int) -> str:
    """`+2.003`: seconds since the call's start."""
    return f"{(at_ms - start_ms) / 1000:+.3f}"


def lasted(ms: float) -> str:
    """`8.5 s`, `27 ms`, `2 min 5 s`."""
    if ms < 1000:
        return f"{round(ms)} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, rest = divmod(round(ms / 1000), 60)
    return f"{minutes} min {rest} s"
