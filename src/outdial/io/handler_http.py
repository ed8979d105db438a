"""HTTP functions: Lambda Invoke of a runtime emulator, SAM, LocalStack (reference/processes 2.3)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from ..model.workers import FunctionSpec, HttpInvoke, HttpReply

MAX_REPLY_BYTES = 6 * 1024 * 1024
LATE_S = 0.5
"""The core gives up first; this is for a connection that nobody would wait for any more."""


def invocation_address(spec: FunctionSpec) -> str:
    """The address as given, or Lambda's Invoke where it has no path."""
    parts = urlsplit(spec.target)
    if parts.path not in ("", "/"):
        return spec.target
    return f"{parts.scheme}://{parts.netloc}/2015-03-31/functions/{quote(spec.name.partition(':')[0])}/invocations"


class HttpFunctions:
    """A port of the pump: `put` takes `HttpInvoke`; each gets exactly one `HttpReply`."""

    def __init__(
        self,
        give: Callable[[HttpReply], None],
        loop: asyncio.AbstractEventLoop,
        *,
        proxy: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        self._give = give
        self._loop = loop
        self._proxy = proxy
        self._ca_file = ca_file
        self._client: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, command: HttpInvoke, now: float) -> None:
        """Send an event; returns at once."""
        task = self._loop.create_task(self._invoke(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop what is out, and the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _invoke(self, command: HttpInvoke) -> None:
        import httpx  # heavy, and most nodes have no such function

        try:
            async with asyncio.timeout(command.timeout_s + LATE_S):
                reply = await self._post(command)
        except TimeoutError:
            reply = HttpReply(id=command.id, error=f"no answer within {command.timeout_s:.1f} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reply = HttpReply(id=command.id, error=f"{command.spec.target}: {error or type(error).__name__}")
        self._give(reply)

    async def _post(self, command: HttpInvoke) -> HttpReply:
        request = self._open().build_request(
            "POST",
            invocation_address(command.spec),
            content=command.text.encode(),
            headers={"content-type": "application/json", "x-amz-invocation-type": "RequestResponse"},
        )
        response = await self._open().send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_REPLY_BYTES:
                    return HttpReply(id=command.id, status=response.status_code, too_long=True)
        finally:
            await response.aclose()
        return HttpReply(
            id=command.id,
            status=response.status_code,
            text=body.decode("utf-8", "replace"),
            function_error=bool(response.headers.get("x-amz-function-error")),
        )

    def _open(self) -> Any:
        if self._client is None:
            import httpx

            verify = ssl.create_default_context(cafile=self._ca_file)
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60)
            self._client = httpx.AsyncClient(
                verify=verify, proxy=self._proxy, trust_env=False, follow_redirects=False, timeout=None, limits=limits
            )
        return self._client
