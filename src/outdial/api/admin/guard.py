"""Who may use `/_outdial/v1`.

On a loopback listener every program of this machine may: the development credentials would let it in anyway. On any other listener every
request must be signed with a key, as for the AWS API.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from .. import local
from ..asgi import Gone, check_size, read_body, read_headers, respond
from ..errors import ServiceError
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
                local.check(headers)
            else:
                payload_hash = hashlib.sha256(body).hexdigest()
                query = scope["query_string"].decode("latin-1")
                self._verify(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, payload_hash)
        except Gone:
            return
        except ServiceError as error:
            hint = "" if self._loopback else "Sign the request with a key of this node"
            refusal = failure(error.status, error.message, hint)
            await respond(send, receive, error.status, bytes(refusal.body), error.headers(), drain=error.close)
            return
        await self._app(scope, _replay(body, receive), send)


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
