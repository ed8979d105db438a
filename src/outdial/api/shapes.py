"""Readers of input and writers of output, built from the generated tables: one closure a shape (reference/api 2.6, 4.2, 4.3).

A reader takes JSON-ready data, refuses what has the wrong type, notes what breaks a limit, and returns what is known and not null. A
writer takes what an operation returns, in the model's spelling with epoch milliseconds for timestamps, and makes JSON-ready data of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ._shapes import SHAPES
from .errors import bad_request

Found = list[str]
"""Limits that were broken, each as a sentence."""
Reader = Callable[[Any, str, Found], Any]
Writer = Callable[[Any], Any]

TYPE_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}
TOLD = 10
NOT_BLANK = r".*\S.*"
PATTERNS = {r"^[-_a-zA-Z0-9]*${2,64}$": r"^[-_a-zA-Z0-9]{2,64}$"}
"""Patterns of the model that are no regular expression, and what they are meant to be."""


def wrong_type(path: str, wanted: str, value: Any) -> Exception:
    return bad_request(f"{path or 'The body'}: expected {wanted}, got {TYPE_NAMES.get(type(value), 'something else')}")


def broken(path: str, constraint: str, value: Any, sensitive: bool) -> str:
    """One broken limit, in the words of AWS's validator. What the model marks sensitive is not repeated."""
    shown = "Value" if sensitive or not isinstance(value, str | int) else f"Value '{str(value)[:100]}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def refuse(found: Found) -> None:
    """Raise what was found, if anything; the first ten are told in full."""
    if found:
        more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
        raise bad_request(f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(found[:TOLD])}{more}")


def lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def _size(raw: dict[str, Any], what: str) -> Callable[[int, str, Any, Found], None]:
    low, high, sensitive = raw.get("min"), raw.get("max"), raw.get("sensitive", False)

    def check(size: int, path: str, value: Any, found: Found) -> None:
        if low is not None and size < low:
            found.append(broken(path, f"Member must have {what} greater than or equal to {low}", value, sensitive))
        elif high is not None and size > high:
            found.append(broken(path, f"Member must have {what} less than or equal to {high}", value, sensitive))

    return check


def _string(raw: dict[str, Any]) -> Reader:
    sensitive = raw.get("sensitive", False)
    size = _size(raw, "length") if "min" in raw or "max" in raw else None
    enum = frozenset(raw.get("enum", ()))
    pattern = raw.get("pattern")
    # Whole-string matching, ASCII classes: otherwise `$` takes a final line break and `\d` any script's digits (reference/api 2.6).
    compiled = None if pattern in (None, NOT_BLANK) else re.compile(PATTERNS.get(pattern, pattern), re.ASCII)
    not_blank = pattern == NOT_BLANK

    def read(value: Any, path: str, found: Found) -> str:
        if type(value) is not str:
            raise wrong_type(path, "a string", value)
        if size is not None:
            size(len(value), path, value, found)
        if enum and value not in enum:
            found.append(broken(path, f"Member must satisfy enum value set: [{', '.join(raw['enum'])}]", value, sensitive))
        if (compiled is not None and compiled.fullmatch(value) is None) or (not_blank and not value.strip()):
            found.append(broken(path, f"Member must satisfy regular expression pattern: {pattern}", value, sensitive))
        return value

    return read


def _number(raw: dict[str, Any]) -> Reader:
    kinds = (int,) if raw["type"] == "integer" else (int, float)
    wanted = "a whole number" if raw["type"] == "integer" else "a number"
    size = _size(raw, "value")

    def read(value: Any, path: str, found: Found) -> int | float:
        if type(value) not in kinds or not -(2**31) <= value < 2**31:
            raise wrong_type(path, wanted, value) if type(value) not in kinds else bad_request(f"{path}: {value} is outside of 32 bits")
        size(value, path, value, found)
        return value  # type: ignore[no-any-return]

    return read


def _boolean(value: Any, path: str, found: Found) -> bool:
    if type(value) is not bool:
        raise wrong_type(path, "a boolean", value)
    return value


def _list(raw: dict[str, Any]) -> Reader:
    size = _size(raw, "length")
    member = reader(raw["member"])

    def read(value: Any, path: str, found: Found) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(path, "a list", value)
        size(len(value), path, value, found)
        if len(value) > raw.get("max", len(value)):
            return value
        return [member(item, f"{path}.{n}.member", found) for n, item in enumerate(value, 1)]

    return read


def _map(raw: dict[str, Any]) -> Reader:
    size = _size(raw, "length")
    key, member = reader(raw["key"]), reader(raw["value"])

    def read(value: Any, path: str, found: Found) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(path, "an object", value)
        size(len(value), path, value, found)
        if len(value) > raw.get("max", len(value)):
            return value
        return {key(name, f"{path}.key", found): member(item, f"{path}.{name[:64]}", found) for name, item in value.items()}

    return read


def _structure(raw: dict[str, Any]) -> Reader:
    members = {name: (reader(spec if isinstance(spec, str) else spec[0]), lower_first(name)) for name, spec in raw["members"].items()}
    required = raw.get("required", ())

    def read(value: Any, path: str, found: Found) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(path, "an object", value)
        prefix = f"{path}." if path else ""
        for name in required:
            if value.get(name) is None:
                found.append(f"Value null at '{prefix}{lower_first(name)}' failed to satisfy constraint: Member must not be null")
        return {
            name: member(value[name], prefix + spelled, found)
            for name, (member, spelled) in members.items()
            if value.get(name) is not None
        }  # fmt: skip

    return read


@cache
def reader(name: str) -> Reader:
    """The reader of a shape."""
    raw = SHAPES[name]
    match raw["type"]:
        case "string":
            return _string(raw)
        case "integer" | "float" | "long" | "double":
            return _number(raw)
        case "boolean":
            return _boolean
        case "list":
            return _list(raw)
        case "map":
            return _map(raw)
        case "structure":
            return _structure(raw)
    raise LookupError(f"{name}: no input of the model is a {raw['type']}")


def iso(at: int) -> str:
    """Epoch milliseconds as `2021-03-04T05:06:07.123Z`."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def _same(value: Any) -> Any:
    return value


@cache
def writer(name: str) -> Writer:
    """The writer of a shape. It raises `KeyError` for a member that the model does not know: a bug of the operation."""
    raw = SHAPES[name]
    kind = raw["type"]
    if kind == "timestamp":
        return iso
    if kind == "list":
        member = writer(raw["member"])
        return lambda value: [member(item) for item in value]
    if kind == "structure":
        members = {key: writer(spec if isinstance(spec, str) else spec[0]) for key, spec in raw["members"].items()}
        return lambda value: {key: members[key](item) for key, item in value.items() if item is not None}
    return _same
