"""What goes into and out of the engine besides `model.media`: packets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

Address = tuple[str, int]
"""Host (numeric) and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A datagram that arrived on one of our ports (RTP on the even ones, RTCP on the odd ones)."""

    port: int
    data: bytes
    source: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPacket:
    """A datagram to be sent from one of our ports."""

    port: int
    data: bytes
    destination: Address


class Sender(Protocol):
    """Sends at once; the live shell's short cut past `SendPacket`."""

    def __call__(self, port: int, data: bytes, destination: Address, /) -> None: ...
