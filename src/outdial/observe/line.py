"""One line of the log: time, level, area, glyph, what, then facts (STYLE 11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal

Glyph = Literal["<", ">", "-", "x"]
"""Received, sent, a state, failed."""
Fact = str | int | float | None
WHAT_WIDTH: Final = 26
LONGEST: Final = 400


class Level(IntEnum):
    """As in `logging`, by our own names."""

    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40


def seconds(value: float) -> str:
    """`1.9s`, `0.012s`: as many places as tell something."""
    return f"{value:.3f}s" if value < 0.1 else f"{value:.1f}s"


def fact(name: str, value: Fact) -> str:
    """`name=value`, quoted where it has blanks."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    if text == "" or " " in text or "=" in text or '"' in text:
        text = '"' + text.replace('"', "'") + '"'
    return f"{name}={text}"


@lru_cache(maxsize=4)
def _clock(second: int, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(second, zone).strftime("%H:%M:%S")


def render(at_ms: int, level: Level, area: str, glyph: Glyph, what: str, facts: Mapping[str, Fact], zone: tzinfo | None = None) -> str:
    """The line, without its end. Facts that are None are left out; whoever gives `what` and the facts has masked them."""
    shown = " ".join([fact(name, value) for name, value in facts.items() if value is not None])
    text = what if len(what) <= LONGEST else what[: LONGEST - 1] + "…"
    clock = f"{_clock(at_ms // 1000, zone)}.{at_ms % 1000:03d}"
    line = f"{clock} {level.name:<5} {area:<6} {glyph} {text:<{WHAT_WIDTH}} {shown}".rstrip()
    if not line.isprintable():  # what peers and handlers write must not steer a terminal
        line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line
