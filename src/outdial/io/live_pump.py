"""Runs a pump on an asyncio loop: what the world gives is delivered at once, and one timer stands for all deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..core import Pump
from . import clock


class LivePump:
    """One pump, one loop, one armed timer. `give` may be called from the loop's thread only; elsewhere `give_soon`."""

    def __init__(self, pump: Pump, loop: asyncio.AbstractEventLoop) -> None:
        self.pump = pump
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._armed_at = 0.0
        self._closed = False

    def give(self, destination: str, item: Any, source: str = "world") -> None:
        """Deliver one input and everything that follows from it."""
        if self._closed:
            return
        self.pump.give(destination, item, source)
        self.pump.run(clock.now())
        self._arm()

    def give_soon(self, destination: str, item: Any, source: str = "world") -> None:
        """The same from another thread."""
        self._loop.call_soon_threadsafe(self.give, destination, item, source)

    def close(self) -> None:
        """No more timers, no more deliveries."""
        self._closed = True
        if self._handle is not None:
            self._handle.cancel()

    def _fire(self) -> None:
        self._handle = None
        if not self._closed:
            self.pump.fire(clock.now())
            self._arm()

    def _arm(self) -> None:
        """See that the timer fires by the earliest deadline. One that was armed for earlier stays: firing for nothing is cheaper than
        moving it with each input."""
        deadline = self.pump.next_deadline()
        if deadline is None:
            return
        at = deadline.at
        if self._handle is not None:
            if self._armed_at <= at:
                return
            self._handle.cancel()
        self._armed_at = at
        self._handle = self._loop.call_later(max(0.0, at - clock.now()), self._fire)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop that pumps run on: uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
