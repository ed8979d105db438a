"""The UDP shell on loopback: datagrams both ways, ICMP errors by destination, on asyncio's loop and on uvloop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvloop

from outdial.io.sip_udp import SipUdp, bind
from outdial.sip.values import Address, Datagram, Transmit, TransportFailed

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    def runner(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as inner:
            inner.run(work)

    return runner


class Ear:
    """Keeps what a socket hears."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.items: list[Datagram | TransportFailed] = []
        self.changed = asyncio.Event()
        self.udp = SipUdp(asyncio.get_running_loop(), self.hear, bind(host, 0))

    def hear(self, item: Datagram | TransportFailed) -> None:
        self.items.append(item)
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.items) < count:
                self.changed.clear()
                await self.changed.wait()

    def send(self, to: Address, data: bytes) -> None:
        self.udp.put(Transmit(data=data, destination=to, source=self.udp.local), 0.0)


def closed_port(host: str = "127.0.0.1") -> Address:
    sock = bind(host, 0)
    port = sock.getsockname()[1]
    sock.close()
    return Address(host=host, port=port)


Run = Callable[[Coroutine[Any, Any, None]], None]


def with_ears(run: Run, work: Callable[[Ear, Ear], Awaitable[None]], host: str = "127.0.0.1") -> None:
    async def inner() -> None:
        one, two = Ear(host), Ear(host)
        try:
            await work(one, two)
        finally:
            one.udp.close()
            two.udp.close()

    run(inner())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_datagrams_go_both_ways(run: Run, host: str) -> None:
    async def work(one: Ear, two: Ear) -> None:
        for number in range(200):
            one.send(two.udp.local, b"%d" % number)
        await two.until(200)
        assert two.items[7] == Datagram(data=b"7", source=one.udp.local, local=two.udp.local)
        two.send(one.udp.local, b"x" * 60000)
        await one.until(1)
        assert isinstance(one.items[0], Datagram)
        assert len(one.items[0].data) == 60000

    with_ears(run, work, host)


def test_an_icmp_error_names_its_destination_and_costs_no_other_datagram(run: Run) -> None:
    async def work(one: Ear, two: Ear) -> None:
        gone, also_gone = closed_port(), closed_port()
        one.send(gone, b"a")
        one.send(two.udp.local, b"b")
        one.send(also_gone, b"c")
        one.send(two.udp.local, b"d")
        await one.until(2)
        await two.until(2)
        assert {item.destination for item in one.items if isinstance(item, TransportFailed)} == {gone, also_gone}
        assert {item.detail for item in one.items if isinstance(item, TransportFailed)} == {"Connection refused"}
        assert [item.data for item in two.items if isinstance(item, Datagram)] == [b"b", b"d"]

    with_ears(run, work)


def test_after_an_icmp_error_it_still_hears(run: Run) -> None:
    """libuv stops listening on a socket with a pending error: one datagram to a closed port would have made it deaf for ever."""

    async def work(one: Ear, two: Ear) -> None:
        for number in range(1, 4):
            one.send(closed_port(), b"a")
            await one.until(2 * number - 1)
            two.send(one.udp.local, b"b")
            await one.until(2 * number)
        assert [type(item) for item in one.items] == [TransportFailed, Datagram] * 3

    with_ears(run, work)


@pytest.mark.parametrize(
    ("to", "data", "detail"),
    [
        (Address(host="255.255.255.255", port=9), b"x", "Permission denied"),
        (Address(host="2001:db8::1", port=9), b"x", "Address family for hostname not supported"),
    ],
)
def test_what_cannot_be_sent_is_reported_later(run: Run, to: Address, data: bytes, detail: str) -> None:
    async def work(one: Ear, two: Ear) -> None:
        one.send(to, data)
        assert one.items == []  # never from inside `put`
        await one.until(1)
        assert one.items == [TransportFailed(destination=to, detail=detail)]

    with_ears(run, work)


def test_a_message_that_is_too_long_says_nothing_of_its_destination(run: Run) -> None:
    """An answer that repeats a peer's long Via would else end every call that is being set up to that address."""

    async def work(one: Ear, two: Ear) -> None:
        one.send(two.udp.local, b"x" * 70000)
        one.send(two.udp.local, b"short")
        await two.until(1)
        assert [item.data for item in two.items if isinstance(item, Datagram)] == [b"short"]
        assert one.items == []

    with_ears(run, work)


def test_a_closed_socket_reports_nothing_more(run: Run) -> None:
    async def work(one: Ear, two: Ear) -> None:
        one.send(Address(host="255.255.255.255", port=9), b"x")
        one.udp.close()
        one.udp.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert one.items == []

    with_ears(run, work)


def test_a_taken_port_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", taken.getsockname()[1])
