"""Which headers a create may put on the INVITE (reference 11.1, 11.3). Whatever could inject a header or a line is refused here."""

from __future__ import annotations

import re

from .errors import bad_request

VALUE_MAX = 2048
NAME_MAX = 256
TOTAL_MAX = 49_152
"""Bytes of all of them: twenty of the longest in ASCII. An INVITE has to fit into a datagram (65,507)."""
RESERVED = ("x-amzn", "x-vine", "x-vc", "x-canary", "x-voice")
NAMED = ("user-to-user", "diversion")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""RFC 3261 §25.1, `token`."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check(headers: dict[str, str]) -> None:
    """Raise for the first header that may not be sent."""
    for name, value in headers.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name) or len(name) > NAME_MAX:
            raise bad_request(f"SipHeaders: {name[:60]!r} is not a header name of at most {NAME_MAX} characters (RFC 3261, token)")
        if lower not in NAMED and not (lower.startswith("x-") and len(lower) > 2):
            raise bad_request(f"Invalid SIP header(s) provided: {name[:60]}. Names must begin with x-, or be User-to-User or Diversion")
        if lower.startswith(RESERVED):
            raise bad_request(f"Invalid SIP header(s) provided: {name[:60]}. Names that begin with {', '.join(RESERVED)} are reserved")
        if len(value) > VALUE_MAX:
            raise bad_request(f"SipHeaders: the value of {name[:60]} is longer than {VALUE_MAX} characters")
        if _CONTROL.search(value):
            raise bad_request(f"SipHeaders: the value of {name[:60]} contains a line break or another control character")
    total = sum(len(name) + len(value.encode("utf-8", "replace")) + 4 for name, value in headers.items())
    if total > TOTAL_MAX:
        raise bad_request(f"SipHeaders take {total:,} bytes in all; at most {TOTAL_MAX:,} can be sent")
