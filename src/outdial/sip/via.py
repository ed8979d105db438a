"""Via: where a request came through and where its response goes (RFC 3261 §18.2, §20.42; RFC 3581)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .errors import RemoteProtocolError
from .grammar import Parameters, format_parameters, is_token, number, parameter, parse_parameters, shown
from .uri import bracketed, parse_hostport
from .values import Address

MAGIC = "z9hG4bK"
"""Branches that start so are unique (RFC 3261 §8.1.1.7); others come from RFC 2543 peers."""
_VERSION = frozenset("0123456789.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Via:
    """One Via value."""

    transport: str
    """In capitals."""
    host: str
    port: int | None = None
    parameters: Parameters = ()
    version: str = "2.0"
    """Kept as it came: a request of another version is answered with 505, and the answer repeats its Via."""

    @property
    def branch(self) -> str:
        return parameter(self.parameters, "branch") or ""

    @property
    def sent_by(self) -> str:
        return f"{self.host.lower()}:{self.port or (5061 if self.transport == 'TLS' else 5060)}"

    def stamped(self, source: Address) -> Via:
        """As the server that received it must change it: `received` where the host differs or `rport` asks (RFC 3581 §4)."""
        wants_rport = parameter(self.parameters, "rport") is not None
        if not wants_rport and self.host == source.host:
            return self
        kept = tuple((k, v) for k, v in self.parameters if k not in ("received", "rport"))
        added: Parameters = (("received", source.host),)
        if wants_rport:
            added += (("rport", str(source.port)),)
        return replace(self, parameters=kept + added)

    def answer_to(self, source: Address) -> Address:
        """Where the response to a request from `source` goes. `maddr` is not followed: it would let a datagram aim us at a third host."""
        if source.transport != "udp" or parameter(self.parameters, "rport") is not None:
            return source
        return Address(transport=source.transport, host=source.host, port=self.port or 5060)

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/{self.version}/{self.transport} {bracketed(self.host)}{port}{format_parameters(self.parameters)}"


def parse_via(text: str) -> Via:
    """Read one Via value (no list). Raises `RemoteProtocolError`."""
    pieces = text.split("/", 2)
    if len(pieces) != 3 or pieces[0].strip().upper() != "SIP" or not _VERSION.issuperset(version := pieces[1].strip()) or not version:
        raise RemoteProtocolError(f'Via, column 1: expected "SIP/2.0/", got "{shown(text, 20)}"')
    words = pieces[2].split(None, 1)
    if len(words) != 2 or not is_token(words[0]):
        raise RemoteProtocolError(f'Via: expected a transport and a host, got "{shown(pieces[2])}"')
    sent_by, semicolon, tail = words[1].partition(";")
    host, port = parse_hostport(sent_by, text)
    parameters = parse_parameters(";" + tail) if semicolon else ()
    if rport := parameter(parameters, "rport"):
        number(rport, "rport", 65535)
    return Via(transport=words[0].upper(), host=host, port=port, parameters=parameters, version=version)
