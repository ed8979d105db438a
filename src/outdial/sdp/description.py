"""A session description as lines (RFC 8866): read, looked into, written back as it came.

Theory of operation. A description is a list of session lines and a list of media sections, each again a list of lines. Nothing is
thrown away: what we do not understand stays in its place, so that `write(parse(text))` is `text` with CRLF line ends. Only what a
session cannot do without is judged when it is read (the form of a line, `v=`, `m=`); the rest when somebody asks for it.
"""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from .errors import SdpError

MAX_BYTES = 65_535
"""What fits a datagram; browsers' descriptions with many candidates reach 10 kB."""
MAX_LINES = 2_000
MAX_MEDIA = 64
_LETTERS = frozenset(string.ascii_letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`kind=value`."""

    kind: str
    value: str
    number: int = field(default=0, compare=False)
    """Where it stood, from 1; 0 for a line of our own."""

    def __str__(self) -> str:
        return f"{self.kind}={self.value}"

    def error(self, problem: str, mend: str) -> SdpError:
        """An error that names this line."""
        return SdpError(problem, mend, line=self.number, text=str(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The `o=` line (RFC 8866 §5.2)."""

    username: str = "-"
    session_id: str
    version: str
    network: str = "IN"
    address_type: str = "IP4"
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines that stand together: the session's, or those of one medium."""

    lines: tuple[Line, ...] = ()

    def all(self, kind: str) -> Iterator[Line]:
        """Each line of one kind, in order."""
        return (line for line in self.lines if line.kind == kind)

    def first(self, kind: str) -> Line | None:
        """The first line of one kind, or None."""
        return next(self.all(kind), None)

    def attributes(self, name: str) -> Iterator[str]:
        """The value of each attribute of that name (empty for a property, `a=sendrecv`), in order."""
        start = len(name)
        for line in self.lines:
            value = line.value
            if line.kind == "a" and value.startswith(name) and (len(value) == start or value[start] == ":"):
                yield value[start + 1 :].strip()

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of that name, or None."""
        return next(self.attributes(name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media(Section):
    """One `m=` line and what belongs to it (RFC 8866 §5.14)."""

    kind: str
    """`audio`, `video`, `image` …"""
    port: int
    ports: int = 1
    """How many port pairs (`49170/2`)."""
    protocol: str = "RTP/AVP"
    formats: tuple[str, ...]
    line: Line | None = field(default=None, compare=False)
    """The `m=` line as it came."""

    def error(self, problem: str, mend: str) -> SdpError:
        """An error that names the `m=` line."""
        return (self.line or Line(kind="m", value=_media_value(self))).error(problem, mend)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Section):
    """A whole session description; `lines` are the session's."""

    media: tuple[Media, ...] = ()

    @property
    def origin(self) -> Origin:
        """The `o=` line, taken apart. Raises `SdpError` where it is missing or has not six fields."""
        line = self.first("o")
        if line is None:
            raise SdpError("there is no o= line", 'add one after v=, for example "o=- 1 1 IN IP4 192.0.2.1"')
        parts = line.value.split()
        if len(parts) != 6:
            raise line.error(
                f"an o= line has six fields, this one has {len(parts)}",
                'write user, id, version, network, address type and address, for example "o=- 1 1 IN IP4 192.0.2.1"',
            )
        user, session_id, version, network, address_type, address = parts
        return Origin(username=user, session_id=session_id, version=version, network=network, address_type=address_type, address=address)

    def connection(self, media: Media) -> str:
        """The numeric address of a medium: its own `c=` line, else the session's (RFC 8866 §5.7).

        Raises `SdpError` where there is none, or it is not a single numeric address.
        """
        line = media.first("c") or self.first("c")
        if line is None:
            raise media.error("no c= line says where the medium is", 'add one, for example "c=IN IP4 192.0.2.1"')
        parts = line.value.split()
        if len(parts) != 3 or parts[0].upper() != "IN" or parts[1].upper() not in {"IP4", "IP6"}:
            raise line.error("this is not a connection to the internet", 'write "c=IN IP4" or "c=IN IP6" and one address')
        try:
            address = _numeric(parts[2])
        except ValueError:
            raise line.error(
                f'"{parts[2][:40]}" is not a numeric address', 'give the address itself, for example "c=IN IP4 192.0.2.1"'
            ) from None
        if address.version != (4 if parts[1].upper() == "IP4" else 6):
            raise line.error(f"{parts[2]} is not an {parts[1].upper()} address", f'write "c=IN IP{address.version} {parts[2]}"')
        if address.is_multicast:
            raise line.error("a call needs an address of one host, this is a multicast group", "give the host's own address")
        return str(address)


def parse(data: bytes) -> Description:
    """Read a description. Raises `SdpError` for what is too long, is not lines of `x=…`, or lacks `v=0`."""
    if len(data) > MAX_BYTES:
        raise SdpError(f"{len(data)} bytes are too many", f"keep a description within {MAX_BYTES} bytes")
    session: list[Line] = []
    media: list[tuple[Line, list[Line]]] = []
    current = session
    for line in _lines(data):
        if line.kind == "m":
            if len(media) == MAX_MEDIA:
                raise line.error(f"more than {MAX_MEDIA} media", "offer fewer")
            current = []
            media.append((line, current))
        else:
            current.append(line)
    if not session or session[0].kind != "v":
        raise SdpError("the first line is not v=0", 'begin a description with "v=0"', line=1, text=_opening(data))
    if session[0].value.strip() != "0":
        raise session[0].error("only version 0 is known", 'write "v=0"')
    return Description(lines=tuple(session), media=tuple(_media(line, tuple(lines)) for line, lines in media))


def write(description: Description) -> bytes:
    """The description as text, with CRLF line ends."""
    out = [f"{line.kind}={line.value}" for line in description.lines]
    for media in description.media:
        out.append(f"m={media.line.value}" if media.line is not None else f"m={_media_value(media)}")
        out += [f"{line.kind}={line.value}" for line in media.lines]
    out.append("")
    return "\r\n".join(out).encode("utf-8", "surrogateescape")


def _lines(data: bytes) -> Iterator[Line]:
    # RFC 8866 §5 wants CRLF and asks readers to bear a bare LF.
    text = data.decode("utf-8", "surrogateescape")
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw[:-1] if raw.endswith("\r") else raw
        if number <= MAX_LINES and line[1:2] == "=" and line.isprintable() and line[0] in _LETTERS:
            yield Line(kind=line[0], value=line[2:], number=number)  # nearly every line is in order
            continue
        if not line.strip("\0 \t"):
            continue  # a trailing empty line, and what devices pad with
        if number > MAX_LINES:
            raise SdpError(f"more than {MAX_LINES} lines", "send fewer", line=number, text=line)
        if len(line) < 2 or line[1] != "=" or not line[0].isascii() or not line[0].isalpha():
            raise SdpError("this is not a line of a description", 'a line is one letter, "=" and a value', line=number, text=line)
        if "\0" in line or "\r" in line:
            raise SdpError("it contains a control character", "leave out NUL and CR", line=number, text=line)
        yield Line(kind=line[0], value=line[2:], number=number)


@lru_cache(maxsize=1024)
def _numeric(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The few media addresses of a trunk come again and again."""
    return ipaddress.ip_address(text)


def _opening(data: bytes) -> str:
    return data[:80].decode("utf-8", "surrogateescape").split("\n", 1)[0].rstrip("\r")


def _media(line: Line, lines: tuple[Line, ...]) -> Media:
    parts = line.value.split()
    if len(parts) < 4:
        raise line.error(
            f"an m= line has at least four fields, this one has {len(parts)}",
            'write medium, port, protocol and formats, for example "m=audio 49170 RTP/AVP 0"',
        )
    kind, port, protocol, *formats = parts
    number, slash, count = port.partition("/")
    if not _is_number(number) or int(number) > 65_535:
        raise line.error(f'"{port[:20]}" is not a port', "give a number from 0 to 65535")
    if slash and (not _is_number(count) or int(count) == 0):
        raise line.error(f'"{port[:20]}" is not a port and a count of ports', 'write for example "49170/2"')
    return Media(
        lines=lines, kind=kind, port=int(number), ports=int(count) if slash else 1, protocol=protocol, formats=tuple(formats), line=line
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _media_value(media: Media) -> str:
    port = f"{media.port}/{media.ports}" if media.ports > 1 else str(media.port)
    return " ".join([media.kind, port, media.protocol, *media.formats])
