"""Which of the node's child processes runs, which is ready, and when one that died is started again (DESIGN 3.1).

In: `Want`, `Unwant`, `ChildReady`, `ChildExited`, timers. Out: `StartChild`, `EndChild`. Handler workers are no children in this sense:
`apps` decides about them.
"""

from __future__ import annotations

from collections import deque
from typing import Any, get_args

from ..core import Deadline, Timers
from .child import CHILD, Child, ChildInput, ChildPhase
from .values import Child as Name
from .values import ChildCommand, ChildEvent, ChildExited, ChildReady, ChildState, EndChild, StartChild, State, Unwant, Want

READY_WITHIN_S = 15.0

_INPUTS: dict[type[ChildEvent], ChildInput] = {
    Want: ChildInput.WANTED,
    Unwant: ChildInput.UNWANTED,
    ChildReady: ChildInput.READY,
    ChildExited: ChildInput.EXITED,
}
_STATES: dict[ChildPhase, State] = {
    ChildPhase.ABSENT: "absent",
    ChildPhase.STARTING: "starting",
    ChildPhase.READY: "ready",
    ChildPhase.RESTING: "resting",
    ChildPhase.STUCK: "ending",
    ChildPhase.ENDING: "ending",
    ChildPhase.RETURNING: "ending",
}


class Children:
    """The core that keeps the engine, the speech helper and the carrier running."""

    def __init__(self, ready_within_s: float = READY_WITHIN_S) -> None:
        self._children = {name: Child(name) for name in get_args(Name)}
        self._timers: Timers[Child] = Timers()
        self._out: deque[ChildCommand] = deque()
        self._ready_within = ready_within_s

    def receive(self, item: ChildEvent, now: float) -> None:
        """Take a wish, or what happened to a process."""
        child = self._children[item.child]
        if isinstance(item, ChildExited):
            child.detail = item.detail or (f"status {item.status}" if item.status >= 0 else f"signal {-item.status}")
        self._feed(child, _INPUTS[type(item)], now)

    def handle_timer(self, now: float) -> None:
        """Start what has rested, end what is stuck."""
        for child in self._timers.due(now):
            self._feed(child, ChildInput.RESTED if child.phase is ChildPhase.RESTING else ChildInput.LATE, now)

    def next_output(self) -> Any | None:
        """The oldest command not yet taken."""
        return self._out.popleft() if self._out else None

    def next_deadline(self) -> Deadline | None:
        """The earliest timer."""
        return self._timers.next_deadline()

    def state(self, name: Name, now: float) -> ChildState:
        """How a child is."""
        child = self._children[name]
        resting = max(0.0, child.start_at - now) if child.phase is ChildPhase.RESTING else 0.0
        return ChildState(child=name, state=_STATES[child.phase], detail=child.detail, resting_s=resting)

    # Steps of the table

    def start(self, child: Child, now: float) -> None:
        self._timers.set(child, now + self._ready_within, f"{child.name} becomes ready")
        self._out.append(StartChild(child=child.name))

    def end(self, child: Child) -> None:
        self._timers.cancel(child)
        self._out.append(EndChild(child=child.name))

    def rest(self, child: Child, now: float) -> None:
        child.start_at = child.backoff.died(now)
        self._timers.set(child, child.start_at, f"{child.name} starts again")

    def cancel(self, child: Child) -> None:
        self._timers.cancel(child)

    def _feed(self, child: Child, what: ChildInput, now: float) -> None:
        row = CHILD[child.phase][what]
        if isinstance(row, tuple):
            child.phase = row[0]  # type: ignore[assignment]
            for step in row[1]:
                step(self, child, now)
