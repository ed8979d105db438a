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


class Outlet:
    """Shared by all streams of an engine."""

    def __init__(self, wall: Wall, aim: Callable[[int, Address | None], None], send: Sender | None = None) -> None:
        self.queue: deque[MediaEvent | SendPacket] = deque()
        self.emit = self.queue.append
        self.send: Sender = send or self._enqueue
        self.timers: Timers[Alarm] = Timers()
        self.wall = wall
        self.aim = aim
        """Told where a port's packets go from now on."""
        self.sent = 0
        self.late = 0
        """Packets later than 20 ms since the last `Load`."""

    def _enqueue(self, port: int, data: bytes, destination: Address) -> None:
        self.queue.append(SendPacket(port=port, data=data, destination=destination))
