"""Asking a SIP address whether somebody is there: one OPTIONS over UDP."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from ..io.ids import LiveIds

WAIT_S = 0.5
TRIES = 4
_URI = re.compile(r"sips?:(?:[^@]+@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    reached: bool
    text: str
    """One line: what answered, or why nothing did."""


def options(uri: str) -> Found:
    """Send OPTIONS up to four times, half a second apart; any answer will do."""
    parts = _URI.match(uri)
    if parts is None:
        return Found(reached=False, text="this is not a SIP address")
    host, port = parts[1].strip("[]"), int(parts[2] or 5060)
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except socket.gaierror:
        return Found(reached=False, text=f"the name {host} does not resolve")
    ids = LiveIds()
    with socket.socket(family, kind, protocol) as line:
        line.settimeout(WAIT_S)
        try:
            line.connect(where)
            for _ in range(TRIES):
                line.send(_request(uri, line.getsockname(), ids))
                try:
                    answer = line.recv(65_535)
                except TimeoutError:
                    continue
                first = answer.split(b"\r\n", 1)[0].decode("utf-8", "replace")[:80]
                return Found(reached=first.startswith("SIP/2.0 "), text=f"answers {first.removeprefix('SIP/2.0 ')}")
        except OSError as error:
            return Found(reached=False, text=(error.strerror or str(error)).lower())
    return Found(reached=False, text=f"no answer within {WAIT_S * TRIES:.0f} seconds")


def _request(uri: str, source: tuple[str, int], ids: LiveIds) -> bytes:
    host = f"[{source[0]}]" if ":" in source[0] else source[0]
    return (
        f"OPTIONS {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{source[1]};rport;branch=z9hG4bK{ids.hex(16)}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:outdial@{host}>;tag={ids.hex(8)}\r\nTo: <{uri}>\r\n"
        f"Call-ID: {ids.hex(24)}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:outdial@{host}:{source[1]}>\r\nContent-Length: 0\r\n\r\n"
    ).encode()
