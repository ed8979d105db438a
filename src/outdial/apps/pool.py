"""The workers of one function: which of them gets an event, when another one is started, and what its deaths mean.

One warm worker is kept. A call's event goes to the worker that had its last one where that is free, else to the one that was used last (so
that surplus ones grow idle and end). Where events wait and the workers do not move on, more are started, a few at a time: starting one
costs far more than a quick answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import Backoff, Ignore
from ..model.ids import WorkerId
from ..model.workers import FunctionSpec, KillWorker, StartWorker
from .exit_status import exit_text
from .invocation import Invocation, InvocationInput, first_line
from .waiting import Waiting
from .worker import WORKER, Worker, WorkerInput, WorkerState

if TYPE_CHECKING:
    from .invocations import Invocations

START_MORE_AFTER_S = 0.02
"""An event that has waited this long for workers that are busy with the same event as before is a reason to start another."""
PATIENCE_S = 0.25
"""One that has waited this long is a reason even though the workers move on."""
START_AT_ONCE = 4
"""Workers of one function that load at the same time."""
DEATH_DELAYS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 10.0)
DEATH_WINDOW_S = 60.0
MEND_AFTER_S = 30.0
"""A function that could not be loaded is tried again by itself, since the cause may lie outside its files."""

_LIVE = frozenset({WorkerState.STARTING, WorkerState.IDLE, WorkerState.BUSY})
_LOADED = frozenset({WorkerState.IDLE, WorkerState.BUSY})


class Pool:
    """The workers of one `python:` or `node:` function."""

    def __init__(self, core: Invocations, spec: FunctionSpec, environment: dict[str, str]) -> None:
        self._core = core
        self.spec = spec
        self._environment = environment
        self.workers: dict[WorkerId, Worker] = {}
        self._idle: dict[WorkerId, Worker] = {}
        self._waiting = Waiting()
        self._backoff = Backoff(DEATH_DELAYS_S, DEATH_WINDOW_S)
        self._start_at = 0.0
        self._last_death = ""
        self._deadly: Invocation | None = None
        """The event that a worker died of last: its next attempt says nothing about other calls' events."""
        self._broken = ""

    # What the core asks

    def open(self, now: float) -> None:
        """Start the one warm worker; until it says otherwise the function is taken to be served."""
        self._core.functions.state(self.spec.name, "served", loading=True)
        self.replenish(now)

    def seek(self, invocation: Invocation, preferred: WorkerId | None, now: float) -> None:
        """Find a worker for an event, now or as soon as one is free."""
        if self._broken:
            self._core.feed(invocation, InvocationInput.REFUSED, self._broken, now)
            return
        idle = self._idle
        if idle:
            worker = idle.get(preferred) if preferred is not None else None
            self._place(invocation, worker or next(reversed(idle.values())), now)
            return
        if now < self._start_at and not self._live():
            self._core.feed(invocation, InvocationInput.REFUSED, self._dying(now), now)
            return
        self._waiting.add(invocation, now)
        self.replenish(now)
        self._arm_scale(now)

    def leave(self, invocation: Invocation) -> None:
        """An event that waited has ended."""
        self._waiting.leave(invocation)

    def reload(self, now: float, spec: FunctionSpec | None = None, environment: dict[str, str] | None = None) -> None:
        """The files changed, or the configuration: start anew, and let busy workers finish."""
        self.spec = spec or self.spec
        self._environment = environment if environment is not None else self._environment
        self._retire(now)
        self._broken = ""
        self._backoff.worked()
        self._start_at = 0.0
        self._core.timers.cancel(("start", self.spec.name))
        self.open(now)

    def close(self, now: float) -> None:
        """It is no longer what serves the function: busy workers finish, and events that wait look for what is."""
        for timer in ("start", "scale"):
            self._core.timers.cancel((timer, self.spec.name))
        self._retire(now)
        for invocation in self._waiting.all_leave():
            self._core.seek(invocation, now)

    def feed(self, worker: Worker, what: WorkerInput, why: str, now: float) -> None:
        """Follow the worker's table."""
        row = WORKER[worker.state][what]
        if isinstance(row, tuple):
            worker.state, steps = row[0], row[1]  # type: ignore[assignment]
            if worker.state is not WorkerState.IDLE:
                self._idle.pop(worker.id, None)
            for step in steps:
                step(self, worker, why, now)
        elif not isinstance(row, Ignore):
            raise RuntimeError(f"worker {worker.id}: {what.name} cannot come in {worker.state.name}")

    # Timers

    def start_due(self, now: float) -> None:
        """A back-off is over, or a broken function is tried again."""
        if self._broken and not self._live():
            self._start(now)
        else:
            self.replenish(now)

    def scale(self, now: float) -> None:
        """Events have waited: start more workers, a few at a time."""
        self._arm_scale(now)
        if not self._waiting or now < self._start_at or self._moves_on(now):
            return
        starting = sum(worker.state is WorkerState.STARTING for worker in self.workers.values())
        running = sum(worker.state in _LIVE or worker.state is WorkerState.RETIRING for worker in self.workers.values())
        wanted = min(len(self._waiting) - starting, START_AT_ONCE - starting, self.spec.max_workers - running)
        for _ in range(wanted):
            self._start(now)

    def expire(self, worker: Worker, now: float) -> None:
        """A worker has been idle for long."""
        if worker.state is WorkerState.IDLE and self._live() > 1:
            self.feed(worker, WorkerInput.EXPIRED, "idle", now)

    # Steps of the table

    def loaded(self, worker: Worker, now: float) -> None:
        self._core.timers.cancel(("load", worker.id))
        if self._broken:
            self._broken = ""
        self._core.functions.state(self.spec.name, "served")

    def offer(self, worker: Worker, now: float) -> None:
        worker.invocation = None
        if self._waiting:
            self._idle[worker.id] = worker
            self._place(self._waiting.next(), worker, now)
            return
        self._idle[worker.id] = worker
        if self._live() > 1:
            self._core.timers.set(("idle", worker.id), now + self._core.settings.idle_worker_s, "idle worker")

    def kill(self, worker: Worker) -> None:
        self._core.timers.cancel(("load", worker.id))
        self._core.emit(KillWorker(worker=worker.id))

    def forget(self, worker: Worker, now: float) -> None:
        for timer in ("load", "idle", "overrun"):
            self._core.timers.cancel((timer, worker.id))
        del self.workers[worker.id]
        self._core.forget_worker(worker)

    def not_loaded(self, worker: Worker, why: str, now: float) -> None:
        """The function is broken; where others of its workers have loaded it, this one merely died."""
        if any(other.state in _LOADED for other in self.workers.values()):
            self.died(worker, why, now)
            return
        self._broken = why
        self._core.functions.state(self.spec.name, "broken", why)
        self._core.timers.set(("start", self.spec.name), now + MEND_AFTER_S, "broken function")
        self._refuse_waiting(why, now)

    def died(self, worker: Worker, why: str, now: float) -> None:
        self._last_death = why
        event = worker.invocation
        if event is None or event is not self._deadly:
            self._start_at = self._backoff.died(now)
        self._deadly = event
        if self._start_at > now:
            self._core.timers.set(("start", self.spec.name), self._start_at, "back-off")
            if not self._live():
                self._refuse_waiting(self._dying(now), now)
        self.replenish(now)

    def fault(self, worker: Worker, why: str, now: float) -> None:
        invocation, worker.invocation = worker.invocation, None
        if invocation is not None:
            self._core.fault(invocation, worker.attempt, why, now)

    def replenish(self, now: float) -> None:
        """Keep one worker warm."""
        if not self._broken and now >= self._start_at and not self._live():
            self._start(now)

    def worked(self) -> None:
        """A worker has answered."""
        if self._backoff.deaths:
            self._backoff.worked()
            self._deadly = None

    def exited(self, worker: Worker, status: int, detail: str, now: float) -> None:
        why = exit_text(worker.state is WorkerState.STARTING, status, detail)
        self.feed(worker, WorkerInput.EXITED, why, now)

    # Inside

    def _live(self) -> int:
        return sum(worker.state in _LIVE for worker in self.workers.values())

    def _moves_on(self, now: float) -> bool:
        recent = any(worker.state is WorkerState.BUSY and now - worker.since < START_MORE_AFTER_S for worker in self.workers.values())
        return recent and self._waiting.longest(now) < PATIENCE_S

    def _place(self, invocation: Invocation, worker: Worker, now: float) -> None:
        self.feed(worker, WorkerInput.TAKEN, "", now)
        worker.since = now
        invocation.taker = worker
        self._core.feed(invocation, InvocationInput.PLACED, "", now)

    def _start(self, now: float) -> None:
        number = self._core.ids.number()
        worker = Worker(WorkerId(f"{self.spec.name}-{number}"), self, self._core.log_stream(now))
        self.workers[worker.id] = worker
        self._core.know_worker(worker)
        self._core.timers.set(("load", worker.id), now + self._core.settings.load_timeout_s, "handler loads")
        environment = {**self._environment, "AWS_LAMBDA_LOG_STREAM_NAME": worker.log_stream}
        self._core.emit(StartWorker(worker=worker.id, spec=self.spec, environment=environment))

    def _retire(self, now: float) -> None:
        for worker in list(self.workers.values()):
            self.feed(worker, WorkerInput.RETIRED, "", now)

    def _refuse_waiting(self, why: str, now: float) -> None:
        for invocation in self._waiting.all_leave():
            self._core.feed(invocation, InvocationInput.REFUSED, why, now)

    def _arm_scale(self, now: float) -> None:
        key = ("scale", self.spec.name)
        if self._waiting and key not in self._core.timers:
            self._core.timers.set(key, now + START_MORE_AFTER_S, "events wait for a worker")

    def _dying(self, now: float) -> str:
        return f"{first_line(self._last_death)}; its workers keep dying, the next one starts in {self._start_at - now:.0f} s"
