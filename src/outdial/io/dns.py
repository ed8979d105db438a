"""Finding where a SIP URI is served: NAPTR, SRV, A and AAAA as RFC 3263 §4 says, cached by TTL.

Numeric hosts are answered at once and never asked about. Only the transports that the node serves are looked for. A lookup takes one
second at most; what failed is remembered for a short while, so that a dead name server costs each call nothing but the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

from ..sip.errors import RemoteProtocolError
from ..sip.uri import Uri, is_numeric, parse_uri
from ..sip.values import Address, Resolve, Resolved, Transport
from . import clock

TIMEOUT = 1.0
FAILED_FOR = 5.0
"""Seconds for which a failure is remembered."""
LONGEST = 3600.0
MAX_NAMES = 1000
MAX_TARGETS = 16

_SERVICES: dict[str, Transport] = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_PREFIXES: dict[Transport, str] = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}

Bits = Callable[[int], int]
"""`n` random bits: SRV weights are drawn (RFC 2782)."""


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    targets: tuple[Address, ...]
    detail: str


class NotFound(Exception):
    """The name does not resolve, and why."""


class SipDns:
    """Answers `Resolve`. `put` is a port of the pump; `Resolved` goes to `on_item`, at once for numeric hosts and what is cached."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_item: Callable[[Resolved], None],
        bits: Bits,
        *,
        transports: Sequence[Transport] = ("udp",),
        resolver: dns.asyncresolver.Resolver | None = None,
        ipv6: bool = False,
    ) -> None:
        """`ipv6`: whether the node can send to IPv6 addresses; AAAA is not asked for otherwise."""
        self._loop = loop
        self._on_item = on_item
        self._bits = bits
        self._transports = tuple(transports)
        self._resolver = resolver
        self._ipv6 = ipv6
        self._cache: dict[str, _Kept] = {}
        self._running: dict[str, list[int]] = {}
        """URIs being looked up, and the tokens that wait for each."""
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, item: Resolve, now: float) -> None:
        """Find the targets; the answer is never given from inside this call."""
        try:
            uri = parse_uri(item.uri)
        except RemoteProtocolError as error:
            self._soon(item.token, (), error.detail)
            return
        if uri.scheme not in ("sip", "sips"):
            self._soon(item.token, (), f"a URI of scheme {uri.scheme} is not served by SIP")
            return
        key = lookup_key(uri)
        host = uri.parameter("maddr") or uri.host
        if is_numeric(host):
            transport = transport_of(uri) or ("tls" if uri.scheme == "sips" else "udp")
            self._soon(item.token, (Address(transport=transport, host=host, port=uri.port or default_port(transport)),), "")
            return
        kept = self._cache.get(key)
        if kept is not None and kept.until > now:
            self._soon(item.token, kept.targets, kept.detail)
            return
        if key in self._running:
            self._running[key].append(item.token)
            return
        self._running[key] = [item.token]
        task = self._loop.create_task(self._look_up(key, uri))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is being looked up."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _soon(self, token: int, targets: tuple[Address, ...], detail: str) -> None:
        self._loop.call_soon(self._on_item, Resolved(token=token, targets=targets, detail=detail))

    async def _look_up(self, key: str, uri: Uri) -> None:
        targets: tuple[Address, ...] = ()
        detail = ""
        ttl = FAILED_FOR
        try:
            if self._resolver is None:
                self._resolver = dns.asyncresolver.Resolver()
            async with asyncio.timeout(TIMEOUT):
                found, ttl = await self._find(uri)
                targets = tuple(found[:MAX_TARGETS])
        except NotFound as error:
            detail = str(error)
        except TimeoutError:
            detail = f"{uri.host}: no name server answered within {TIMEOUT:g} s"
        except (dns.exception.DNSException, OSError) as error:
            detail = f"{uri.host}: {error}"
        if len(self._cache) >= MAX_NAMES:
            del self._cache[next(iter(self._cache))]
        self._cache.pop(key, None)
        self._cache[key] = _Kept(clock.now() + min(ttl, LONGEST), targets, detail)
        for token in self._running.pop(key, ()):
            self._on_item(Resolved(token=token, targets=targets, detail=detail))

    async def _find(self, uri: Uri) -> tuple[list[Address], float]:
        """Targets in the order to try, and for how many seconds that holds (RFC 3263 §4.1, §4.2)."""
        host = uri.parameter("maddr") or uri.host
        wanted = transport_of(uri)
        if uri.port is not None:
            transport = wanted or ("tls" if uri.scheme == "sips" else "udp")
            return await self._hosts([(transport, host, uri.port)], LONGEST)
        services: list[tuple[Transport, str]] = []
        ttl = LONGEST
        if wanted is None:
            services, ttl = await self._naptr(host, secure=uri.scheme == "sips")
        if not services:
            possible: Sequence[Transport] = ("tls",) if uri.scheme == "sips" else ((wanted,) if wanted else self._transports)
            services = [(transport, _PREFIXES[transport] + host) for transport in possible]
        places: list[tuple[Transport, str, int]] = []
        for transport, name in services:
            more, more_ttl = await self._srv(name)
            places += [(transport, target, port) for target, port in more]
            ttl = min(ttl, more_ttl)
        if not places:
            transport = wanted or ("tls" if uri.scheme == "sips" else "udp")
            places = [(transport, host, default_port(transport))]
        return await self._hosts(places, ttl)

    async def _ask(self, name: str, kind: str) -> tuple[list[Any], float]:
        assert self._resolver is not None
        try:
            answer = await self._resolver.resolve(name, kind, raise_on_no_answer=False, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return [], LONGEST
        if answer.rrset is None:
            return [], LONGEST
        return list(answer.rrset), float(answer.rrset.ttl)

    async def _naptr(self, host: str, *, secure: bool) -> tuple[list[tuple[Transport, str]], float]:
        records, ttl = await self._ask(host, "NAPTR")
        found: list[tuple[Transport, str]] = []
        for record in sorted(records, key=lambda r: (r.order, r.preference)):
            transport = _SERVICES.get(record.service.decode("ascii", "replace").upper())
            replacement = record.replacement.to_text(omit_final_dot=True)
            usable = transport is not None and transport in self._transports and (not secure or transport == "tls")
            if usable and record.flags.lower() == b"s" and replacement:
                assert transport is not None
                found.append((transport, replacement))
        return found, ttl

    async def _srv(self, name: str) -> tuple[list[tuple[str, int]], float]:
        records, ttl = await self._ask(name, "SRV")
        ordered: list[tuple[str, int]] = []
        for priority in sorted({record.priority for record in records}):
            ordered += self._by_weight([record for record in records if record.priority == priority])
        # RFC 2782: a target of "." says that the service is decidedly not there.
        return [(target, port) for target, port in ordered if target not in ("", ".", "@")], ttl

    def _by_weight(self, records: list[Any]) -> list[tuple[str, int]]:
        """Records of one priority in an order drawn by weight (RFC 2782); those of weight 0 come first in the running sum."""
        left = sorted(records, key=lambda record: record.weight)
        out: list[tuple[str, int]] = []
        while left:
            total = sum(record.weight for record in left)
            drawn = self._bits(32) % (total + 1)
            for record in left:
                drawn -= record.weight
                if drawn <= 0:
                    break
            left.remove(record)
            out.append((record.target.to_text(omit_final_dot=True), record.port))
        return out

    async def _hosts(self, places: list[tuple[Transport, str, int]], ttl: float) -> tuple[list[Address], float]:
        out: list[Address] = []
        kinds = ("A", "AAAA") if self._ipv6 else ("A",)
        for transport, host, port in places:
            if is_numeric(host):
                out.append(Address(transport=transport, host=host, port=port))
                continue
            for kind in kinds:
                records, record_ttl = await self._ask(host, kind)
                out += [Address(transport=transport, host=record.address, port=port) for record in records]
                if records:
                    ttl = min(ttl, record_ttl)
            if len(out) >= MAX_TARGETS:
                break
        if not out:
            raise NotFound(f"{places[0][1]} has no address")
        return out, ttl


def transport_of(uri: Uri) -> Transport | None:
    """What the URI itself asks for."""
    wanted = (uri.parameter("transport") or "").lower()
    if uri.scheme == "sips":
        return "tls"
    return {"udp": "udp", "tcp": "tcp", "tls": "tls"}.get(wanted)  # type: ignore[return-value]


def default_port(transport: Transport) -> int:
    return 5061 if transport == "tls" else 5060


def lookup_key(uri: Uri) -> str:
    """URIs with the same key have the same targets."""
    host = (uri.parameter("maddr") or uri.host).lower()
    return f"{uri.scheme} {host} {uri.port} {(uri.parameter('transport') or '').lower()}"
