"""Building responses (RFC 3261 §8.2.6)."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import RemoteProtocolError
from .headers import tag_of
from .message import PHRASES, Request, encode
from .values import Headers

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE")
ALLOW = ("Allow", ", ".join(METHODS))
ACCEPT = ("Accept", "application/sdp")
SUPPORTED = ("Supported", "")
"""No extension is supported: 100rel, timer and replaces least of all."""
CAPABILITIES: Headers = (ALLOW, ACCEPT, ("Accept-Encoding", "identity"), ("Accept-Language", "en"), SUPPORTED)


def respond(
    request: Request,
    vias: Iterable[str],
    status: int,
    *,
    phrase: str = "",
    tag: str = "",
    headers: Headers = (),
    body: bytes = b"",
    record_routes: bool = False,
) -> bytes:
    """The bytes of a response; `tag` is put on To where it has none."""
    to = request.get("to")
    if tag and not _tagged(to):
        to = f"{to};tag={tag}"
    copied: list[tuple[str, str]] = [("Via", via) for via in vias]
    if record_routes:
        copied += [("Record-Route", line) for line in request.lines("record-route")]
    copied += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq"))]
    return encode(f"SIP/2.0 {status} {phrase or PHRASES.get(status, _general(status))}", (*copied, *headers), body)


def _tagged(to: str) -> bool:
    try:
        return bool(tag_of(to, "To"))
    except RemoteProtocolError:
        return True  # it cannot be read, so nothing is put onto it: the answer is a 400 anyhow


def _general(status: int) -> str:
    return {1: "Progress", 2: "OK", 3: "Redirect", 4: "Client Error", 5: "Server Error"}.get(status // 100, "Global Failure")
