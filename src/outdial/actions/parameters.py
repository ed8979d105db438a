"""Reads an action's parameters as applications write them: numbers and booleans as text, empty text as absent (reference 6.2).

Unknown keys are never looked at. Whatever cannot be read raises `Refused`, which `begin` turns into `FailedAs`.
"""

from __future__ import annotations

import re
from typing import Any, Final

_NUMBER: Final = re.compile(r"\s*([+-]?[0-9]{1,12})(?:\.0*)?\s*", re.ASCII)
_MOST: Final = 10**12
"""Far beyond every limit, and small enough for whoever counts in 64 bits."""
DIGITS: Final = frozenset("0123456789#*")

INVALID: Final = "InvalidActionParameter"
MISSING: Final = "MissingRequiredActionParameter"
BAD_AUDIO: Final = "InvalidAudioSource"
SYSTEM: Final = "SystemException"
SYSTEM_ERROR: Final = "System error while running action."


class Refused(Exception):
    """The action fails before it does anything."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


def present(raw: dict[str, Any], name: str) -> Any | None:
    """The value as it came, or None where it is absent, null or empty text."""
    value = raw.get(name)
    return None if isinstance(value, str) and not value.strip() else value


def text(raw: dict[str, Any], name: str, message: str) -> str | None:
    """A text, or None. Raises `Refused` (InvalidActionParameter, `message`) where it is something else."""
    value = present(raw, name)
    if value is None or isinstance(value, str):
        return value
    raise Refused(INVALID, message)


def number(raw: dict[str, Any], name: str, message: str, *, least: int | None = None, most: int | None = None) -> int | None:
    """A whole number written as number or text, or None. Raises `Refused` where it is none or outside `least` to `most`."""
    value = present(raw, name)
    if value is None:
        return None
    whole = _whole(value)
    if whole is None or (least is not None and whole < least) or (most is not None and whole > most):
        raise Refused(INVALID, message)
    return whole


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        return int(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_MOST < value < _MOST or value != int(value):
        return None
    return int(value)


def boolean(raw: dict[str, Any], name: str, message: str) -> bool | None:
    """True or false as JSON has it, or as text in any case, or None. Raises `Refused` where it is something else."""
    value = present(raw, name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in {"true", "false"}:
        return word == "true"
    raise Refused(INVALID, message)


def word(raw: dict[str, Any], name: str, message: str, allowed: frozenset[str]) -> str | None:
    """One of `allowed` (lower case) in any case, or None. Raises `Refused` where it is another."""
    value = text(raw, name, message)
    if value is None:
        return None
    if (lower := value.strip().lower()) in allowed:
        return lower
    raise Refused(INVALID, message)


def digit_set(raw: dict[str, Any], name: str, message: str) -> str | None:
    """A list of one-character texts (or their text run together) as a string without repeats, or None where it is absent.
    Raises `Refused` where an entry is not one of `0-9 # *`. An empty list is an empty string."""
    value = present(raw, name)
    if value is None:
        return None
    if not isinstance(value, (list, str)):
        raise Refused(INVALID, message)
    found: dict[str, None] = {}
    for entry in value:
        if entry == "":
            continue
        if isinstance(entry, int) and not isinstance(entry, bool):
            entry = str(entry)
        if not isinstance(entry, str) or entry not in DIGITS:
            raise Refused(INVALID, message)
        found[entry] = None
    return "".join(found)


def table(raw: dict[str, Any], name: str) -> dict[str, Any] | None:
    """An object, or None where it is absent or something else."""
    value = raw.get(name)
    return value if isinstance(value, dict) else None
