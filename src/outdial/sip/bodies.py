"""The SDP of a message: its body, or the part of a multipart body that is SDP (RFC 5621, RFC 2046 §5.1).

Trunks that speak SIP-I put ISUP beside the SDP. Parts inside parts are not looked into.
"""

from __future__ import annotations

from .errors import RemoteProtocolError
from .grammar import split_outside, unquote
from .message import Message

SDP = "application/sdp"
MAX_PARTS = 16


def kind_of(content_type: str) -> str:
    """The media type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def sdp_of(message: Message) -> bytes | None:
    """The SDP, empty where the message has no body, None where its body holds none.

    A body without Content-Type is taken for SDP: peers of RFC 2543 leave it out (RFC 4475 §3.4.1).
    """
    content_type = message.get("content-type")
    if not message.body or not content_type or kind_of(content_type) == SDP:
        return message.body
    if kind_of(content_type).startswith("multipart/"):
        return _part(message.body, _boundary(content_type))
    return None


def _boundary(content_type: str) -> bytes:
    try:
        pieces = split_outside(content_type, ";")[1:]
    except RemoteProtocolError:
        return b""
    for piece in pieces:
        name, _, value = piece.partition("=")
        if name.strip().lower() == "boundary":
            return unquote(value.strip()).encode("utf-8", "surrogateescape")
    return b""


def _part(body: bytes, boundary: bytes) -> bytes | None:
    if not boundary or len(boundary) > 70:
        return None
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS)[1:]:
        if part.startswith(b"--"):
            return None
        head, blank, content = part.partition(b"\r\n\r\n")
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            if blank and name.strip().lower() in ("content-type", "c") and kind_of(value) == SDP:
                return content
    return None
