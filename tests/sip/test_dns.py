"""Finding a trunk's targets (RFC 3263 §4), with a name server written small: records in, the order of targets out."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.exception
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from outdial.io.dns import MAX_NAMES, SipDns
from outdial.sip.values import Address, Resolve, Resolved

ZONE: dict[tuple[str, str], list[str]] = {
    ("naptr.example.com", "NAPTR"): [
        '50 50 "s" "SIPS+D2T" "" _sips._tcp.naptr.example.com.',
        '90 50 "s" "SIP+D2T" "" _sip._tcp.naptr.example.com.',
        '100 50 "s" "SIP+D2U" "" _sip._udp.else.example.com.',
        '10 50 "u" "E2U+sip" "!^.*$!sip:x@example.com!" .',
    ],
    ("_sip._udp.else.example.com", "SRV"): ["20 0 5060 two.example.com.", "10 0 5080 one.example.com."],
    ("_sip._udp.srv.example.com", "SRV"): ["10 0 5090 one.example.com.", "20 0 5091 192.0.2.99."],
    ("_sip._udp.none.example.com", "SRV"): ["0 0 0 ."],
    ("one.example.com", "A"): ["192.0.2.1", "192.0.2.11"],
    ("one.example.com", "AAAA"): ["2001:db8::1"],
    ("two.example.com", "A"): ["192.0.2.2"],
    ("plain.example.com", "A"): ["192.0.2.3"],
    ("none.example.com", "A"): ["192.0.2.4"],
    ("_sip._udp.weights.example.com", "SRV"): ["1 0 5060 one.example.com.", "1 90 5061 two.example.com.", "1 10 5062 plain.example.com."],
}


class Answer:
    def __init__(self, rrset: Any) -> None:
        self.rrset = rrset


class NameServer:
    """Stands in for dnspython's resolver."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.hangs = False
        self.fails = False
        self.ttl = 60

    async def resolve(self, name: str, kind: str, **options: Any) -> Answer:
        self.asked.append((name, kind))
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise dns.resolver.NoNameservers
        name = name.lower()
        records = ZONE.get((name, kind))
        if records is None:
            if any(known == name for known, _ in ZONE):
                return Answer(None)
            raise dns.resolver.NXDOMAIN
        return Answer(dns.rrset.from_text(name + ".", self.ttl, "IN", kind, *records))


async def find(*uris: str, server: NameServer | None = None, now: float = 0.0, drawn: int = 0, **options: Any) -> list[Resolved]:
    heard: list[Resolved] = []
    changed = asyncio.Event()

    def hear(item: Resolved) -> None:
        heard.append(item)
        changed.set()

    finder = SipDns(
        asyncio.get_running_loop(),
        hear,
        lambda n: drawn,
        resolver=server or NameServer(),  # type: ignore[arg-type]
        **options,
    )
    for token, uri in enumerate(uris):
        finder.put(Resolve(token=token, uri=uri), now)
        assert len(heard) == 0  # never from inside `put`
    async with asyncio.timeout(5):
        while len(heard) < len(uris):
            changed.clear()
            await changed.wait()
    await finder.close()
    return sorted(heard, key=lambda item: item.token)


def targets(uri: str, **options: Any) -> list[str]:
    return [f"{t.transport} {t.host} {t.port}" for t in asyncio.run(find(uri, **options))[0].targets]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:a@192.0.2.9", ["udp 192.0.2.9 5060"]),
        ("sip:a@192.0.2.9:5070;transport=tcp", ["tcp 192.0.2.9 5070"]),
        ("sips:192.0.2.9", ["tls 192.0.2.9 5061"]),
        ("sip:[2001:db8::9]:5070", ["udp 2001:db8::9 5070"]),
        ("sip:x.example.com;maddr=192.0.2.8", ["udp 192.0.2.8 5060"]),
        # §4.2: a port means A records and nothing else.
        ("sip:plain.example.com:5077", ["udp 192.0.2.3 5077"]),
        ("sip:srv.example.com:5077", []),
        # §4.1: NAPTR by order, transports that we do not serve passed over; then SRV by priority, then A.
        ("sip:naptr.example.com", ["udp 192.0.2.1 5080", "udp 192.0.2.11 5080", "udp 192.0.2.2 5060"]),
        ("sip:srv.example.com", ["udp 192.0.2.1 5090", "udp 192.0.2.11 5090", "udp 192.0.2.99 5091"]),
        ("sip:srv.example.com;transport=udp", ["udp 192.0.2.1 5090", "udp 192.0.2.11 5090", "udp 192.0.2.99 5091"]),
        # Neither NAPTR nor SRV: the host itself at the default port.
        ("sip:plain.example.com", ["udp 192.0.2.3 5060"]),
        # RFC 2782: a target of "." means that the service is not there.
        ("sip:none.example.com", ["udp 192.0.2.4 5060"]),
    ],
)
def test_targets(uri: str, expected: list[str]) -> None:
    assert targets(uri) == expected


