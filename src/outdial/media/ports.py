"""Which pair of ports a stream gets: even for RTP, the next for RTCP; a port given back rests (reference/processes 1.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from .values import Address

_REST_S = 2.0


class Sockets(Protocol):
    """What opens and closes the pair; a function of the world."""

    def open(self, host: str, rtp_port: int) -> bool:
        """Bind `rtp_port` and the one after it on `host`; False where somebody else holds one of them."""

    def aim(self, rtp_port: int, destination: Address | None) -> Callable[[bytes], object] | None:
        """Packets of `rtp_port` go to (and mostly come from) this address from now on; may give a quicker way to send there."""

    def close(self, rtp_port: int) -> None:
        """Give both back."""


class SimulatedPorts:
    """Ports of a simulated network, where nobody else is: all are free but those in `taken`. Satisfies `Sockets`."""

    def __init__(self, taken: Iterable[int] = ()) -> None:
        self.taken = set(taken)
        self.hosts: dict[int, str] = {}
        """Of each open pair: RTP port and our address."""

    def open(self, host: str, rtp_port: int) -> bool:
        """Take a pair."""
        if rtp_port in self.taken:
            return False
        self.hosts[rtp_port] = host
        return True

    def aim(self, rtp_port: int, destination: Address | None) -> None:
        """There is no quicker way."""

    def close(self, rtp_port: int) -> None:
        """Give a pair back."""
        del self.hosts[rtp_port]


class PortPool:
    """Even ports of a range, in turn: the one that was given back longest ago first."""

    def __init__(self, first: int, last: int, sockets: Sockets) -> None:
        self._sockets = sockets
        start = first + first % 2
        self._free: deque[tuple[int, float]] = deque((port, 0.0) for port in range(start, last, 2))
        self.total = len(self._free)

    @property
    def free(self) -> int:
        """Pairs that are not in use; some of them may still rest."""
        return len(self._free)

    def take(self, host: str, now: float) -> int | None:
        """Open a pair and give its RTP port, or None where none can be had."""
        for _ in range(len(self._free)):
            port, rested = self._free[0]
            if rested > now:
                return None
            self._free.popleft()
            if self._sockets.open(host, port):
                return port
            self._free.append((port, 0.0 if rested == 0.0 else now))
        return None

    def give_back(self, port: int, now: float) -> None:
        """Close a pair and let it rest."""
        self._sockets.close(port)
        self._free.append((port, now + _REST_S))
