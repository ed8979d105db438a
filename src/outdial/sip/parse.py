"""Bytes to a message (RFC 3261 §7, §18.3), and whether a request is fit to be handled (§8.1.1, §8.2).

Theory of operation. `parse` takes whatever has a SIP start line and notes the first thing wrong in `fault`: a message that cannot be
represented cannot be answered either. `check_request` and `check_response` then judge what was read; their error carries the status to
answer with. Both are linear and bounded: 64 kB, 256 header lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import RemoteProtocolError
from .grammar import is_call_id, is_token, number, shown, split_outside
from .headers import COMPACT, SINGLE, parse_cseq, parse_name_addr, tag_of
from .message import Index, Message, Request, Response
from .uri import parse_uri
from .via import Via, parse_via

MAX_SIZE = 65536
MAX_LINES = 256


def parse(data: bytes) -> Request | Response:
    """Read one datagram. Raises `RemoteProtocolError` where it is no SIP message at all (there is nobody to answer)."""
    if len(data) > MAX_SIZE:
        raise RemoteProtocolError(f"{len(data)} bytes, the limit is {MAX_SIZE}", status=513)
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")  # RFC 3261 §7.5
    end = data.find(b"\r\n\r\n")
    cut = ""
    if end < 0:
        # RFC 3261 §18.3: a datagram that was cut off. What can be read of it may be enough for a 400.
        end, cut = len(data), "no empty line after the headers"
    lines = data[:end].decode("utf-8", "surrogateescape").split("\r\n")
    body = data[end + 4 :]
    start = lines[0]
    if start[:4].upper() == "SIP/":
        status, phrase = _status_line(start)
        headers, index, fault = _headers(lines)
        length, wrong = _content_length(index, len(body))
        return Response(
            status=status,
            phrase=phrase,
            headers=headers,
            index=index,
            body=body if length is None else body[:length],
            fault=cut or fault or wrong,
        )
    method, uri, version, bad_start = _request_line(start)
    headers, index, fault = _headers(lines)
    length, wrong = _content_length(index, len(body))
    return Request(
        method=method,
        uri=uri,
        version=version,
        headers=headers,
        index=index,
        body=body if length is None else body[:length],
        fault=cut or bad_start or fault or wrong,
    )


def _status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    code, _, phrase = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise RemoteProtocolError(f'status line: expected "SIP/2.0", got "{shown(version)}"')
    if len(code) != 3 or not code.isascii() or not code.isdigit() or not "1" <= code[0] <= "6":
        raise RemoteProtocolError(f'status line: expected a status from 100 to 699, got "{shown(code)}"')
    return int(code), phrase


def _request_line(line: str) -> tuple[str, str, str, str]:
    """Method, URI, version, and what is wrong with them."""
    stripped = line.rstrip()
    method, _, rest = stripped.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if version[:4].upper() != "SIP/" or not is_token(method) or not uri.strip():
        raise RemoteProtocolError(f'not a SIP message: "{shown(line)}"')
    if stripped != line:
        return method, uri, version, "request line: blanks at the end"
    if " " in uri or "\t" in uri:
        return method, uri, version, f'request line: expected one blank on either side of the URI and none in it, got "{shown(uri)}"'
    return method, uri, version.upper(), ""


def _headers(lines: list[str]) -> tuple[tuple[tuple[str, str], ...], Index, str]:
    headers: list[tuple[str, str]] = []
    index: Index = {}
    fault = ""
    if len(lines) > MAX_LINES:
        fault = f"{len(lines)} header lines, the limit is {MAX_LINES}"
        lines = lines[:MAX_LINES]
    folded: list[str] | None = None
    for at in range(1, len(lines)):
        line = lines[at]
        if line[:1] in (" ", "\t"):
            folded = _unfold(lines)
            break
    if folded is not None:
        lines = folded
    for at in range(1, len(lines)):
        name, colon, value = lines[at].partition(":")
        key = name.lower()
        if key not in _KNOWN:
            name = name.rstrip()
            key = name.lower()
            if not colon or not is_token(name):
                fault = fault or f'header line {at}: expected "name: value", got "{shown(lines[at])}"'
                continue
        key = COMPACT.get(key, key)
        value = value.strip()
        if "\r" in value or "\n" in value:
            fault = fault or f"header line {at}, {shown(name)}: a bare CR or LF"
            value = value.replace("\r", " ").replace("\n", " ")
        if key in index:
            index[key].append(value)
        else:
            index[key] = [value]
        if key != "content-length":
            headers.append((name, value))
    return tuple(headers), index, fault


def _unfold(lines: list[str]) -> list[str]:
    """Join continuation lines with one blank (RFC 3261 §7.3.1)."""
    groups: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and len(groups) > 1:
            groups[-1].append(line.strip())
        else:
            groups.append([line])
    return [group[0] if len(group) == 1 else " ".join(group) for group in groups]


_KNOWN = frozenset(
    [
        "via",
        "from",
        "to",
        "call-id",
        "cseq",
        "contact",
        "max-forwards",
        "content-length",
        "content-type",
        "route",
        "record-route",
        "allow",
        "supported",
        "user-agent",
        "server",
        "accept",
        "require",
        "reason",
        "expires",
    ]
)


def _content_length(index: Index, there: int) -> tuple[int | None, str]:
    """How much of the body counts (None: all), and what is wrong."""
    values = index.get("content-length")
    if values is None:
        return None, ""
    if len(values) > 1 and len(set(values)) > 1:
        return None, f"Content-Length stands there {len(values)} times with different values"
    try:
        length = number(values[0], "Content-Length", 2**31)
    except RemoteProtocolError as error:
        return None, error.detail
    if length > there:
        return None, f"Content-Length is {length}, but {there} bytes follow the headers"
    return length, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Essentials:
    """What transaction and dialog layers need of a message."""

    via: Via
    """The topmost."""
    vias: int
    call_id: str
    from_tag: str
    to_tag: str
    cseq: int
    method: str
    """CSeq's."""


