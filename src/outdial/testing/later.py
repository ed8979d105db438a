"""Things that arrive later, in virtual time: one core that holds them until their moment."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import Any, NamedTuple

from ..core import Deadline


class Arrival(NamedTuple):
    """Give `item` to `destination`, `after` seconds from when this is handed in."""

    destination: str
    item: Any
    after: float = 0.0


class Later:
    """In: `Arrival`. Out: the same `Arrival`, when its time has come, in order of time, then of coming."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Arrival]] = []
        self._count = itertools.count()
        self._ready: deque[Arrival] = deque()

    def receive(self, item: Arrival, now: float) -> None:
        if item.after <= 0:
            self._ready.append(item)
        else:
            heapq.heappush(self._heap, (now + item.after, next(self._count), item))

    def handle_timer(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            self._ready.append(heapq.heappop(self._heap)[2])

    def next_output(self) -> Arrival | None:
        return self._ready.popleft() if self._ready else None

    def next_deadline(self) -> Deadline | None:
        return Deadline(self._heap[0][0], "arrival") if self._heap else None
