"""What may be shown: numbers and addresses masked, ids short, secrets never."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from ..model.numbers import mask_all, masked

SHORT = 6
"""Letters of an id in a log line: few enough never to look like a telephone number."""
_V4 = re.compile(r"\b(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}\b")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_CREDENTIALS = re.compile(rb"^((?:proxy-)?authorization[ \t]*:[ \t]*[^\s,]*)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)
_SRTP_KEY = re.compile(rb"^(a=crypto:[^\r\n]*?inline:)[^\r\n|]*", re.MULTILINE)


def short(id_: str) -> str:
    """The beginning of an id, as far as a log line shows it."""
    return id_[:SHORT]


def mask_addresses(text: str) -> str:
    """`192.0.2.7` as `192.0.2.*`, `2001:db8::7` as `2001:db8:*`."""
    return _V6.sub(_masked_v6, _V4.sub(r"\1.*", text))


def _masked_v6(found: re.Match[str]) -> str:
    """Also a time of day looks like an address at first sight."""
    try:
        IPv6Address(found[0])
    except ValueError:
        return found[0]
    return ":".join(found[0].split(":")[:2]) + ":*"


def mask(text: str) -> str:
    """A text that somebody else wrote, with its numbers and addresses masked, on one line."""
    return mask_all(mask_addresses(" ".join(text.split())))


def redacted(message: bytes) -> bytes:
    """A SIP message without credentials (Authorization, Proxy-Authorization) and without SRTP keys."""
    if b"authorization" in message.lower():  # most messages have none, and this is asked of each
        message = _CREDENTIALS.sub(rb"\1 (redacted)", message)
    if b"a=crypto:" in message:
        message = _SRTP_KEY.sub(rb"\1(redacted)", message)
    return message


__all__ = ["mask", "mask_addresses", "masked", "redacted", "short"]
