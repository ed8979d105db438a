"""Handler workers as processes: starts them, moves frames and output lines, watches their memory, ends them (reference/processes 2).

A port of the pump: `put` takes `StartWorker`, `GiveEvent`, `KillWorker`; what happens is given back as the worker events of
`model.workers`. It decides nothing but that a process which breaks the protocol is dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..model.ids import WorkerId
from ..model.workers import GiveEvent, KillWorker, StartWorker, WorkerBroken, WorkerEvent, WorkerExited, WorkerMemory
from .interpreters import CannotRun
from .process_memory import resident_mb
from .worker_process import WorkerProcess

WATCH_S = 1.0


class HandlerProcesses:
    """All worker processes of a node. `give` takes their events, on the loop's thread."""

    def __init__(self, give: Callable[[WorkerEvent], None], loop: asyncio.AbstractEventLoop) -> None:
        self._give = give
        self._loop = loop
        self._processes: dict[WorkerId, WorkerProcess] = {}
        self._memory: dict[WorkerId, int] = {}
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    def put(self, command: Any, now: float) -> None:
        """Do what `apps.Invocations` asks. Returns at once."""
        if isinstance(command, GiveEvent):
            process = self._processes.get(command.worker)
            if process is not None:
                process.give_event(command)
        elif isinstance(command, StartWorker):
            self._start(command)
        elif isinstance(command, KillWorker):
            process = self._processes.get(command.worker)
            if process is not None:
                process.kill()
        else:
            raise TypeError(f"{type(command).__name__} is no command for handler processes")

    async def close(self) -> None:
        """End every worker, and wait until they have gone (2 s, then by force)."""
        self._closing = True
        if self._watch is not None:
            self._watch.cancel()
        for process in list(self._processes.values()):
            process.kill()
        while self._processes:
            await asyncio.wait([process.gone for process in self._processes.values()])

    def _start(self, command: StartWorker) -> None:
        if self._closing:
            return
        worker = command.worker
        try:
            process = WorkerProcess(command, self._give, self._exited, self._loop)
        except (CannotRun, OSError) as error:
            kind = "cannot be started" if isinstance(error, CannotRun) else type(error).__name__
            self._give(WorkerBroken(worker=worker, error_type=kind, message=str(error)))
            self._give(WorkerExited(worker=worker, status=127))
            return
        self._processes[worker] = process
        if self._watch is None or self._watch.done():
            self._watch = self._loop.create_task(self._watch_memory())

    def _exited(self, event: WorkerExited) -> None:
        self._processes.pop(event.worker, None)
        self._memory.pop(event.worker, None)
        self._give(event)

    async def _watch_memory(self) -> None:
        while self._processes:
            await asyncio.sleep(WATCH_S)
            groups = {process.pid: worker for worker, process in self._processes.items()}
            for group, mb in (await asyncio.to_thread(resident_mb, frozenset(groups))).items():
                worker = groups[group]
                if worker in self._processes and mb != self._memory.get(worker):
                    self._memory[worker] = mb
                    self._give(WorkerMemory(worker=worker, resident_mb=mb))
