"""RTCP (RFC 3550 §6): sender and receiver reports, source descriptions, goodbyes; compound packets."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from .packet import RtpError

_NTP_EPOCH = 2208988800
"""Seconds from 1900 to 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One reception report block (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int = 0
    """Of 256, since the last report."""
    lost: int = 0
    """Cumulative, 24 bits signed."""
    highest: int = 0
    """Extended highest sequence number."""
    jitter: int = 0
    """In timestamp units."""
    last_sr: int = 0
    """Middle 32 bits of the last sender report's NTP time; 0: none came."""
    since_last_sr: int = 0
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    ssrc: int
    ntp: int
    """64 bits: seconds since 1900 and their fraction."""
    rtp_time: int
    packets: int
    octets: int
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """One chunk's CNAME (RFC 3550 §6.5); other items are left out."""

    ssrc: int
    cname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    ssrcs: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A packet of a type that we do not read (APP, feedback, extended reports)."""

    packet_type: int
    body: bytes = field(repr=False)


Rtcp = SenderReport | ReceiverReport | SourceDescription | Goodbye | Other


def ntp_time(epoch_ms: int) -> int:
    """Epoch milliseconds as a 64-bit NTP timestamp (RFC 3550 §4)."""
    seconds, ms = divmod(epoch_ms, 1000)
    return (seconds + _NTP_EPOCH) << 32 | (ms << 32) // 1000


def build(packets: tuple[Rtcp, ...]) -> bytes:
    """A compound packet."""
    return b"".join(_build(packet) for packet in packets)


def parse(data: bytes) -> tuple[Rtcp, ...]:
    """The packets of a compound packet. Raises `RtpError` where the validity checks of RFC 3550 A.2 fail.

    It need not begin with a report (RFC 5506 §3.1): baresip was met sending a lone APP first and its BYE before its SDES.
    """
    out: list[Rtcp] = []
    at = 0
    while at < len(data):
        if len(data) - at < 4:
            raise RtpError(f"RTCP octet {at}: {len(data) - at} bytes left, a header has 4")
        first, kind, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or not 192 <= kind <= 223:
            raise RtpError(f"RTCP octet {at}: version {first >> 6}, packet type {kind}")
        if end > len(data):
            raise RtpError(f"RTCP octet {at}: announces {4 + 4 * words} bytes, {len(data) - at} are left")
        body = data[at + 4 : end]
        if first & 0x20:
            if end != len(data) or not body or not 0 < body[-1] <= len(body):
                raise RtpError(f"RTCP octet {at}: bad padding")
            body = body[: -body[-1]]
        out.append(_parse(kind, first & 0x1F, body))
        at = end
    if not out:
        raise RtpError("an empty RTCP packet")
    return tuple(out)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _build(packet: Rtcp) -> bytes:
    match packet:
        case SenderReport():
            head = struct.pack("!IQIII", packet.ssrc, packet.ntp, packet.rtp_time, packet.packets, packet.octets)
            return _packet(200, len(packet.reports), head + b"".join(map(_build_report, packet.reports)))
        case ReceiverReport():
            return _packet(201, len(packet.reports), struct.pack("!I", packet.ssrc) + b"".join(map(_build_report, packet.reports)))
        case SourceDescription():
            name = packet.cname.encode()[:255]
            chunk = struct.pack("!IBB", packet.ssrc, 1, len(name)) + name + b"\0"
            return _packet(202, 1, chunk + bytes(-len(chunk) % 4))
        case Goodbye():
            body = struct.pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
            if packet.reason:
                reason = packet.reason.encode()[:255]
                body += bytes([len(reason)]) + reason
            return _packet(203, len(packet.ssrcs), body + bytes(-len(body) % 4))
        case Other():
            return _packet(packet.packet_type, 0, packet.body)


def _build_report(report: Report) -> bytes:
    lost = max(-0x800000, min(0x7FFFFF, report.lost)) & 0xFFFFFF
    return struct.pack(
        "!IIIIII",
        report.ssrc,
        report.fraction_lost << 24 | lost,
        report.highest & 0xFFFFFFFF,
        report.jitter & 0xFFFFFFFF,
        report.last_sr,
        report.since_last_sr & 0xFFFFFFFF,
    )


def _parse(kind: int, count: int, body: bytes) -> Rtcp:
    try:
        if kind == 200:
            ssrc, ntp, rtp_time, packets, octets = struct.unpack_from("!IQIII", body)
            return SenderReport(
                ssrc=ssrc, ntp=ntp, rtp_time=rtp_time, packets=packets, octets=octets, reports=_parse_reports(body, 24, count)
            )
        if kind == 201:
            return ReceiverReport(ssrc=struct.unpack_from("!I", body)[0], reports=_parse_reports(body, 4, count))
        if kind == 202:
            return _parse_description(body)
        if kind == 203:
            ssrcs = struct.unpack_from(f"!{count}I", body)
            rest = body[4 * count :]
            return Goodbye(ssrcs=ssrcs, reason=rest[1 : 1 + rest[0]].decode(errors="replace") if rest else "")
    except struct.error as error:
        raise RtpError(f"RTCP packet type {kind}: {error}") from None
    return Other(packet_type=kind, body=bytes(body))


def _parse_reports(body: bytes, at: int, count: int) -> tuple[Report, ...]:
    out = []
    for index in range(count):
        ssrc, lost, highest, jitter, last_sr, since = struct.unpack_from("!IIIIII", body, at + 24 * index)
        cumulative = lost & 0xFFFFFF
        if cumulative & 0x800000:
            cumulative -= 0x1000000
        out.append(
            Report(
                ssrc=ssrc, fraction_lost=lost >> 24, lost=cumulative, highest=highest, jitter=jitter, last_sr=last_sr, since_last_sr=since
            )
        )
    return tuple(out)


def _parse_description(body: bytes) -> SourceDescription:
    if len(body) < 4:
        return SourceDescription(ssrc=0, cname="")
    ssrc = struct.unpack_from("!I", body)[0]
    at = 4
    while at + 2 <= len(body) and body[at] != 0:
        kind, length = body[at], body[at + 1]
        if kind == 1:
            return SourceDescription(ssrc=ssrc, cname=body[at + 2 : at + 2 + length].decode(errors="replace"))
        at += 2 + length
    return SourceDescription(ssrc=ssrc, cname="")
