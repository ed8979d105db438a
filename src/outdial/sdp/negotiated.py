"""What an offer and its answer agree on: everything that a media engine needs to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """The audio of one session after an answer (RFC 3264)."""

    address: str
    """The peer's media address (c=)."""
    port: int
    rtcp_port: int
    """a=rtcp (RFC 3605), else port + 1."""
    codec: Literal["PCMU", "PCMA"]
    send_type: int
    """Payload type of the codec as the peer numbers it."""
    accept_types: tuple[int, ...]
    """Either side's numbers for the codec."""
    event_send_type: int | None = None
    event_accept_types: tuple[int, ...] = ()
    ptime_ms: int = 20
    """What we send: the peer's a=ptime in tens from 10 to 60, within its a=maxptime, else 20."""
    way: Literal["sendrecv", "sendonly", "recvonly", "inactive"] = "sendrecv"
    """From our side."""
