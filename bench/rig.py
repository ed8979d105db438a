"""A whole node as `outdial up` starts it, a callee in front of it, and calls placed at a steady rate by hand-signed requests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from outdial.store import read
from outdial.store.folder import Layout

from .client import Connection, provision
from .measure import cpu_of_each, name_of, spent

SOURCE = Path(__file__).parent.parent / "src"
START = "from outdial.cli import main; main()"
PROFILED = """
import cProfile, signal, sys, time
path, profile, on = sys.argv.pop(1), cProfile.Profile(time.thread_time), []
def toggle(*_):
    on.append(1)
    profile.enable() if len(on) % 2 else (profile.disable(), profile.dump_stats(path))
signal.signal(signal.SIGUSR1, toggle)
from outdial.cli import main; main()
"""
"""With BENCH_PROFILE=PATH in the environment: SIGUSR1 begins a profile of the loop's thread by its CPU time, the next one writes it."""
TO = "+12065550150"
CONNECTIONS = 40


class Node:
    """A node in a folder of its own; `with` starts it, provisions an application, and ends it."""

    def __init__(self, folder: Path, *, handler: str, trunk: str | None, settings: Mapping[str, str] | None = None) -> None:
        """`handler`: source of a module with `handler(event, context)`. `trunk`: a SIP URI; without one the built-in carrier."""
        self.folder = folder
        self.data = folder / "data"
        app = folder / "app.py"
        app.write_text(handler)
        settings = {"rtp": "20000-29998", **(settings or {})}
        self._command = [
            *("up", "--data", str(self.data), "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--carrier", "127.0.0.1:0"),
            *("--function", f"app=python:{app}:handler", *(("--trunk", trunk) if trunk is not None else ())),
            *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
        ]
        self.addresses: dict[str, Any] = {}
        self.application = self.number = ""

    def __enter__(self) -> Node:
        profile = os.environ.get("BENCH_PROFILE")
        start = [sys.executable, "-c", START] if not profile else [sys.executable, "-c", PROFILED, profile]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OUTDIAL_"))}
        with (self.folder / "node.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*start, *self._command],
                cwd=self.folder,
                env={**kept, "PYTHONPATH": str(SOURCE), "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 60
        while not self._ready():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"the node did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def where(self) -> tuple[str, int]:
        """Host and port of the API."""
        host, _, port = str(self.addresses["http"]).removeprefix("http://").rpartition(":")
        return host, int(port)

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "node.log").read_text(errors="replace")

    async def provision(self) -> None:
        """An application and a number to call from."""
        connection = Connection(*self.where)
        self.application, self.number = await provision(connection, "app")
        connection.close()

    def cdrs(self) -> Counter[str]:
        """How the calls on record ended, by reason."""
        with read.reading(Layout(self.data).database)() as connection:
            return Counter(row[0] for row in connection.exec_driver_sql("select json_extract(termination, '$.reason') from cdrs"))

    def _ready(self) -> bool:
        facts = Layout(self.data).running() if self.data.exists() else None
        if facts is None or facts.get("pid") != self.process.pid:
            return False
        self.addresses = facts
        try:
            with urllib.request.urlopen(f"{facts['http']}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass
class Placed:
    """What came of a run of calls."""

    calls: int
    wall: float = 0.0
    """Seconds from the first request to the last answer."""
    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    """Seconds from request to answer, each."""
    asked_at: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds at which a request was written, by the call's mark (its `X-Bench` header)."""
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """CPU seconds by what spent them, until the calls had ended."""
    reasons: Counter[str] = field(default_factory=Counter)
    """How the calls ended."""

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the whole tree for each call that was carried out."""
        return 1000 * sum(self.cpu.values()) / max(1, self.reasons.total())


class Caller:
    """Places calls through one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put_nowait(Connection(*node.where))
        self._marks = 0

    async def run(self, calls: int, rate: float, *, within: float = 30.0) -> Placed:
        """So many calls at a steady rate; waits until all that were accepted have their CDR, `within` seconds at most."""
        placed = Placed(calls)
        known = self._node.cdrs()
        before = cpu_of_each(self._node.process.pid)
        begun, tasks = time.perf_counter(), []
        for number in range(calls):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(self._one(placed)))
        await asyncio.gather(*tasks)
        placed.wall = time.perf_counter() - begun
        accepted, end = placed.statuses[201], time.monotonic() + within
        while (ended := self._node.cdrs() - known).total() < accepted and time.monotonic() < end:
            await asyncio.sleep(0.25)
        placed.reasons = ended
        for process, seconds in spent(before, cpu_of_each(self._node.process.pid)).items():
            placed.cpu[name_of(process)] += seconds
        return placed

    async def _one(self, placed: Placed) -> None:
        self._marks += 1
        mark = str(self._marks)
        connection = await self._free.get()
        body = {"FromPhoneNumber": self._node.number, "ToPhoneNumber": TO, "SipHeaders": {"X-Bench": mark}}
        placed.asked_at[mark] = time.time()
        begun = time.perf_counter()
        status, _ = await connection.ask("POST", f"/sip-media-applications/{self._node.application}/calls", body)
        placed.took.append(time.perf_counter() - begun)
        placed.statuses[status] += 1
        self._free.put_nowait(connection)
