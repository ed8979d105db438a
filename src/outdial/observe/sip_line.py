"""The little that an observer reads in a SIP message: its first line and two headers. It parses nothing else and trusts nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = 4096
_STATUS = re.compile(rb"SIP/2\.0 (\d{3})(?: ([^\r\n]{0,80}))?")
_METHOD = re.compile(rb"([A-Z]{1,20}) ")
_CSEQ = re.compile(rb"\nCSeq[ \t]*:[ \t]*(\d{1,10})[ \t]+([A-Z]{1,20})", re.IGNORECASE)
_BRANCH = re.compile(rb"\n(?:Via|v)[ \t]*:[^\r\n]*?;branch=([^;,\s]{1,60})", re.IGNORECASE)
METHODS = frozenset(
    {
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "INFO",
        "UPDATE",
        "PRACK",
        "REGISTER",
        "REFER",
        "NOTIFY",
        "SUBSCRIBE",
        "MESSAGE",
        "PUBLISH",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SipLine:
    """A message in brief."""

    method: str
    """The request's method; of a response that of its CSeq."""
    status: int = 0
    """0 for a request."""
    phrase: str = ""
    cseq: int = 0
    branch: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.method}".rstrip() if self.status else self.method


def glance(message: bytes) -> tuple[str, int]:
    """Method and status alone (0 for a request): what counting needs, at a tenth of the cost."""
    status, request = _STATUS.match(message), _METHOD.match(message)
    if status is None:
        return (request[1].decode() if request is not None else "?"), 0
    cseq = _CSEQ.search(message, 0, _HEAD)
    return (cseq[2].decode() if cseq is not None else ""), int(status[1])


def brief(message: bytes) -> SipLine:
    """What a message is; `?` for one whose first line is neither a request's nor a response's."""
    head = message[:_HEAD]
    cseq, branch = _CSEQ.search(head), _BRANCH.search(head)
    status, request = _STATUS.match(head), _METHOD.match(head)
    method = "?"
    if status is not None:
        method = cseq[2].decode() if cseq is not None else ""
    elif request is not None:
        method = request[1].decode()
    return SipLine(
        method=method,
        status=int(status[1]) if status is not None else 0,
        phrase=(status[2] or b"").decode(errors="replace") if status is not None else "",
        cseq=int(cseq[1]) if cseq is not None else 0,
        branch=branch[1].decode(errors="replace") if branch is not None else "",
    )