def test_ipv6_where_it_can_be_sent_to() -> None:
    assert targets("sip:srv.example.com", ipv6=True)[:3] == ["udp 192.0.2.1 5090", "udp 192.0.2.11 5090", "udp 2001:db8::1 5090"]


@pytest.mark.parametrize(("drawn", "first"), [(0, "192.0.2.1"), (5, "192.0.2.3"), (50, "192.0.2.2")])
def test_weights_are_drawn(drawn: int, first: str) -> None:
    """RFC 2782: weight 0 first in the running sum, then 10 (to 10), then 90 (to 100)."""
    assert targets("sip:weights.example.com", drawn=drawn)[0].split()[1] == first


@pytest.mark.parametrize(
    ("uri", "detail"),
    [
        ("sip:no-such.example.net", "no-such.example.net has no address"),
        ("tel:+12065550100", "a URI of scheme tel is not served by SIP"),
        ("nonsense", 'expected a URI, got "nonsense"'),
    ],
)
def test_what_does_not_resolve_says_why(uri: str, detail: str) -> None:
    [found] = asyncio.run(find(uri))
    assert (found.targets, found.detail) == ((), detail)


def test_a_dead_name_server_costs_a_second_and_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdial.io.dns.TIMEOUT", 0.01)
    server = NameServer()
    server.hangs = True

    async def work() -> None:
        heard: list[Resolved] = []
        done = asyncio.Event()

        def hear(item: Resolved) -> None:
            heard.append(item)
            done.set()

        finder = SipDns(asyncio.get_running_loop(), hear, lambda n: 0, resolver=server)  # type: ignore[arg-type]
        for token in range(3):
            done.clear()
            finder.put(Resolve(token=token, uri="sip:plain.example.com"), 0.0)
            await asyncio.wait_for(done.wait(), 5)
        assert [item.targets for item in heard] == [(), (), ()]
        assert "no name server answered" in heard[0].detail
        assert len(server.asked) == 1
        await finder.close()

    asyncio.run(work())


def test_a_server_that_fails() -> None:
    server = NameServer()
    server.fails = True
    [found] = asyncio.run(find("sip:plain.example.com", server=server))
    assert found.targets == ()
    assert found.detail.startswith("plain.example.com: ")


def test_many_that_ask_for_one_name_ask_once() -> None:
    server = NameServer()
    found = asyncio.run(find(*["sip:PLAIN.example.com"] * 20, server=server))
    assert {item.targets for item in found} == {(Address(host="192.0.2.3", port=5060),)}
    assert len([ask for ask in server.asked if ask[1] == "A"]) == 1


def test_an_answer_is_kept_for_its_ttl_and_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("outdial.io.dns.clock.now", lambda: clock[0])
    server = NameServer()

    async def work() -> None:
        heard: asyncio.Queue[Resolved] = asyncio.Queue()
        finder = SipDns(asyncio.get_running_loop(), heard.put_nowait, lambda n: 0, resolver=server)  # type: ignore[arg-type]
        for at, asks in [(100.0, 1), (159.0, 1), (161.0, 2)]:
            clock[0] = at
            finder.put(Resolve(token=0, uri="sip:plain.example.com:5060"), at)
            await asyncio.wait_for(heard.get(), 5)
            assert len(server.asked) == asks
        for number in range(MAX_NAMES + 10):
            finder.put(Resolve(token=number, uri=f"sip:n{number}.example.net:5060"), 161.0)
            await asyncio.wait_for(heard.get(), 5)
        assert len(finder._cache) == MAX_NAMES
        await finder.close()

    asyncio.run(work())


def test_the_name_server_stands_in_for_the_real_one() -> None:
    """The records above are what dnspython itself reads."""
    rrset = dns.rrset.from_text("a.", 1, "IN", "NAPTR", '10 20 "s" "SIP+D2U" "" b.')
    assert rrset.rdtype == dns.rdatatype.NAPTR
    assert (rrset[0].order, rrset[0].preference, rrset[0].flags, rrset[0].service) == (10, 20, b"s", b"SIP+D2U")
    assert issubclass(dns.resolver.NoNameservers, dns.exception.DNSException)
