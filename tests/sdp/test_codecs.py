"""Payload types by number and by name, and the packet time that a peer asks for."""

from __future__ import annotations

import pytest

from outdial.sdp.codecs import formats, packet_time
from outdial.sdp.description import Media, parse


def audio(m: str, *attributes: str) -> Media:
    return parse(("v=0\r\nm=audio 4000 RTP/AVP " + m + "\r\n" + "".join(f"a={a}\r\n" for a in attributes)).encode()).media[0]


def test_static_numbers_need_no_rtpmap() -> None:
    # RFC 3551 §6, table 4.
    assert [(f.number, f.name, f.codec) for f in formats(audio("0 8 3 9 18"))] == [
        (0, "PCMU", "PCMU"),
        (8, "PCMA", "PCMA"),
        (3, "GSM", None),
        (9, "G722", None),
        (18, "G729", None),
    ]


def test_an_rtpmap_wins_over_the_static_number_and_names_are_case_insensitive() -> None:
    assert [f.codec for f in formats(audio("0 96 97", "rtpmap:0 pcma/8000", "rtpmap:96 pcmu/8000/1", "rtpmap:97 L16/44100/2"))] == [
        "PCMA",
        "PCMU",
        None,
    ]


def test_g711_at_another_rate_or_in_stereo_is_not_ours() -> None:
    assert [f.codec for f in formats(audio("96 97", "rtpmap:96 PCMU/16000", "rtpmap:97 PCMU/8000/2"))] == [None, None]


def test_telephone_event_is_taken_at_8000_only() -> None:
    # As linphone offers it.
    found = formats(
        audio("0 101 98 99", "rtpmap:98 telephone-event/48000", "rtpmap:99 telephone-event/16000", "rtpmap:101 telephone-event/8000")
    )
    assert [f.number for f in found if f.is_event] == [101]


def test_fmtp_belongs_to_its_number() -> None:
    found = formats(audio("96 97", "rtpmap:96 iLBC/8000", "fmtp:96 mode=30", "rtpmap:97 telephone-event/8000", "fmtp:97 0-16,70"))
    assert [f.parameters for f in found] == ["mode=30", "0-16,70"]


@pytest.mark.parametrize("bad", ["rtpmap:96", "rtpmap:x PCMU/8000", "rtpmap:96 PCMU", "rtpmap:96 PCMU/x", "rtpmap:9999999 PCMU/8000"])
def test_an_rtpmap_that_cannot_be_read_says_nothing(bad: str) -> None:
    assert [f.codec for f in formats(audio("96 0", bad))] == [None, "PCMU"]


def test_what_is_no_payload_type_is_left_out() -> None:
    assert [f.number for f in formats(audio("x 128 ٣ 0 -1"))] == [0]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([], 20),
        (["ptime:10"], 10),
        (["ptime:30"], 30),
        (["ptime:60"], 60),
        (["ptime:20.0"], 20),
        (["ptime:5"], 20),
        (["ptime:25"], 20),
        (["ptime:70"], 20),
        (["ptime:"], 20),
        (["ptime:many"], 20),
        (["maxptime:150"], 20),
        (["maxptime:10"], 10),
        (["ptime:60", "maxptime:40"], 20),
        (["ptime:30", "maxptime:30"], 30),
        (["maxptime:3"], 10),
    ],
)
def test_packet_time(attributes: list[str], expected: int) -> None:
    assert packet_time(audio("0", *attributes)) == expected
