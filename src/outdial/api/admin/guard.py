"""Who may use `/_outdial/v1`.

On a loopback listener everybody who reaches it may: the development credentials would let them in anyway. What must be kept out there is
a web page that the user's browser runs: it cannot choose the Host header, and it gives itself away by its Origin. On any other listener
every request must be signed with a key, as for the AWS API.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import ServiceError
from ..service import Gone, check_size, read_body, read_headers
from .reply import failure

Verify = Callable[[str, str, str, dict[str, str], str], object]
"""(method, path, query, headers, payload hash); raises `ServiceError`."""


class Guard:
    """Lets through who may pass."""

    def __init__(self, app: ASGIApp, loopback: bool, verify: Verify) -> None:
        self._app = app
        self._loopback = loopback
        self._verify = verify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/_outdial/"):
            await self._app(scope, receive, send)
            return
        headers = read_headers(scope)
        try:
            check_size(scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"), headers)
            body = await read_body(receive)
            if self._loopback:
                _check_local(headers)
            else:
                payload_hash = hashlib.sha256(body).hexdigest()
                query = scope["query_string"].decode("latin-1")
                self._verify(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, payload_hash)
        except Gone:
            return
        except ServiceError as error:
            refusal = failure(error.status, error.message, "" if self._loopback else "Sign the request with a key of this node")
            if error.close:
                refusal.headers["connection"] = "close"
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


def _check_local(headers: dict[str, str]) -> None:
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _is_loopback(f"//{host}"):
        raise ServiceError(
            "ForbiddenException", f"This listener is for this machine only, and '{host[:60]}' is not one of its loopback names."
        )
    if origin is not None and not _is_loopback(origin):
        raise ServiceError("ForbiddenException", "A page of another origin may not use this.")


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, once more; then whatever comes."""
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
