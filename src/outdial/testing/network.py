"""A network that loses, delays, repeats and reorders, the same way for the same seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..core import Deadline
from ..io.ids import SeededIds
from ..sip.values import Datagram, Transmit
from .later import Arrival, Later


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How bad a network is. Delays in seconds; shares from 0 to 1."""

    loss: float = 0.0
    delay: float = 0.005
    jitter: float = 0.0
    """Each packet takes `delay` plus up to this: more than the spacing of packets reorders them."""
    duplicates: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who lives at a host: the names of its SIP core and engine in the pump."""

    sip: str
    engine: str = ""


class Network:
    """A core: in `Transmit`, out `Arrival` at whoever lives at the destination's host. Audio asks it for its chances only (`lane`)."""

    def __init__(self, parties: dict[str, Party], quality: Quality = Quality(), seed: int | str = 0) -> None:
        self.parties = parties
        self.quality = quality
        self._ids = SeededIds(f"network {seed}")
        self._later = Later()
        self._out: deque[Arrival] = deque()
        self.drop: Callable[[bytes, str, str], bool] | None = None
        """Given a SIP message, its source host and destination host, decides whether this one is lost: for a loss in one exact place."""
        self.lost = 0
        self.carried = 0

    def receive(self, item: Transmit, now: float) -> None:
        if self.drop is not None and self.drop(item.data, item.source.host, item.destination.host):
            self.lost += 1
            return
        party = self.parties.get(item.destination.host)
        if party is not None:
            self._carry(party.sip, Datagram(data=item.data, source=item.source, local=item.destination), now)

    def _carry(self, destination: str, item: Datagram, now: float) -> None:
        quality = self.quality
        if quality.loss and self.chance() < quality.loss:
            self.lost += 1
            return
        self.carried += 1
        copies = 2 if quality.duplicates and self.chance() < quality.duplicates else 1
        for _ in range(copies):
            after = quality.delay + (self.chance() * quality.jitter if quality.jitter else 0.0)
            self._later.receive(Arrival(destination=destination, item=item, after=after), now)

    def chance(self) -> float:
        """From 0 to 1, the same for the same seed."""
        return self._ids.bits(32) / 2**32

    def handle_timer(self, now: float) -> None:
        self._later.handle_timer(now)

    def next_output(self) -> Arrival | None:
        return self._later.next_output()

    def next_deadline(self) -> Deadline | None:
        return self._later.next_deadline()