def essentials(message: Message, via: Via | None = None) -> Essentials:
    """Read the six headers that each message must have; `via` is the topmost where it has been read already.

    Raises `RemoteProtocolError` (400).
    """
    index = message.index
    for name in SINGLE:
        values = index.get(name)
        if not values:
            raise RemoteProtocolError(f"{_TITLE[name]} is missing")
        if len(values) > 1:
            raise RemoteProtocolError(f"{_TITLE[name]} stands there {len(values)} times")
    vias = index.get("via")
    if not vias:
        raise RemoteProtocolError("Via is missing")
    first = vias[0]
    count = len(vias)
    for line in vias:
        if "," in line:
            pieces = split_outside(line, ",")
            count += len(pieces) - 1
            if line is first:
                first = pieces[0]
    call_id = index["call-id"][0]
    if not is_call_id(call_id):
        raise RemoteProtocolError(f'Call-ID: not a call id: "{shown(call_id)}"')
    cseq, method = parse_cseq(index["cseq"][0])
    return Essentials(
        via=via or parse_via(first),
        vias=count,
        call_id=call_id,
        from_tag=tag_of(index["from"][0], "From"),
        to_tag=tag_of(index["to"][0], "To"),
        cseq=cseq,
        method=method,
    )


def usual_key(response: Response) -> tuple[str, str] | None:
    """Branch and method of a response in the usual form, without reading the rest of its Via; None: it takes a closer look.

    Raises `RemoteProtocolError` where To cannot be read.
    """
    index = response.index
    vias = index.get("via")
    if vias is None or len(vias) != 1 or "," in vias[0] or '"' in vias[0]:
        return None
    for name in SINGLE:
        if len(index.get(name, ())) != 1:
            return None
    tag_of(index["to"][0], "To")
    words = index["cseq"][0].split()
    return (vias[0].partition(";branch=")[2].partition(";")[0], words[1]) if len(words) == 2 else None


_TITLE = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}


def check_syntax(request: Request, read: Essentials) -> None:
    """Whether a request may be handled at all. Raises `RemoteProtocolError` with the status to answer."""
    if request.version != "SIP/2.0":
        raise RemoteProtocolError(f'version: expected "SIP/2.0", got "{shown(request.version)}"', status=505)
    if request.fault:
        raise RemoteProtocolError(request.fault)
    if read.method != request.method:
        raise RemoteProtocolError(f"CSeq names {shown(read.method)} in a request of method {shown(request.method)}")


def check_request(request: Request, read: Essentials) -> None:
    """Whether a request outside a dialog may be handled. Raises `RemoteProtocolError` with the status to answer."""
    check_syntax(request, read)
    if forwards := request.get("max-forwards"):
        number(forwards, "Max-Forwards", 255)
    for name in ("from", "to"):
        parse_name_addr(request.get(name), _TITLE[name])
    for contact in request.items("contact"):
        if contact != "*":
            parse_name_addr(contact, "Contact")
    try:
        uri = parse_uri(request.uri)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"request line: {error.detail}") from None
    if uri.scheme not in ("sip", "sips"):
        raise RemoteProtocolError(f"URIs of scheme {shown(uri.scheme)} are not served, only sip and sips", status=416)
