"""Requests and responses as values, and back to bytes (RFC 3261 §7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .grammar import is_token, split_outside
from .headers import COMPACT, LISTS
from .values import Headers

Index = dict[str, list[str]]

PHRASES = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}


def build_index(headers: Headers) -> Index:
    """Values by long name in lower case, in order of appearance."""
    index: Index = {}
    for name, value in headers:
        key = name.lower()
        key = COMPACT.get(key, key)
        if key in index:
            index[key].append(value)
        else:
            index[key] = [value]
    return index


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What requests and responses share."""

    headers: Headers
    """In order, with repeats, names as they came, without Content-Length (it is written from the body)."""
    body: bytes = b""
    fault: str = ""
    """What was wrong with the text, where it could be read nevertheless."""
    index: Index = field(default_factory=dict, repr=False, compare=False)

    def get(self, name: str) -> str:
        """The first value of a header (long name, lower case), or empty."""
        values = self.index.get(name)
        return values[0] if values else ""

    def lines(self, name: str) -> list[str]:
        """The values of each header line of that name, as they came."""
        return self.index.get(name, [])

    def items(self, name: str) -> list[str]:
        """The values of a list header, taken apart at commas. Raises `RemoteProtocolError` on a quote that never closes."""
        lines = self.index.get(name)
        if not lines:
            return []
        if name not in LISTS:
            return lines
        return [piece for line in lines for piece in split_outside(line, ",") if piece]

    @property
    def start_line(self) -> str:
        raise NotImplementedError

    def encode(self) -> bytes:
        """The message as bytes."""
        return encode(self.start_line, self.headers, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """A request."""

    method: str
    uri: str
    version: str = "SIP/2.0"

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """A response."""

    status: int
    phrase: str = ""

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.phrase}"


def encode(start_line: str, headers: Headers, body: bytes) -> bytes:
    """Bytes of a message; Content-Length is added."""
    head = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return f"{start_line}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode("utf-8", "surrogateescape") + body


def make_request(method: str, uri: str, headers: Headers, body: bytes = b"") -> Request:
    """A request with its index."""
    return Request(method=method, uri=uri, headers=headers, body=body, index=build_index(headers))


def check_header(name: str, value: str) -> str | None:
    """Why this pair may not go into a message, or None."""
    if not is_token(name):
        return f"{name!r} is not a header name"
    if "\r" in value or "\n" in value or "\0" in value:
        return f"{name} holds a line break or NUL"
    return None
