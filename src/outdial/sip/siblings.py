"""The requests that share an INVITE's branch: the ACK of its refusal and its CANCEL (RFC 3261 §17.1.1.3, §9.1)."""

from __future__ import annotations

from .message import Request, Response, make_request
from .values import Headers

_COPIED = frozenset({"from", "call-id", "route"})
_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})


def ack_of_refusal(invite: Request, response: Response) -> bytes:
    """The ACK of a 300 to 699: the INVITE's branch, To from the response (RFC 3261 §17.1.1.3)."""
    headers = _sibling_headers(invite, "ACK", response.get("to"), _COPIED | _CREDENTIALS)
    return Request(method="ACK", uri=invite.uri, headers=headers).encode()


def cancel_of(invite: Request, reason: str) -> Request:
    """The CANCEL of an INVITE (RFC 3261 §9.1), with a Reason where there is one (RFC 3326)."""
    extra = (("Reason", reason),) if reason else ()
    headers = _sibling_headers(invite, "CANCEL", invite.get("to"), _COPIED) + extra
    return make_request("CANCEL", invite.uri, headers)


def _sibling_headers(invite: Request, method: str, to: str, copied: frozenset[str]) -> Headers:
    number = invite.get("cseq").split()[0]
    kept = tuple(pair for pair in invite.headers if pair[0].lower() in copied)
    return (("Via", invite.get("via")), *kept, ("To", to), ("CSeq", f"{number} {method}"), ("Max-Forwards", "70"))
