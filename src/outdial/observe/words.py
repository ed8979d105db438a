"""A line of the log to be, and what most of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .legs import Legs
from .line import Fact, Glyph, Level
from .masking import mask, short

DEBUG, INFO, WARN, ERROR = Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR


_NO_FACTS: Mapping[str, Any] = {}


class Said(NamedTuple):
    """A line to be."""

    level: Level
    area: str
    glyph: Glyph
    what: str
    facts: Mapping[str, Any] = _NO_FACTS
    limited: bool = False
    """Somebody outside decides how often this comes: at most a few lines of it are written at a time."""


Say = Callable[[Any, Legs], Said | None]
Words = dict[str, tuple[Level, Say]]
"""By the type's name: the highest level that a line of it can have, and the line."""


def on_leg(legs: Legs, leg: str) -> dict[str, Fact]:
    call, tag = legs.call(leg), legs.tag(leg)
    return {"call": short(call) if call else None, "leg": tag.removeprefix("LEG-") or short(leg)}


def of_call(value: Any) -> dict[str, Fact]:
    return {"call": short(value.call)}


def spaced(name: str) -> str:
    """`ActionSucceeded` as `action succeeded`."""
    return "".join(f" {letter.lower()}" if letter.isupper() and i else letter.lower() for i, letter in enumerate(name))


def why(detail: str) -> str | None:
    """Somebody's explanation, masked; None where there is none."""
    return mask(detail) if detail else None
