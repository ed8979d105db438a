"""The captures of digits that SIPp ships and `play_pcap_audio` sends as they are: one SSRC, fixed numbers and timestamps, repeated ends."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest

from helpers.media_rig import VirtualRig
from outdial.media.values import Packet
from outdial.model.media import Digit

SHIPPED = Path("/usr/share/sip-tester")
NAMES = {"*": "star", "#": "pound"}

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not SHIPPED.exists(), reason="SIPp is not installed")]


def capture(digit: str) -> list[tuple[float, bytes]]:
    """Moment and RTP packet of each frame (classic pcap, Ethernet)."""
    data = (SHIPPED / f"dtmf_2833_{NAMES.get(digit, digit)}.pcap").read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack_from(order + "I", data, 20)[0]
    skip = {1: 14, 113: 16}[link]
    at, out = 24, []
    while at < len(data):
        seconds, micros, length, _ = struct.unpack_from(order + "IIII", data, at)
        ip = data[at + 16 + skip : at + 16 + length]
        at += 16 + length
        udp = ip[(ip[0] & 15) * 4 :]
        out.append((seconds + micros / 1e6, udp[8 : struct.unpack_from("!H", udp, 4)[0]]))
    return [(moment - out[0][0], packet) for moment, packet in out]


@pytest.mark.parametrize("digits", ["0123456789*#", "#*9876543210", "31415926"])
def test_each_is_heard_once_whatever_order_they_are_played_in(virtual: VirtualRig, digits: str) -> None:
    port = virtual.open(virtual.phone(), address="127.0.0.1", port=4000, rtcp_port=4001)
    gap = 0.5 if len(set(digits)) < len(digits) else 0.2
    for digit in digits:
        for (at, data), (then, _) in itertools.pairwise([*capture(digit), (capture(digit)[-1][0] + gap, b"")]):
            virtual.give(Packet(port=port, data=data, source=("127.0.0.1", 4000)))
            virtual.run(max(0.0, then - at))
    assert "".join(event.digit for event in virtual.of(Digit)) == digits
