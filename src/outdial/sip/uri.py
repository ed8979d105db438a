"""SIP and SIPS URIs (RFC 3261 §19.1); of other schemes only the scheme is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from .errors import RemoteProtocolError
from .grammar import number, shown

_SCHEME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_BAD = frozenset(' \t\r\n<>"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Uri:
    """A URI; for schemes other than sip and sips everything after the colon is `opaque`."""

    scheme: str
    user: str | None = None
    """As it came, still escaped, with a password where there was one."""
    host: str = ""
    """Without brackets."""
    port: int | None = None
    parameters: tuple[tuple[str, str | None], ...] = ()
    """Names in lower case, values as they came."""
    headers: str = ""
    opaque: str = ""

    def parameter(self, name: str) -> str | None:
        """Its value, empty where it has none, None where it is not there."""
        for key, value in self.parameters:
            if key == name:
                return value or ""
        return None

    @property
    def number(self) -> str:
        """The user part unescaped, without password and parameters (`+12065550150` of a telephone number)."""
        user = (self.user or "").partition(":")[0].partition(";")[0]
        return unescape(user)

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        out = f"{self.scheme}:"
        if self.user is not None:
            out += f"{self.user}@"
        out += bracketed(self.host)
        if self.port is not None:
            out += f":{self.port}"
        for name, value in self.parameters:
            out += f";{name}" if value is None else f";{name}={value}"
        return out + (f"?{self.headers}" if self.headers else "")


def parse_uri(text: str) -> Uri:
    """Read a URI. Raises `RemoteProtocolError` (400; 416 is for whoever wants sip) naming what is wrong."""
    return _remembered(text) if len(text) <= _SHORT else _parse_uri(text)


def _parse_uri(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not scheme or not _SCHEME.issuperset(scheme) or not scheme[0].isalpha():
        raise RemoteProtocolError(f'expected a URI, got "{shown(text)}"')
    if not _BAD.isdisjoint(text):
        raise RemoteProtocolError(f'a URI holds a blank, quote or angle bracket: "{shown(text)}"')
    if scheme not in ("sip", "sips"):
        if not rest:
            raise RemoteProtocolError(f'a URI with nothing after its scheme: "{shown(text)}"')
        return Uri(scheme=scheme, opaque=rest)
    user: str | None
    user, at, rest_ = rest.rpartition("@")
    if not at:
        user, rest_ = None, rest
    elif not user or "@" in user:
        raise RemoteProtocolError(f'a URI with a misplaced "@": "{shown(text)}"')
    rest_, _, headers = rest_.partition("?")
    hostport, semicolon, tail = rest_.partition(";")
    host, port = parse_hostport(hostport, text)
    parameters: tuple[tuple[str, str | None], ...] = ()
    if semicolon:
        parameters = tuple(_parameter(piece) for piece in tail.split(";"))
    return Uri(scheme=scheme, user=user, host=host, port=port, parameters=parameters, headers=headers)


# The same few URIs come again and again: a trunk's, ours, a dialog's target. Bounded in number and length.
_SHORT = 160
_remembered = lru_cache(maxsize=512)(_parse_uri)


def _parameter(piece: str) -> tuple[str, str | None]:
    name, equals, value = piece.partition("=")
    return name.lower(), value if equals else None


def parse_hostport(text: str, within: str) -> tuple[str, int | None]:
    """Host (without brackets) and port or None."""
    text = text.strip()
    if text[:1] == "[":
        host, bracket, tail = text[1:].partition("]")
        if not bracket or ":" not in host or not is_numeric(host):
            raise RemoteProtocolError(f'expected an IPv6 address in brackets, in "{shown(within)}"')
        tail = tail.strip()
        if tail and tail[0] != ":":
            raise RemoteProtocolError(f'expected ":" and a port after "]", in "{shown(within)}"')
        colon, port = tail[:1], tail[1:]
    else:
        host, colon, port = text.partition(":")
        host = host.rstrip()
        if not host or not _HOST.issuperset(host):
            raise RemoteProtocolError(f'expected a host, got "{shown(text)}" in "{shown(within)}"')
    if not colon:
        return host, None
    value = number(port, "port", 65535)
    if value == 0:
        raise RemoteProtocolError(f'port 0 in "{shown(within)}"')
    return host, value


def is_numeric(host: str) -> bool:
    """An IPv4 or IPv6 address (without brackets, without a zone)."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def bracketed(host: str) -> str:
    """The host as it stands in a URI or Via."""
    return f"[{host}]" if ":" in host else host


def unescape(text: str) -> str:
    """Take %-escapes off; those that are not two hexadecimal digits stay as they are."""
    if "%" not in text:
        return text
    head, *pieces = text.split("%")
    out = bytearray(head.encode("utf-8", "surrogateescape"))
    for piece in pieces:
        code = piece[:2]
        if len(code) == 2 and all(c in "0123456789abcdefABCDEF" for c in code):
            out.append(int(code, 16))
            out += piece[2:].encode("utf-8", "surrogateescape")
        else:
            out += b"%" + piece.encode("utf-8", "surrogateescape")
    return out.decode("utf-8", "replace")
