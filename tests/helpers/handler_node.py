"""A small live node around `apps.Invocations`: real workers, a store that commits at once, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from outdial.apps.invocations import Invocations
from outdial.core import Pump
from outdial.io import clock
from outdial.io.handler_process import HandlerProcesses
from outdial.io.ids import LiveIds
from outdial.io.live_pump import LivePump
from outdial.model.events import Answered, Event
from outdial.model.ids import ApplicationId, CallId, FunctionName, LegId
from outdial.model.invocations import BadReply, FunctionState, InvocationFailed, InvocationResult, Invoke, Replied
from outdial.model.participants import Participant
from outdial.model.records import InvocationDone, OutputRow, Record
from outdial.model.settings import InvocationSettings
from outdial.model.work import Note, Save, Saved
from outdial.model.workers import FunctionSpec, GiveEvent, HttpInvoke, KillWorker, StartWorker, WorkerExited

T = TypeVar("T")
_numbers = itertools.count(1)


def call_id(number: int) -> CallId:
    return CallId(f"00000000-0000-4000-8000-{number:012d}")


def leg_id(number: int) -> LegId:
    return LegId(f"00000000-0000-4000-9000-{number:012d}")


def participant(number: int = 1, **changes: Any) -> Participant:
    facts: dict[str, Any] = {
        "leg": leg_id(number),
        "tag": "LEG-A",
        "to": "+12065550150",
        "from_": "+12065550100",
        "direction": "Outbound",
        "started_at": 1668005563818,
        "status": "Connected",
    }
    return Participant(**{**facts, **changes})


def invoke(function: str, *, event: Event | None = None, call: int | None = None, sequence: int = 1, **changes: Any) -> Invoke:
    number = next(_numbers) if call is None else call
    facts: dict[str, Any] = {
        "call": call_id(number),
        "leg": leg_id(number),
        "sequence": sequence,
        "number": sequence,
        "function": FunctionName(function),
        "application": ApplicationId("d82f98e7-7557-4b6b-a690-3dcfcbf8ab2e"),
        "account": "000000000000",
        "region": "us-east-1",
        "lambda_arn": f"arn:aws:lambda:us-east-1:000000000000:function:{function}",
        "event": event or Answered(),
        "participants": (participant(number),),
    }
    return Invoke(**{**facts, **changes})


class HandlerNode:
    """Use as an asynchronous context manager."""

    def __init__(self, *functions: FunctionSpec, **settings: Any) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.settings = InvocationSettings(environment=environment, **settings)
        self._functions = functions
        self._waiting: dict[tuple[CallId, int], asyncio.Future[InvocationResult]] = {}
        self.records: list[Record] = []
        self.notes: list[Note] = []
        self.started: list[StartWorker] = []
        self.killed: list[KillWorker] = []
        self.given: list[GiveEvent] = []
        self.states: dict[str, FunctionState] = {}
        self._changed = asyncio.Event()
        self._exit_watchers: list[Callable[[WorkerExited], None]] = []

    async def __aenter__(self) -> HandlerNode:
        loop = asyncio.get_running_loop()
        self.core = Invocations(LiveIds(), clock.Wall(), self.settings, self._functions)
        self.workers = HandlerProcesses(lambda event: self._live.give("invocations", event, "workers"), loop)
        ports = {"workers": self.workers.put, "store": self._store, "calls": self._calls, **self.more_ports(loop)}
        http = "http" if "http" in ports else "workers"
        routes: dict[tuple[str, type], str] = {
            ("invocations", StartWorker): "workers",
            ("invocations", GiveEvent): "workers",
            ("invocations", KillWorker): "workers",
            ("invocations", HttpInvoke): http,
            ("invocations", Save): "store",
        }
        routes |= {("invocations", kind): "calls" for kind in (Replied, BadReply, InvocationFailed, FunctionState, Note)}
        self._live = LivePump(Pump({"invocations": self.core}, ports, routes, [self._observe]), loop)
        self._live.pump.fire(clock.now())
        self._live.give("store", Save(token=0, unit=()))  # type: ignore[arg-type]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._live.close()
        await self.workers.close()

    def more_ports(self, loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
        return {}

    def watch_exits(self, watcher: Callable[[WorkerExited], None]) -> None:
        self._exit_watchers.append(watcher)

    def give(self, item: Any) -> None:
        self._live.give("invocations", item, "test")

    def begin(self, invoke: Invoke) -> asyncio.Future[InvocationResult]:
        future = self._waiting[invoke.call, invoke.sequence] = asyncio.get_running_loop().create_future()
        self._live.give("invocations", invoke, "calls")
        return future

    async def ask(self, invoke: Invoke) -> InvocationResult:
        return await asyncio.wait_for(self.begin(invoke), 30)

    async def loaded(self, *functions: str) -> None:
        """Wait until these functions have been loaded."""
        await self.until(lambda: all(name in self.states and not self.states[name].loading for name in functions))

    async def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something is so, looking whenever anything passed the pump."""

        async def look() -> None:
            while not true():
                self._changed.clear()
                await self._changed.wait()

        await asyncio.wait_for(look(), seconds)

    def done(self, invoke: Invoke) -> InvocationDone:
        (found,) = [r for r in self.records if isinstance(r, InvocationDone) and (r.call, r.sequence) == (invoke.call, invoke.sequence)]
        return found

    def output(self, invoke: Invoke | None = None) -> list[str]:
        rows = [r for r in self.records if isinstance(r, OutputRow)]
        return [r.text for r in rows if invoke is None or (r.call, r.sequence) == (invoke.call, invoke.sequence)]

    def noted(self, text: str) -> list[Note]:
        return [note for note in self.notes if text in note.what]

    def _store(self, item: Save, now: float) -> None:
        self.records.extend(item.unit)
        if item.token:
            self._live.give("invocations", Saved(token=item.token), "store")

    def _calls(self, item: Any, now: float) -> None:
        if isinstance(item, Note):
            self.notes.append(item)
        elif isinstance(item, FunctionState):
            self.states[item.function] = item
        else:
            future = self._waiting.pop((item.call, item.sequence))
            if not future.done():
                future.set_result(item)

    def _observe(self, source: str, destination: str, item: Any, now: float) -> None:
        if isinstance(item, StartWorker):
            self.started.append(item)
        elif isinstance(item, KillWorker):
            self.killed.append(item)
        elif isinstance(item, GiveEvent):
            self.given.append(item)
        elif isinstance(item, WorkerExited):
            for watcher in self._exit_watchers:
                watcher(item)
        self._changed.set()


def python(folder: Path, code: str, name: str = "app", **more: Any) -> FunctionSpec:
    """A Python function in a file of its own."""
    file = folder / f"{name}.py"
    file.write_text(code)
    return FunctionSpec(name=FunctionName(name), kind="python", target=str(file), handler="handler", **more)


def javascript(folder: Path, code: str, name: str = "app", suffix: str = "mjs", **more: Any) -> FunctionSpec:
    """A JavaScript function in a file of its own. Skips the test where there is no Node.js."""
    need_node()
    file = folder / f"{name}.{suffix}"
    file.write_text(code)
    return FunctionSpec(name=FunctionName(name), kind="node", target=str(file), handler="handler", **more)


def need_node() -> None:
    """Skip the test where there is no Node.js."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed (apt-get install nodejs)")


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run a test's coroutine on a loop of its own."""

    async def whole() -> T:
        return await main()

    return asyncio.run(whole())
