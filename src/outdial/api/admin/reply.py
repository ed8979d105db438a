"""Answers of `/_outdial/v1`: our values as JSON, errors as a sentence and a hint."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response


def answer(value: Any, status: int = 200) -> Response:
    """A value of the model, or plain data, as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def failure(status: int, message: str, hint: str = "") -> Response:
    """One sentence, and how to mend it."""
    return answer({"message": message, **({"hint": hint} if hint else {})}, status)


async def not_here(request: Request, error: Exception) -> Response:
    return failure(404, f"Nothing stands at {request.method} {request.url.path[:200]}", "docs/admin-api.md lists what does")


class BadBody(ValueError):
    """The request's body is not what is wanted."""


async def fields(request: Request, **wanted: Any) -> dict[str, Any]:
    """The body's JSON object with its known fields. Raises `BadBody` with a sentence."""
    raw = await request.body()
    try:
        value = msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadBody("The body is not JSON") from None
    if not isinstance(value, dict):
        raise BadBody("The body must be a JSON object")
    for name, kind in wanted.items():
        if name in value and (not isinstance(value[name], kind) or isinstance(value[name], bool)):
            raise BadBody(f"{name}: expected {'text' if kind is str else 'a number'}")
    return {name: value[name] for name in wanted if name in value}
