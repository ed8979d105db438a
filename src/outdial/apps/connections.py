"""The connections of one HTTP function: so many events at once, the others wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.ids import WorkerId
from ..model.workers import FunctionSpec
from .invocation import Invocation, InvocationInput
from .waiting import Waiting

if TYPE_CHECKING:
    from .invocations import Invocations


class Connections:
    """An `http(s)://` function: nothing is started, nothing is kept but a count."""

    def __init__(self, core: Invocations, spec: FunctionSpec) -> None:
        self._core = core
        self.spec = spec
        self._out = 0
        self._waiting = Waiting()

    def open(self, now: float) -> None:
        """It is taken to be there: what it is like shows with the first event."""
        self._core.functions.state(self.spec.name, "served")

    def seek(self, invocation: Invocation, preferred: WorkerId | None, now: float) -> None:
        """Give an event as soon as fewer than `max_workers` are out."""
        if self._out < self.spec.max_workers:
            self._place(invocation, now)
        else:
            self._waiting.add(invocation, now)

    def free(self, now: float) -> None:
        """An answer has come, or is no longer waited for."""
        self._out -= 1
        while self._waiting and self._out < self.spec.max_workers:
            self._place(self._waiting.next(), now)

    def leave(self, invocation: Invocation) -> None:
        """An event that waited has ended."""
        self._waiting.leave(invocation)

    def reload(self, now: float, spec: FunctionSpec | None = None, environment: dict[str, str] | None = None) -> None:
        """Its configuration changed: from the next event on."""
        self.spec = spec or self.spec
        self._core.functions.state(self.spec.name, "served", again=True)

    def close(self, now: float) -> None:
        """It is no longer what serves the function: events that wait look for what is."""
        for invocation in self._waiting.all_leave():
            self._core.seek(invocation, now)

    def _place(self, invocation: Invocation, now: float) -> None:
        self._out += 1
        invocation.taker = None
        self._core.feed(invocation, InvocationInput.PLACED, "", now)
