"""Endpoints in virtual time on a simulated network: delay, loss, reordering and duplicates by a seed."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from outdial.io.ids import SeededIds
from outdial.sip.endpoint import Endpoint
from outdial.sip.parse import parse
from outdial.sip.route_set import address_of
from outdial.sip.values import Address, Datagram, Malformed, Resolve, Resolved, Trace, Transmit, TransportFailed

Rule = Callable[[Transmit], bool]
"""True: this datagram is lost."""


@dataclass
class Party:
    """One endpoint and what it put out."""

    name: str
    endpoint: Endpoint
    address: Address
    events: list[Any] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)
    sent: list[Transmit] = field(default_factory=list)
    on_event: Callable[[Any], list[Any]] = lambda event: []
    """What its owner answers to an event."""

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Network:
    """Moves datagrams between parties and time forward."""

    def __init__(self, seed: int = 0, *, loss: float = 0.0, delay: float = 0.01, jitter: float = 0.0, duplicate: float = 0.0) -> None:
        self.now = 1000.0
        self.random = random.Random(seed)
        self.loss, self.delay, self.jitter, self.duplicate = loss, delay, jitter, duplicate
        self.parties: list[Party] = []
        self.by_address: dict[Address, Party] = {}
        self.flying: list[tuple[float, int, Any, Any]] = []
        self.count = 0
        self.rules: list[Rule] = []
        self.names: dict[str, tuple[Address, ...]] = {}
        self.log: list[tuple[float, str, str]] = []
        self.unreachable: set[Address] = set()

    def party(self, name: str, host: str, port: int = 5060, **options: Any) -> Party:
        address = Address(host=host, port=port)
        endpoint = Endpoint(SeededIds(f"{name}{self.random.random()}"), address, user_agent=name, **options)
        party = Party(name=name, endpoint=endpoint, address=address)
        self.parties.append(party)
        self.by_address[address] = party
        return party

    def lose(self, rule: Rule) -> None:
        self.rules.append(rule)

    def lose_first(self, start: str, count: int = 1, method: str = "") -> None:
        """Lose the first `count` messages that begin so (and whose CSeq names `method`)."""
        left = [count]

        def rule(item: Transmit) -> bool:
            if left[0] and item.data.startswith(start.encode()) and (not method or f" {method}\r\n".encode() in item.data):
                left[0] -= 1
                return True
            return False

        self.rules.append(rule)

    def give(self, party: Party, *items: Any) -> None:
        """Commands and inputs, each with what follows from it."""
        for item in items:
            party.endpoint.receive(item, self.now)
            self.drain(party)

    def drain(self, party: Party) -> None:
        while (output := party.endpoint.next_output()) is not None:
            if isinstance(output, Transmit):
                party.sent.append(output)
                self.log.append((self.now, party.name, output.data.split(b"\r\n", 1)[0].decode("utf-8", "replace")))
                self._fly(party, output)
            elif isinstance(output, Resolve):
                self._put(0.0, party, self._resolved(output))
            elif isinstance(output, Trace):
                party.traces.append(output)
            elif isinstance(output, Malformed):
                party.malformed.append(output)
            else:
                party.events.append(output)
                for command in party.on_event(output):
                    self._put(0.0, party, command)

    def _resolved(self, item: Resolve) -> Resolved:
        found = self.names.get(item.uri)
        if found is None:
            numeric = address_of(item.uri)
            found = (numeric,) if numeric is not None else ()
        return Resolved(token=item.token, targets=found, detail="" if found else "no such name")

    def _fly(self, party: Party, item: Transmit) -> None:
        parse(item.data)  # whatever we send can be read
        if item.destination in self.unreachable:
            self._put(self.delay, party, TransportFailed(destination=item.destination, detail="Connection refused"))
            return
        if any(rule(item) for rule in self.rules):
            return
        target = self.by_address.get(item.destination)
        for _ in range(2 if self.random.random() < self.duplicate else 1):
            if self.random.random() < self.loss or target is None:
                continue
            datagram = Datagram(data=item.data, source=item.source, local=item.destination)
            self._put(self.delay + self.random.random() * self.jitter, target, datagram)

    def _put(self, after: float, party: Party, item: Any) -> None:
        self.count += 1
        heapq.heappush(self.flying, (self.now + after, self.count, party, item))

    def later(self, after: float, party: Party, *items: Any) -> None:
        """Give commands at a later moment."""
        for item in items:
            self._put(after, party, item)

    def step(self) -> bool:
        """Go on to the next thing that happens; false when nothing will."""
        deadlines = [(d.at, p) for p in self.parties if (d := p.endpoint.next_deadline()) is not None]
        at = min((d for d, _ in deadlines), default=None)
        if self.flying and (at is None or self.flying[0][0] <= at):
            when, _, party, item = heapq.heappop(self.flying)
            self.now = max(self.now, when)
            self.give(party, item)
            return True
        if at is None:
            return False
        self.now = max(self.now, at)
        for deadline, party in deadlines:
            if deadline <= self.now:
                party.endpoint.handle_timer(self.now)
                self.drain(party)
        return True

    def run(self, seconds: float | None = None) -> None:
        """Until nothing is left to happen, or for some seconds."""
        until = None if seconds is None else self.now + seconds
        for _ in range(200_000):
            if until is not None:
                upcoming = [d.at for p in self.parties if (d := p.endpoint.next_deadline()) is not None]
                upcoming += [self.flying[0][0]] if self.flying else []
                if not upcoming or min(upcoming) > until:
                    self.now = until
                    return
            if not self.step():
                return
        raise AssertionError("it never ends")
