"""RTP packets (RFC 3550 §5.1): bytes to value and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct("!BBHII")
"""First octet, marker and payload type, sequence number, timestamp, SSRC."""
PLAIN = 0x80
"""First octet of a packet of version 2 without padding, extension and contributing sources."""


class RtpError(ValueError):
    """The bytes are not an RTP or RTCP packet; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    """One RTP packet; padding is taken off, an extension is kept as it came (profile, bytes)."""

    payload_type: int
    marker: bool = False
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    csrcs: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None


def payload_bounds(data: bytes) -> tuple[int, int]:
    """Where the payload of a packet begins and ends. Raises `RtpError` where the lengths inside contradict the packet's (RFC 3550 §5.1)."""
    length = len(data)
    if length < 12:
        raise RtpError(f"{length} bytes; an RTP header has 12")
    first = data[0]
    if first >> 6 != 2:
        raise RtpError(f"version {first >> 6}; RTP is version 2")
    start = 12 + 4 * (first & 0x0F)
    end = length
    if first & 0x10:
        if length < start + 4:
            raise RtpError("the extension's header is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        padding = data[-1]
        if padding == 0:
            raise RtpError("padding of 0 octets")
        end -= padding
    if start > end:
        raise RtpError(f"header and padding need more than the {length} bytes that came")
    return start, end


def parse(data: bytes) -> RtpPacket:
    """The packet in `data`. Raises `RtpError`."""
    start, end = payload_bounds(data)
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    count = first & 0x0F
    extension = None
    if first & 0x10:
        at = 12 + 4 * count
        extension = (int.from_bytes(data[at : at + 2], "big"), bytes(data[at + 4 : start]))
    return RtpPacket(
        payload_type=second & 0x7F,
        marker=second >= 0x80,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=bytes(data[start:end]),
        csrcs=struct.unpack_from(f"!{count}I", data, 12),
        extension=extension,
    )


def build(packet: RtpPacket) -> bytes:
    """The packet's bytes, without padding."""
    first = PLAIN | len(packet.csrcs) | (0x10 if packet.extension is not None else 0)
    out = HEADER.pack(first, packet.marker << 7 | packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc)
    out += struct.pack(f"!{len(packet.csrcs)}I", *packet.csrcs)
    if packet.extension is not None:
        profile, body = packet.extension
        out += struct.pack("!HH", profile, len(body) // 4) + body
    return out + packet.payload
