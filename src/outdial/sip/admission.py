"""Which requests we can serve at all (RFC 3261 §8.2.1 to §8.2.3): method, extensions, kinds of body."""

from __future__ import annotations

from .bodies import kind_of, sdp_of
from .errors import RemoteProtocolError
from .grammar import shown
from .message import Request
from .respond import ACCEPT, ALLOW, METHODS


def check_method(request: Request) -> None:
    """Raises `RemoteProtocolError` (405, with Allow)."""
    if request.method not in METHODS:
        raise RemoteProtocolError(f"{shown(request.method)} is not served", status=405, headers=(ALLOW,))


def check_extensions(request: Request) -> None:
    """Raises `RemoteProtocolError` (420, naming what is not supported, RFC 3261 §8.2.2.3)."""
    if required := request.items("require"):
        raise RemoteProtocolError(
            f"extensions are required that are not supported: {shown(', '.join(required))}",
            status=420,
            headers=(("Unsupported", ", ".join(required)),),
        )


def check_body(request: Request) -> None:
    """INVITE and UPDATE carry SDP or nothing. Raises `RemoteProtocolError` (415 with Accept, or 406)."""
    if request.body:
        if sdp_of(request) is None:
            kind = shown(kind_of(request.get("content-type")))
            raise RemoteProtocolError(f"a body of type {kind}, only application/sdp is read", status=415, headers=(ACCEPT,))
        coding = request.get("content-encoding").strip().lower()
        if coding not in ("", "identity"):
            raise RemoteProtocolError(f"a body encoded as {shown(coding)}", status=415, headers=(("Accept-Encoding", "identity"),))
    if "accept" in request.index:
        kinds = {item.partition(";")[0].strip().lower() for item in request.items("accept")}
        if request.method == "INVITE" and kinds.isdisjoint(("application/sdp", "application/*", "*/*")):
            raise RemoteProtocolError("application/sdp is not among what is accepted, and nothing else is sent", status=406)
