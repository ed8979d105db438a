"""What goes into and out of the engine besides `model.media`: packets."""

from __future__ import annotations

from typing import Protocol

from ..model.value import Value

Address = tuple[str, int]
"""Host (numeric) and port."""


class Packet(Value, frozen=True, kw_only=True):
    """A datagram that arrived on one of our ports (RTP on the even ones, RTCP on the odd ones)."""

    port: int
    data: bytes
    source: Address


class SendPacket(Value, frozen=True, kw_only=True):
    """A datagram to be sent from one of our ports."""

    host: str
    """Our address, as `OpenStream` named it."""
    port: int
    data: bytes
    destination: Address


class Sender(Protocol):
    """Sends at once; the live shell's short cut past `SendPacket`."""

    def __call__(self, port: int, data: bytes, destination: Address, /) -> None: ...
