"""Events that wait for a worker or a connection: each stands in the queue once."""

from __future__ import annotations

from collections import deque

from .invocation import Invocation


class Waiting:
    """First in, first out; one that is given once more comes first."""

    def __init__(self) -> None:
        self._queue: deque[Invocation] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, invocation: Invocation, now: float) -> None:
        """Let it wait, unless it does so already."""
        if invocation.queued_at is None:
            invocation.queued_at = now
            (self._queue.appendleft if invocation.attempts else self._queue.append)(invocation)

    def next(self) -> Invocation:
        """The one whose turn it is."""
        invocation = self._queue.popleft()
        invocation.queued_at = None
        return invocation

    def leave(self, invocation: Invocation) -> None:
        """It waits no longer; harmless where it does not."""
        if invocation.queued_at is not None:
            invocation.queued_at = None
            self._queue.remove(invocation)

    def all_leave(self) -> list[Invocation]:
        """Empty the queue."""
        return [self.next() for _ in range(len(self._queue))]

    def longest(self, now: float) -> float:
        """Seconds that the next one has waited."""
        at = self._queue[0].queued_at if self._queue else None
        return 0.0 if at is None else now - at
