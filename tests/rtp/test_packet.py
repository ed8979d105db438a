"""RTP packets against RFC 3550 §5.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.packet import RtpError, RtpPacket, build, parse, payload_bounds

# V=2 P=1 X=1 CC=2, M=1 PT=8, sequence 0x1234, timestamp 0x01020304, SSRC 0xDEADBEEF, two CSRCs, a one-word extension of profile 0xBEDE,
# two octets of payload, three of padding: laid out by hand from the figure of RFC 3550 §5.1 and §5.3.1.
FULL = bytes.fromhex("b288123401020304deadbeef0000000100000002bede000110aa0000c5d5000003")


def test_every_field_of_the_figure() -> None:
    packet = parse(FULL)
    assert packet == RtpPacket(
        payload_type=8,
        marker=True,
        sequence=0x1234,
        timestamp=0x01020304,
        ssrc=0xDEADBEEF,
        csrcs=(1, 2),
        extension=(0xBEDE, bytes.fromhex("10aa0000")),
        payload=b"\xc5\xd5",
    )


def test_the_plain_packet_that_trunks_send() -> None:
    data = bytes.fromhex("80800001000000a000000007") + b"\xff" * 160
    packet = RtpPacket(payload_type=0, marker=True, sequence=1, timestamp=160, ssrc=7, payload=b"\xff" * 160)
    assert build(packet) == data
    assert parse(data) == packet


def test_every_truncation_is_refused_or_shorter_but_never_wrong() -> None:
    for length in range(len(FULL)):
        try:
            packet = parse(FULL[:length])
        except RtpError:
            continue
        assert length >= 28, "header, sources and extension must be whole"
        assert len(packet.payload) <= 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes; an RTP header has 12"),
        (bytes(12), "version 0; RTP is version 2"),
        (bytes.fromhex("a00000010000000000000000ff00"), "padding of 0 octets"),
        (bytes.fromhex("a00000010000000000000000ff0c"), "header and padding need more than the 14 bytes that came"),
        (bytes.fromhex("900000010000000000000000bede"), "the extension's header is cut off"),
        (bytes.fromhex("8f0000010000000000000000ffff"), "header and padding need more than the 14 bytes that came"),
    ],
)
def test_what_is_no_packet_says_why(data: bytes, message: str) -> None:
    with pytest.raises(RtpError) as caught:
        parse(data)
    assert str(caught.value) == message


@given(
    st.builds(
        RtpPacket,
        payload_type=st.integers(0, 127),
        marker=st.booleans(),
        sequence=st.integers(0, 0xFFFF),
        timestamp=st.integers(0, 0xFFFFFFFF),
        ssrc=st.integers(0, 0xFFFFFFFF),
        payload=st.binary(max_size=200),
        csrcs=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
        extension=st.none() | st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=5).map(lambda b: b * 4)),
    )
)
def test_what_is_built_is_parsed(packet: RtpPacket) -> None:
    assert parse(build(packet)) == packet


@given(st.binary(max_size=64))
def test_random_bytes_give_a_packet_or_an_error(data: bytes) -> None:
    try:
        start, end = payload_bounds(data)
    except RtpError:
        return
    assert 12 <= start <= end <= len(data)
