"""The HTTP port: uvicorn in the node's own loop, on a socket that is bound already."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

KEEP_ALIVE_S = 90
"""Longer than clients keep an idle connection: one that closes just as a request is sent makes the SDK send a POST again."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the node has its own."""

    def capture_signals(self) -> Any:
        import contextlib

        return contextlib.nullcontext()


class HttpServer:
    """Serves one ASGI application on one bound socket."""

    def __init__(self, app: Any, bound: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=5,
            backlog=2048,
            proxy_headers=False,
        )
        self._socket = bound
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once requests are taken."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the HTTP server ended before it had started")
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        """Take no new requests, finish those in progress (5 s at most), close."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
