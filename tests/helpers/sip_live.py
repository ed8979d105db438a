"""A real endpoint on a real socket, for peers: its own loop in the test's thread, an owner that answers events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from outdial.core import Pump
from outdial.io.dns import SipDns
from outdial.io.ids import LiveIds
from outdial.io.live_pump import LivePump
from outdial.io.sip_udp import SipUdp, bind
from outdial.sip.endpoint import Endpoint
from outdial.sip.values import (
    Accepted,
    AckBody,
    ByeReceived,
    Held,
    Incoming,
    InfoReceived,
    Malformed,
    Offered,
    Over,
    Provisional,
    Resolve,
    Trace,
    Transmit,
)

OWNED = (Held, Provisional, Accepted, Offered, AckBody, InfoReceived, ByeReceived, Incoming, Over)


class LiveParty:
    """An endpoint on 127.0.0.1 and what it put out. `on_event` answers events with commands."""

    def __init__(self, on_event: Callable[[Any], list[Any]], **options: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.events: list[Any] = []
        self.traces: list[Trace] = []
        self.malformed: list[Malformed] = []
        self.on_event = on_event
        self._changed = asyncio.Event()
        self._traced: dict[str, int] = {}
        ids = LiveIds()
        self.udp = SipUdp(self.loop, self._heard, bind("127.0.0.1", 0))
        self.lose_sent: list[tuple[str, str, int]] = []
        """(start line, CSeq's method, how many): these are not sent."""
        self.lose_heard: list[tuple[str, str, int]] = []
        self.before: dict[str, list[Any]] = {}
        """Commands that the endpoint is given just before it hears the first message that begins so."""
        self.dns = SipDns(self.loop, lambda item: self.live.give("sip", item), ids.bits)
        self.address = self.udp.local
        routes: dict[tuple[str, type], str] = {
            ("sip", Transmit): "udp",
            ("sip", Resolve): "dns",
            ("sip", Trace): "trace",
            ("sip", Malformed): "trace",
        }
        routes.update({("sip", kind): "owner" for kind in OWNED})
        self.endpoint = Endpoint(ids, self.address, user_agent="test", **options)
        pump = Pump(
            {"sip": self.endpoint},
            {"udp": self._send, "dns": self.dns.put, "owner": self._owner, "trace": self._trace},
            routes,
        )
        self.live = LivePump(pump, self.loop)

    def give(self, *items: Any) -> None:
        for item in items:
            self.live.give("sip", item)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type, count: int = 1, within: float = 20.0) -> Any:
        """Wait for the `count`-th event of a kind."""
        async with asyncio.timeout(within):
            while len(self.of(kind)) < count:
                assert not self.of(Over) or kind is Over, f"{kind.__name__} did not come: {self.of(Over)[0]}"
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)[count - 1]

    async def until_traced(self, start: str, within: float = 10.0) -> None:
        """Wait until one more message that begins so has been sent than at the last such call."""
        wanted = self._traced.get(start, 0) + 1
        async with asyncio.timeout(within):
            while sum(trace.way == "sent" and trace.data.startswith(start.encode()) for trace in self.traces) < wanted:
                self._changed.clear()
                await self._changed.wait()
        self._traced[start] = wanted

    async def close(self) -> None:
        self.live.close()
        self.udp.close()
        await self.dns.close()

    def _heard(self, item: Any) -> None:
        data = getattr(item, "data", b"")
        for start in list(self.before):
            if data.startswith(start.encode()):
                self.give(*self.before.pop(start))
        if not lost(self.lose_heard, data):
            self.live.give("sip", item)

    def _send(self, item: Transmit, now: float) -> None:
        if not lost(self.lose_sent, item.data):
            self.udp.put(item, now)

    def _owner(self, item: Any, now: float) -> None:
        self.events.append(item)
        self._changed.set()
        for command in self.on_event(item):
            self.live.pump.give("sip", command)

    def _trace(self, item: Trace | Malformed, now: float) -> None:
        if isinstance(item, Trace):
            self.traces.append(item)
            self._changed.set()
        else:
            self.malformed.append(item)


def lost(rules: list[tuple[str, str, int]], data: bytes) -> bool:
    """Whether a rule takes this message; each takes so many and no more."""
    for index, (start, method, left) in enumerate(rules):
        if left and data.startswith(start.encode()) and f" {method}\r\n".encode() in data:
            rules[index] = (start, method, left - 1)
            return True
    return False
