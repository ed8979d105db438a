"""One heap of named timers inside a core: set, move, cancel, take what is due."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from .core import Deadline

K = TypeVar("K", bound=Hashable)


class Timers(Generic[K]):
    """Timers by key. Setting a key again moves its timer; a cancelled one never fires."""

    def __init__(self) -> None:
        self._live: dict[K, tuple[float, int, str]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0
        self._next: tuple[int, Deadline] | None = None

    def set(self, key: K, at: float, why: str) -> None:
        """Let `key` fire at `at` (monotonic seconds), in place of what it was set to before."""
        self._count += 1
        self._live[key] = (at, self._count, why)
        heapq.heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._live):
            self._heap = [(t, n, k) for k, (t, n, _) in self._live.items()]
            heapq.heapify(self._heap)

    def cancel(self, key: K) -> None:
        """Forget `key`; nothing happens where it is not set."""
        self._live.pop(key, None)

    def __contains__(self, key: K) -> bool:
        return key in self._live

    def __len__(self) -> int:
        return len(self._live)

    def due(self, now: float) -> Iterator[K]:
        """Take, one by one and in order, each key whose moment has come; keys set meanwhile count too."""
        while (key := self.pop(now)) is not None:
            yield key

    def pop(self, now: float) -> K | None:
        """Take the earliest key due at `now`, or None."""
        self._drop_stale()
        if self._heap and self._heap[0][0] <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._live[key]
            return key
        return None

    def next_deadline(self) -> Deadline | None:
        """The earliest timer, or None."""
        self._drop_stale()
        if not self._heap:
            return None
        at, count, key = self._heap[0]
        told = self._next
        if told is None or told[0] != count:  # asked after each input, and mostly the same
            self._next = told = (count, Deadline(at, self._live[key][2]))
        return told[1]

    def _drop_stale(self) -> None:
        heap, live = self._heap, self._live
        while heap:
            entry = live.get(heap[0][2])
            if entry is not None and entry[1] == heap[0][1]:
                return
            heapq.heappop(heap)
