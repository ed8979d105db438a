"""The pump: moves values between cores and ports, first in first out, with one table that says where each goes.

Theory of operation. A *core* is fed one input and drained; a *port* is a function of the world (`put(item, now)`) that must not
block and must not feed the pump synchronously from inside `put` other than by `give`. `routes` maps (name of the source, type of the
value) to the name of a core or port. Everything queues; nothing recurses; nothing here awaits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from .core import Core, Deadline

Port = Callable[[Any, float], None]
Routes = Mapping[tuple[str, type], str]
Observer = Callable[[str, str, Any, float], None]
"""(source, destination, value, now): each value that passes, before it is delivered. An observer that has a method `wants(type) -> bool` is
shown the types that it wants only."""
OnFault = Callable[[str, Any, Exception], None]
"""(core or port, input, error): something of ours, or an observer, raised, which is a bug; the pump goes on with the next input."""


class Unrouted(LookupError):
    """A core produced a value for which the routes have no row: a bug in the wiring."""


class Pump:
    """Runs cores until all are empty; `now` is always given from outside."""

    def __init__(
        self,
        cores: Mapping[str, Core],
        ports: Mapping[str, Port],
        routes: Routes,
        observers: Iterable[Observer] = (),
        on_fault: OnFault | None = None,
    ) -> None:
        """Without `on_fault` what a core or port raises is raised by `run`: right for tests, where a bug should end everything."""
        self._cores = dict(cores)
        self._ports = dict(ports)
        self._routes = dict(routes)
        self._observers = tuple(observers)
        self._seen_by: dict[type, tuple[Observer, ...]] = {}
        self._on_fault = on_fault
        self._queue: deque[tuple[str, str, Any]] = deque()
        self._deadlines: dict[str, Deadline | None] = {name: core.next_deadline() for name, core in self._cores.items()}
        self._soonest: Deadline | None = None
        self._stale = True
        """Whether what is soonest has to be looked for anew."""
        self._running = False
        for (source, kind), destination in self._routes.items():
            if destination not in self._cores and destination not in self._ports:
                raise Unrouted(f"{source} {kind.__name__} goes to {destination}, which is neither a core nor a port")

    def give(self, destination: str, item: Any, source: str = "world") -> None:
        """Queue one input for a core (or a port); `run` delivers it."""
        self._queue.append((source, destination, item))

    def run(self, now: float) -> None:
        """Deliver until nothing is queued and no core has an output. Calls from inside a port only queue."""
        if self._running:
            return
        self._running = True
        try:
            queue = self._queue
            while queue:
                source, destination, item = queue.popleft()
                observers = self._seen_by.get(type(item))
                for observer in self._learn(type(item)) if observers is None else observers:
                    try:
                        observer(source, destination, item, now)
                    except Exception as error:  # whoever only looks on keeps nothing from being delivered
                        self._fault(destination, item, error)
                core = self._cores.get(destination)
                try:
                    if core is None:
                        self._ports[destination](item, now)
                    else:
                        core.receive(item, now)
                except Exception as error:
                    self._fault(destination, item, error)
                if core is not None:
                    self._drain(destination, core)
        finally:
            self._running = False

    def fire(self, now: float) -> None:
        """Call `handle_timer` of each core that is due, then `run`."""
        if self._queue:
            self.run(now)
        for _ in range(100):  # a timer may arm another one for this very moment
            soonest = self.next_deadline()
            if soonest is None or soonest.at > now:
                return
            due = [name for name, deadline in self._deadlines.items() if deadline is not None and deadline.at <= now]
            for name in due:
                core = self._cores[name]
                try:
                    core.handle_timer(now)
                except Exception as error:
                    self._fault(name, self._deadlines[name], error)
                self._drain(name, core)
            if self._queue:
                self.run(now)

    def replace(self, name: str, core: Core) -> None:
        """Put another core in a core's place: one that died and was started again. What is queued for the old one the new one is given."""
        self._cores[name] = core
        self._deadlines[name] = core.next_deadline()
        self._stale = True

    def take(self, name: str) -> None:
        """Take what a core has put out that was driven past the pump."""
        self._drain(name, self._cores[name])

    def next_deadline(self, without: Container[str] = ()) -> Deadline | None:
        """The earliest deadline of any core but these, or None."""
        if without:
            others = (deadline for name, deadline in self._deadlines.items() if deadline is not None and name not in without)
            return min(others, default=None)
        if self._stale:
            self._stale = False
            soonest: Deadline | None = None
            for deadline in self._deadlines.values():
                if deadline is not None and (soonest is None or deadline.at < soonest.at):
                    soonest = deadline
            self._soonest = soonest
        return self._soonest

    @property
    def idle(self) -> bool:
        """Nothing is queued."""
        return not self._queue

    def _learn(self, kind: type) -> tuple[Observer, ...]:
        found = tuple(seer for seer in self._observers if getattr(seer, "wants", lambda _: True)(kind))
        self._seen_by[kind] = found
        return found

    def _fault(self, where: str, item: Any, error: Exception) -> None:
        if self._on_fault is None:
            raise error
        self._on_fault(where, item, error)

    def _drain(self, name: str, core: Core) -> None:
        while (output := core.next_output()) is not None:
            destination = self._routes.get((name, type(output)))
            if destination is None:
                raise Unrouted(f"{name} put out {type(output).__name__}, and no route says where it goes")
            self._queue.append((name, destination, output))
        before, after = self._deadlines[name], core.next_deadline()
        if after is before:
            return
        self._deadlines[name] = after
        if before is self._soonest:
            self._stale = True
        elif after is not None and (self._soonest is None or after.at < self._soonest.at):
            self._soonest = after
