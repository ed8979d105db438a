"""rest-json: what a request says by label, query and body, and what a response says (reference/api 4).

`Operation` is one row of the service model, made ready: where it stands, how its input is read, how its output is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from ._shapes import LEGACY_ONLY, OPERATIONS, SHAPES
from .errors import bad_request
from .routes import Query, Route, Router, route
from .shapes import Found, Reader, lower_first, reader, refuse, writer

JSON_TYPES = ("application/json", "application/x-amz-json-1.0", "application/x-amz-json-1.1")
_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_WHOLE = re.compile(r"-?[0-9]{1,10}")
_decode = msgspec.json.Decoder(strict=True).decode


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation of the current namespace."""

    name: str
    route: Route
    status: int
    input: str | None
    output: str | None
    errors: frozenset[str]
    members: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def read(self) -> Reader:
        """Reads the whole input, once its members have been brought together."""
        return reader(self.input) if self.input else lambda value, path, found: {}

    @cached_property
    def label_members(self) -> tuple[str, ...]:
        """Members that stand in the path, in its order."""
        by_label = {spec[2]: name for name, spec in self.members.items() if not isinstance(spec, str) and spec[1] == "uri"}
        return tuple(by_label[label] for label in self.route.labels)

    @cached_property
    def query_members(self) -> dict[str, tuple[str, str]]:
        """By name in the query: (member, type)."""
        return {
            spec[2]: (name, SHAPES[spec[0]]["type"])
            for name, spec in self.members.items()
            if not isinstance(spec, str) and spec[1] == "querystring"
        }  # fmt: skip

    @cached_property
    def has_body(self) -> bool:
        return any(isinstance(spec, str) for spec in self.members.values())

    def parse(self, labels: tuple[str, ...], query: str, body: bytes, content_type: str) -> dict[str, Any]:
        """The input, checked against the model. Raises `ServiceError` for what is wrong with it."""
        value = read_body(body, content_type) if self.has_body else {}
        for name in (*self.label_members, *(member for member, _ in self.query_members.values())):
            value.pop(name, None)
        for name, raw in zip(self.label_members, labels, strict=True):
            value[name] = decode(raw, lower_first(name))
        if self.query_members:
            self._read_query(query, value)
        found: Found = []
        read = self.read(value, "", found)
        refuse(found)
        return read  # type: ignore[no-any-return]

    def _read_query(self, query: str, value: dict[str, Any]) -> None:
        for pair in query.split("&") if query else ():
            raw_name, _, raw = pair.partition("=")
            known = self.query_members.get(decode(raw_name, "The query"))
            if known is None:
                continue
            name, kind = known
            if name in value:
                raise bad_request(f"{raw_name} is given twice in the query")
            text = decode(raw, raw_name)
            value[name] = typed(text, kind, raw_name)

    def serialise(self, output: dict[str, Any]) -> bytes:
        """The response's body; empty for an operation without output."""
        return msgspec.json.encode(writer(self.output)(output)) if self.output else b""


def decode(raw: str, what: str) -> str:
    """Percent-decode once. Raises where an escape is malformed or the result is no UTF-8; `+` stays a plus."""
    if "%" not in raw:
        return raw
    if _ESCAPE.search(raw):
        raise bad_request(f"{what}: a percent sign is not followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise bad_request(f"{what}: its escapes are no UTF-8") from None


def typed(text: str, kind: str, name: str) -> Any:
    """A query value as its shape's type."""
    if kind == "integer":
        if not _WHOLE.fullmatch(text):
            raise bad_request(f"{name}: expected a whole number, got '{text[:100]}'")
        return int(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise bad_request(f"{name}: expected true or false, got '{text[:100]}'")
        return text == "true"
    return text


def read_body(body: bytes, content_type: str) -> dict[str, Any]:
    """The body's JSON object; an empty body is `{}`. A key that stands twice: the last one counts."""
    if not body:
        return {}
    if content_type and content_type.partition(";")[0].strip().lower() not in JSON_TYPES:
        raise bad_request(f"Content-Type '{content_type[:100]}' is not supported: send application/json")
    try:
        value = _decode(body)
    except RecursionError:
        raise bad_request("The body nests too deep") from None
    except UnicodeDecodeError:
        raise bad_request("The body is not valid UTF-8") from None
    except msgspec.DecodeError as error:
        raise bad_request(f"The body is not valid JSON: {error}") from None
    if type(value) is not dict:
        raise bad_request("The body must be a JSON object")
    return value


def _operation(name: str, raw: dict[str, Any]) -> Operation:
    return Operation(
        name=name,
        route=route(name, raw["method"], raw["uri"]),
        status=204 if raw["output"] is None else raw["status"],
        input=raw["input"],
        output=raw["output"],
        errors=frozenset(raw["errors"]),
        members=SHAPES[raw["input"]]["members"] if raw["input"] else {},
    )


MODEL = {name: _operation(name, raw) for name, raw in OPERATIONS.items()}
"""Every operation of the current namespace, by name."""
ROUTER = Router([*(one.route for one in MODEL.values()), *(route(*row) for row in LEGACY_ONLY)])
"""Every operation of both namespaces, by place."""


def find(method: str, raw_path: str, query: Query) -> tuple[str, tuple[str, ...]] | None:
    """The operation's name (of either namespace) and its raw labels, or None."""
    found = ROUTER.find(method, raw_path, query)
    return None if found is None else (found[0].operation, found[1])
