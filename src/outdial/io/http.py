"""The HTTP port: uvicorn's protocol in the node's own loop, on a socket that is bound already.

uvicorn's server is left out: it installs signal handlers, wakes ten times a second, and bounds neither the size of a header nor how slowly
one may arrive. What a request's body may be is the application's business; everything before it is ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

KEEP_ALIVE_S = 90
"""Longer than clients keep an idle connection: one that closes just as a request is sent makes the SDK send a POST again."""
HEAD_MAX = 32 * 1024
"""Bytes of a request line and its headers together (nginx takes four buffers of 8 KiB)."""
HEAD_TIMEOUT_S = 20.0
"""From a request's first byte to the end of its headers."""
CONNECTIONS_MAX = 4096
STOP_S = 5.0
GONE_S = 1.0

Malformed = Callable[[str], tuple[int, list[tuple[bytes, bytes]], bytes]]
"""What to answer to something that is no HTTP request: status, headers, body."""


class _State(ServerState):
    """uvicorn's shared state, with the Date header made when it is read, at most every half second."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._made_at = -1.0
        self._headers: list[tuple[bytes, bytes]] = []
        super().__init__()

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        now = self._loop.time()
        if now - self._made_at > 0.5:
            self._headers = [(b"date", formatdate(usegmt=True).encode())]
            self._made_at = now
        return self._headers

    @default_headers.setter
    def default_headers(self, value: list[tuple[bytes, bytes]]) -> None:
        """uvicorn sets an empty list when it is made; ours is computed."""


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on a request's head: its size, and the time it may take."""

    malformed: Malformed
    _head = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= CONNECTIONS_MAX:
            transport.abort()
            return
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete or not self.cycle.more_body):
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)
        if self._head_timer is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head > HEAD_MAX and not self.transport.is_closing():
            self._refuse(f"The request line and headers are longer than {HEAD_MAX} bytes")

    def on_headers_complete(self) -> None:
        self._head_done()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse("This is not a valid HTTP/1.1 request")

    def _head_done(self) -> None:
        self._head = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, message: str) -> None:
        """Answer outside of any cycle, and close: what follows on the connection cannot be told apart any more."""
        self._head_done()
        status, headers, body = type(self).malformed(message)
        lines = [b"HTTP/1.1 %d Bad Request" % status]
        lines += [name + b": " + value for name, value in (*self.server_state.default_headers, *headers)]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()


class HttpServer:
    """Serves one ASGI application on one bound socket."""

    def __init__(self, app: Any, bound: socket.socket, malformed: Malformed) -> None:
        self._socket = bound
        self._config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, access_log=False, timeout_keep_alive=KEEP_ALIVE_S, proxy_headers=False
        )
        self._protocol = type("Protocol", (_Protocol,), {"malformed": staticmethod(malformed)})
        self._state: _State | None = None
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return 0 if self._state is None else len(self._state.connections)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Requests in progress."""
        return set() if self._state is None else self._state.tasks

    async def start(self) -> None:
        """Return once requests are taken."""
        loop = asyncio.get_running_loop()
        state = self._state = _State(loop)
        self._config.load()
        self._server = await loop.create_server(
            lambda: self._protocol(config=self._config, server_state=state, app_state={}, _loop=loop), sock=self._socket, backlog=2048
        )

    async def stop(self) -> None:
        """Take no new requests, let those in progress end within 5 s, close."""
        if self._server is None or self._state is None:
            self._socket.close()
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=STOP_S)
        for connection in list(self._state.connections):
            connection.transport.abort()  # an application that waits sees its client gone, and ends by itself
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=GONE_S)
        for task in list(self.tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._server = None
