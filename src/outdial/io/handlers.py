"""The port of all functions: processes for `python:` and `node:`, connections for `http(s)://`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..model.workers import HttpInvoke, WorkerCommand, WorkerEvent
from .handler_http import HttpFunctions
from .handler_process import HandlerProcesses


class Handlers:
    """`put` takes every worker command; `give` gets every worker event, on the loop's thread."""

    def __init__(
        self,
        give: Callable[[WorkerEvent], None],
        loop: asyncio.AbstractEventLoop,
        *,
        proxy: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        self.processes = HandlerProcesses(give, loop)
        self.http = HttpFunctions(give, loop, proxy=proxy, ca_file=ca_file)

    def put(self, command: WorkerCommand, now: float) -> None:
        """Do what `apps.Invocations` asks. Returns at once."""
        if isinstance(command, HttpInvoke):
            self.http.put(command, now)
        else:
            self.processes.put(command, now)

    async def close(self) -> None:
        """End every worker and drop every connection."""
        await asyncio.gather(self.processes.close(), self.http.close())
