"""Requests in and responses out, as ASGI gives and takes them: sizes, times, and an answer that arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .errors import ServiceError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LINE_MAX = 8 * 1024
BODY_MAX = 64 * 1024
BODY_TIMEOUT_S = 20.0
DRAIN_MAX = 32 * 1024 * 1024
DRAIN_TIMEOUT_S = 5.0


class Gone(Exception):
    """The client left before its request was whole."""


def read_headers(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; repeated ones joined with a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def check_size(path: str, query: str, headers: dict[str, str]) -> None:
    """Raise for a request line or an announced body that is too long."""
    if len(path) + len(query) > LINE_MAX:
        raise ServiceError("BadRequestException", f"The request line is longer than {LINE_MAX} bytes", close=True)
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > BODY_MAX:
        raise too_large()


def too_large() -> ServiceError:
    return ServiceError("RequestEntityTooLargeException", f"The body is larger than {BODY_MAX} bytes", close=True)


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises where it is too large or too slow, `Gone` where the client left."""
    body: bytes = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                body += message.get("body", b"")
                if len(body) > BODY_MAX:
                    raise too_large()
                if not message.get("more_body", False):
                    return body
    except TimeoutError:
        raise ServiceError("RequestTimeoutException", f"The body did not arrive within {BODY_TIMEOUT_S:g} seconds", close=True) from None


async def respond(
    send: Send,
    receive: Receive,
    status: int,
    body: bytes,
    extra: list[tuple[bytes, bytes]],
    *,
    content_type: bytes = b"application/json",
    drain: bool = False,
) -> None:
    """One response. With `drain` what the client is still sending is read and dropped before the connection closes: closed at once, it
    would be reset, and the answer lost."""
    headers = extra if status == 204 else [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if drain:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await _drop(receive)
        body = b""
    await send({"type": "http.response.body", "body": body})


async def _drop(receive: Receive) -> None:
    dropped = 0
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            while dropped < DRAIN_MAX:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                dropped += len(message.get("body", b""))
    except TimeoutError:
        return
