"""The way of audio between two engines, past the pump: in virtual time nearly everything that happens is a packet of 20 ms.

Theory of operation. The engines send into the lane directly; it loses, delays and repeats as the network says and keeps what is on its way
in order of arrival. `run` lets ticks and arrivals follow each other until an engine has something to say, or until somebody else's moment
has come. The pump sees of all that only the events.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from ..media.engine import Engine
from .network import Network

NEVER = float("inf")
Way = tuple[float, int, Any, int, bytes, tuple[str, int]]
"""When it arrives, its number, what takes it, the port it goes to, what it holds, where it comes from."""


class Lane:
    """Engines are looked up by the name that the network's parties have for them, since one can die."""

    def __init__(self, network: Network, heard: Callable[[str, int, bytes, float], None]) -> None:
        """`heard` is shown every packet that arrives: by engine, port, data, moment."""
        self.now = 0.0
        self._network = network
        self._heard = heard
        self._engines: dict[str, Engine | None] = {}
        self._steady: deque[Way] = deque()
        """On their way, in order, while all take equally long."""
        self._jittery: list[Way] = []
        self._count = 0

    def put_engine(self, name: str, engine: Engine | None) -> None:
        """The engine that lives under this name from now on; None: it is dead."""
        self._engines[name] = engine

    def ports(self, host: str) -> LanePorts:
        """Ports of an engine at `host`."""
        return LanePorts(self, host)

    def send(self, source: tuple[str, int], destination: tuple[str, int], data: bytes) -> None:
        """One datagram leaves."""
        network = self._network
        party = network.parties.get(destination[0])
        if party is None:
            return
        quality = network.quality
        if quality.loss and network.chance() < quality.loss:
            network.lost += 1
            return
        network.carried += 1
        copies = 2 if quality.duplicates and network.chance() < quality.duplicates else 1
        for _ in range(copies):
            self._count += 1
            delay = quality.delay + (network.chance() * quality.jitter if quality.jitter else 0.0)
            way = (self.now + delay, self._count, party.engine, destination[1], data, source)
            if not self._steady or way[0] >= self._steady[-1][0]:
                self._steady.append(way)
            else:
                heapq.heappush(self._jittery, way)

    def run(self, until: float) -> bool:
        """Let time pass up to `until` (not reached); True as soon as an engine has said something (its queue holds it)."""
        engines = {name: engine for name, engine in self._engines.items() if engine is not None}
        moments = {name: engine.next_at() or NEVER for name, engine in engines.items()}
        steady, jittery, heard = self._steady, self._jittery, self._heard
        while True:
            first, at = "", NEVER
            for name, moment in moments.items():
                if moment < at:
                    first, at = name, moment
            arrives = steady[0][0] if steady else NEVER
            if jittery and jittery[0][0] < arrives:
                arrives = jittery[0][0]
            if arrives <= at:
                if arrives >= until:
                    return False
                if arrives > self.now:
                    self.now = arrives
                way = heapq.heappop(jittery) if jittery and jittery[0][0] == arrives else steady.popleft()
                _, _, first, port, data, source = way
                taker = engines.get(first)
                if taker is None:
                    continue
                heard(first, port, data, self.now)
                taker.packet(port, data, source, self.now)
                engine = taker
            else:
                if at >= until:
                    return False
                if at > self.now:
                    self.now = at
                engine = engines[first]
                engine.handle_timer(self.now)
            if engine.queue:
                return True
            moments[first] = engine.next_at() or NEVER


class LanePorts:
    """Satisfies `media.ports.Sockets`: every port can be had, and what is sent goes into the lane."""

    def __init__(self, lane: Lane, host: str) -> None:
        self._lane = lane
        self._host = host

    def open(self, host: str, rtp_port: int) -> bool:
        return True

    def aim(self, rtp_port: int, destination: tuple[str, int] | None) -> Callable[[bytes], object] | None:
        """The quick way to one destination."""
        if destination is None:
            return None
        source, send = (self._host, rtp_port), self._lane.send
        return lambda data: send(source, destination, data)

    def close(self, rtp_port: int) -> None:
        """Nothing is held."""

    def send(self, port: int, data: bytes, destination: tuple[str, int]) -> None:
        """Any other datagram (RTCP)."""
        self._lane.send((self._host, port), destination, data)
