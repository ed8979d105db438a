"""Where a stream's outputs go: events into the engine's queue, packets there too or straight to a socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..core import Timers
from ..model.ids import CommandId, LegId, Wall
from ..model.media import MediaEvent
from .values import Address, Sender, SendPacket

Alarm = tuple[LegId, str, CommandId]
"""Stream, what for, which command (0: none)."""


Aim = Callable[[int, Address | None], Callable[[bytes], object] | None]
"""`ports.Sockets.aim`."""


class Outlet:
    """Shared by all streams of an engine."""

    def __init__(self, wall: Wall, aim: Aim, send: Sender | None = None) -> None:
        self.queue: deque[MediaEvent | SendPacket] = deque()
        self.emit = self.queue.append
        self.send: Sender = send or self._enqueue
        self._timers: Timers[Alarm] = Timers()
        self._timer_at: float | None = None
        """The earliest timer's moment; asked at every wake-up, so it is kept."""
        self.hosts: dict[int, str] = {}
        """By RTP port: our address."""
        self.wall = wall
        self.aim = aim
        """Told where a port's packets go from now on."""
        self.sent = 0
        self.late = 0
        """Packets later than 20 ms since the last `Load`."""

    def arm(self, alarm: Alarm, at: float, why: str) -> None:
        """Let an alarm go off at `at`, in place of what it was set to before."""
        self._timers.set(alarm, at, why)
        self._look()

    def disarm(self, alarm: Alarm) -> None:
        """Forget an alarm."""
        self._timers.cancel(alarm)
        self._look()

    def alarm_at(self) -> float | None:
        """When the earliest alarm goes off."""
        return self._timer_at

    def due(self, now: float) -> Alarm | None:
        """Take the earliest alarm that is due, or None."""
        if self._timer_at is None or self._timer_at > now:
            return None
        alarm = self._timers.pop(now)
        self._look()
        return alarm

    def _look(self) -> None:
        deadline = self._timers.next_deadline()
        self._timer_at = None if deadline is None else deadline.at

    def _enqueue(self, port: int, data: bytes, destination: Address) -> None:
        self.queue.append(SendPacket(host=self.hosts[port & ~1], port=port, data=data, destination=destination))
