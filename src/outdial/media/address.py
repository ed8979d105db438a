"""Whom to believe and where to send (DESIGN 4, "The peer's address"; RFC 4961, RFC 8088; the attack is known as RTP Bleed).

Theory of operation. The SDP's own address always wins. While learning (from each answer until an address is believed), other sources may
become candidates: three packets in sequence with one SSRC, and 200 ms of learning without a packet from the SDP's address. Two candidates
are rivals: the host that the SIP came from is believed, else neither. Whatever is not eligible is dropped and counted before any further
work.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from .values import Address

WAIT_S = 0.2
_KEPT = 16
_CANDIDATES = 8
STRANGERS = 50


@dataclass(slots=True)
class Candidate:
    """A source that may be adopted, and its packets until then."""

    source: Address
    ssrc: int
    sequence: int
    run: int = 1
    kept: list[tuple[bytes, float]] = field(default_factory=list)


_PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip
"""RFC 1918, 6598, 3927, 1122, 4193, 4291."""


def private(host: str) -> bool:
    """An address that is not routed on the internet; a name is not."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in net for net in _PRIVATE if net.version == address.version)


def canonical(host: str) -> str | None:
    """A numeric address as the kernel writes it, or None for a name: looking one up would block."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


class Peer:
    """One stream's belief about its peer's address."""

    def __init__(self, *, sdp: Address, symmetric: bool, nat: bool, sip_host: str, now: float) -> None:
        self.sdp = sdp
        self.symmetric = symmetric
        self.nat = nat
        self.sip_host = sip_host
        self.believed: Address | None = None
        """Whose packets are accepted; None while learning."""
        self.destination: Address | None = sdp if sdp[1] and sdp[0] not in ("0.0.0.0", "::") else None
        """Where packets go; None: nowhere."""
        self.strangers = 0
        self.rivals: tuple[Address, ...] = ()
        """Set where two candidates were found and neither is believed."""
        self._since = now
        self._candidates: dict[Address, Candidate] = {}
        self._sip_host_counts = bool(sip_host) and private(sdp[0]) and not private(sip_host)
        self._strange: dict[str, int] = {}

    @property
    def learning(self) -> bool:
        """No address is believed yet."""
        return self.believed is None

    @property
    def waiting(self) -> bool:
        """A candidate's time may come without another packet: call `ripe`."""
        return self.believed is None and bool(self._candidates)

    def eligible(self, host: str) -> bool:
        """May this host be a candidate while learning."""
        if self.nat:
            return True
        if self.symmetric and host == self.sdp[0]:
            return True
        return self._sip_host_counts and host == self.sip_host

    def from_sdp(self) -> bool:
        """A valid packet came from the SDP's address: believe it. True where that takes back an adoption."""
        taken_back = self.believed is not None
        self.believed = self.destination = self.sdp
        self._candidates.clear()
        self.rivals = ()
        return taken_back

    def offer(self, source: Address, ssrc: int, sequence: int, data: bytes, now: float) -> bool:
        """Keep a valid packet of an eligible source; False where it is dropped."""
        candidate = self._candidates.get(source)
        if candidate is None:
            if len(self._candidates) >= _CANDIDATES:
                return False
            self._candidates[source] = Candidate(source, ssrc, sequence, kept=[(data, now)])
            return True
        if candidate.ssrc != ssrc or (sequence - candidate.sequence) & 0xFFFF != 1:
            if candidate.run < 3:
                candidate.run = 0
                candidate.kept.clear()
            elif candidate.ssrc != ssrc:
                return False
        candidate.ssrc, candidate.sequence = ssrc, sequence
        candidate.run += 1
        if len(candidate.kept) >= _KEPT:
            candidate.kept.pop(0)
        candidate.kept.append((data, now))
        return True

    def ripe(self, now: float) -> list[tuple[bytes, float]] | None:
        """Adopt a candidate whose time has come and give its kept packets (each with its moment), else None."""
        if self.believed is not None or now - self._since < WAIT_S - 1e-6:
            return None
        ready = [candidate for candidate in self._candidates.values() if candidate.run >= 3]
        if len(ready) > 1:
            known = [candidate for candidate in ready if candidate.source[0] == self.sip_host]
            if len(known) != 1:
                self.rivals = self.rivals or tuple(candidate.source for candidate in ready)
                return None
            ready = known
        if not ready:
            return None
        chosen = ready[0]
        self.believed = self.destination = chosen.source
        self._candidates.clear()
        return chosen.kept

    def stranger(self, host: str, good: bool) -> int:
        """Count a dropped packet. Gives the count once, when a host's good packets reach `STRANGERS`; else 0."""
        self.strangers += 1
        if not good or (host not in self._strange and len(self._strange) >= _CANDIDATES):
            return 0
        count = self._strange.get(host, 0) + 1
        self._strange[host] = count
        return count if count == STRANGERS else 0
