"""The node's child processes: starts and ends them as `children` says, and tells it how they fare."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

from ..children.values import Child, ChildExited, ChildReady, EndChild, StartChild
from ..io.launcher import Child as Process
from ..io.launcher import launch_module
from ..io.media_client import MediaClient
from ..model.media import EngineGone, MediaEvent, Ready


class Engine:
    """The media engine as a child: its events go on to call control."""

    def __init__(self, make: Callable[[Callable[[Sequence[MediaEvent]], None]], MediaClient], give: Callable[[str, Any], None]) -> None:
        self.client = make(self._on_events)
        self._give = give
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self.client.pid

    def start(self) -> None:
        """Start its process."""
        try:
            self.client.start()
        except OSError as error:
            self._give("children", ChildExited(child="engine", status=127, detail=str(error)))

    def end(self) -> None:
        """End it; `ChildExited` follows."""
        self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        await self.client.close()
        self._give("children", ChildExited(child="engine", status=0))

    def _on_events(self, batch: Sequence[MediaEvent]) -> None:
        for event in batch:
            self._give("calls", event)
            if isinstance(event, Ready):
                self._give("children", ChildReady(child="engine"))
            elif isinstance(event, EngineGone):
                self._give("children", ChildExited(child="engine", status=1, detail=event.detail))


class Carrier:
    """The built-in carrier as a child: a process of its own, which is handed the SIP socket that the node bound."""

    def __init__(self, sip: socket.socket, arguments: Sequence[str], give: Callable[[str, Any], None]) -> None:
        self._sip = sip
        self._arguments = arguments
        self._give = give
        self._process: Process | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start its process; it is ready when it says so on its socket."""
        sip = self._sip.fileno()
        try:
            process = launch_module("outdial.cli.carrier", "--socket-fd", str(sip), *self._arguments, pass_fds=[sip])
        except OSError as error:
            self._give("children", ChildExited(child="carrier", status=127, detail=str(error)))
            return
        self._process = process
        loop = asyncio.get_running_loop()
        assert process.socket is not None
        loop.add_reader(process.socket, self._read)
        loop.add_reader(process.pidfd, self._exited)

    def end(self) -> None:
        """End it; `ChildExited` follows."""
        if self._process is not None:
            self._ending = asyncio.get_running_loop().create_task(self._end(self._process))

    async def _end(self, process: Process) -> None:
        self._forget()
        status = await process.end()
        self._give("children", ChildExited(child="carrier", status=status))

    def _read(self) -> None:
        process = self._process
        if process is None or process.socket is None:
            return
        try:
            data = process.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._give("children", ChildReady(child="carrier"))
        else:
            asyncio.get_running_loop().remove_reader(process.socket)

    def _exited(self) -> None:
        process = self._process
        if process is not None:
            self._forget()
            self._give("children", ChildExited(child="carrier", status=process.reap() or 0))

    def _forget(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            loop = asyncio.get_running_loop()
            if process.socket is not None:
                loop.remove_reader(process.socket)
            loop.remove_reader(process.pidfd)


class Processes:
    """The pump's port `processes`."""

    def __init__(self, children: dict[Child, Engine | Carrier]) -> None:
        self._children = children

    def put(self, command: StartChild | EndChild, now: float) -> None:
        """Start or end a child."""
        child = self._children[command.child]
        if isinstance(command, StartChild):
            child.start()
        else:
            child.end()

    def pids(self) -> dict[str, int]:
        """The process of each child that runs."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}
