"""RTCP against RFC 3550 §6; bytes are laid out by hand from its figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.packet import RtpError
from outdial.rtp.rtcp import (
    Goodbye,
    Other,
    ReceiverReport,
    Report,
    SenderReport,
    SourceDescription,
    build,
    ntp_time,
    parse,
)

BLOCK = "0000000b4000000300010002000000501111222200018000"
SR = "81c8000c0000000ae000000080000000000001400000000200000140" + BLOCK
SDES = "81ca00030000000a01056140622e6300"
BYE = "81cb00010000000a"


def values() -> tuple[SenderReport, SourceDescription, Goodbye]:
    report = Report(ssrc=11, fraction_lost=0x40, lost=3, highest=0x10002, jitter=0x50, last_sr=0x11112222, since_last_sr=0x18000)
    return (
        SenderReport(ssrc=10, ntp=0xE0000000_80000000, rtp_time=320, packets=2, octets=320, reports=(report,)),
        SourceDescription(ssrc=10, cname="a@b.c"),
        Goodbye(ssrcs=(10,)),
    )


def test_a_compound_packet_in_its_bytes() -> None:
    data = bytes.fromhex(SR + SDES + BYE)
    assert build(values()) == data
    assert parse(data) == values()


def test_a_goodbye_with_its_reason() -> None:
    rr = ReceiverReport(ssrc=1)
    bye = Goodbye(ssrcs=(1,), reason="camera malfunction")  # the reason that RFC 3550 §6.6 gives as an example
    data = build((rr, bye))
    assert data[8:] == bytes.fromhex("81cb00060000000112") + b"camera malfunction" + b"\0"
    assert parse(data) == (rr, bye)


def test_lost_is_signed_in_24_bits() -> None:
    block = Report(ssrc=1, lost=-1)
    assert build((ReceiverReport(ssrc=2, reports=(block,)),))[12:16] == bytes.fromhex("00ffffff")
    assert parse(build((ReceiverReport(ssrc=2, reports=(block,)),))) == (ReceiverReport(ssrc=2, reports=(block,)),)


def test_types_that_we_do_not_read_are_kept() -> None:
    app = bytes.fromhex("80cc00020000000a6e616d65")
    assert parse(build((ReceiverReport(ssrc=1),)) + app)[1] == Other(packet_type=204, body=bytes.fromhex("0000000a6e616d65"))


def test_padding_stands_in_the_last_packet_only() -> None:
    padded = bytes.fromhex("80c9000100000001") + bytes.fromhex("a1cb00020000000100000004")
    assert parse(padded) == (ReceiverReport(ssrc=1), Goodbye(ssrcs=(1,)))
    with pytest.raises(RtpError, match="octet 0: bad padding"):
        parse(bytes.fromhex("a0c9000100000001") + bytes.fromhex("81cb000100000001"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty RTCP packet"),
        (bytes.fromhex("80c9000200000001"), "RTCP octet 0: announces 12 bytes, 8 are left"),
        (bytes.fromhex("81c9000100000001"), "RTCP packet type 201"),
        (bytes.fromhex("80c90001000000018000"), "RTCP octet 8: 2 bytes left"),
        (bytes.fromhex("8000000100000001"), "RTCP octet 0: version 2, packet type 0"),
    ],
)
def test_what_is_no_compound_packet_says_why(data: bytes, message: str) -> None:
    with pytest.raises(RtpError) as caught:
        parse(data)
    assert message in str(caught.value)


def test_a_compound_may_begin_with_anything() -> None:
    """RFC 5506 §3.1; and as baresip does."""
    assert parse(bytes.fromhex(BYE)) == (Goodbye(ssrcs=(10,)),)


def test_every_truncation_is_refused() -> None:
    data = bytes.fromhex(SR + SDES + BYE)
    whole = {0, 52, 68, 76}
    for length in range(1, len(data)):
        if length not in whole:
            with pytest.raises(RtpError):
                parse(data[:length])


@given(st.binary(max_size=80))
def test_random_bytes_give_packets_or_an_error(data: bytes) -> None:
    try:
        assert parse(data)
    except RtpError:
        pass


def test_ntp_time_counts_from_1900() -> None:
    assert ntp_time(0) == 2208988800 << 32  # RFC 868's figure for 1 January 1970
    assert ntp_time(1500) == 2208988801 << 32 | 1 << 31
