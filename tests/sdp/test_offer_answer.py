"""Offer and answer by RFC 3264: its own examples, the shapes that real peers send, and what cannot be agreed on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.sdp import Negotiated, SdpError, judge_answer, make_answer, make_offer, parse, same_media

OFFER = make_offer("192.0.2.1", 10000, session_id=7, version=1)


def sdp(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def peer(*media: str, c: str = "IN IP4 198.51.100.7") -> bytes:
    return sdp("v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", f"c={c}", "t=0 0", *media)


BARESIP = sdp(
    "v=0", "o=- 3122807093 908200375 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "a=tool:baresip 1.0.0",
    "m=audio 11000 RTP/AVP 0 8 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15", "a=sendrecv", "a=label:1", "a=rtcp-rsize", "a=ssrc:1007525271 cname:sip:bob@127.0.0.1:5080",
    "a=minptime:20", "a=ptime:20",
)  # fmt: skip
"""As baresip 1.0.0 offers."""
SIPP = sdp(
    "v=0", "o=user1 53655765 2353687637 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 6000 RTP/AVP 0 101",
    "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16",
)  # fmt: skip
LINPHONE = sdp(
    "v=0", "o=alice 3264 1 IN IP6 2001:db8::5", "s=Talk", "c=IN IP6 2001:db8::5", "t=0 0",
    "a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics",
    "m=audio 12000 RTP/AVP 96 97 98 0 8 18 101 99 100", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1", "a=rtpmap:97 speex/16000",
    "a=fmtp:97 vbr=on", "a=rtpmap:98 speex/8000", "a=fmtp:98 vbr=on", "a=fmtp:18 annexb=yes", "a=rtpmap:101 telephone-event/48000",
    "a=rtpmap:99 telephone-event/16000", "a=rtpmap:100 telephone-event/8000", "a=rtcp-fb:* trr-int 1000", "a=rtcp-fb:* ccm tmmbr",
)  # fmt: skip
"""The shape that linphone 5 offers: events at three rates, IPv6 where the machine has a route."""


def test_our_offer_as_text() -> None:
    assert sdp(
        "v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 10000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20",
        "a=rtcp:10001", "a=sendrecv",
    ) == OFFER  # fmt: skip


def test_our_offer_on_ipv6_with_another_order_and_packet_time() -> None:
    offer = make_offer("2001:db8::1", 4000, session_id=1, version=2, codecs=("PCMA",), ptime=30)
    found = parse(offer)
    assert found.connection(found.media[0]) == "2001:db8::1"
    assert found.media[0].formats == ("8", "101")
    assert found.media[0].attribute("ptime") == "30"


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (
            BARESIP,
            Negotiated(
                address="127.0.0.1", port=11000, rtcp_port=11001, codec="PCMU", send_type=0, accept_types=(0,),
                event_send_type=101, event_accept_types=(101,),
            ),
        ),
        (
            SIPP,
            Negotiated(
                address="127.0.0.1", port=6000, rtcp_port=6001, codec="PCMU", send_type=0, accept_types=(0,),
                event_send_type=101, event_accept_types=(101,),
            ),
        ),
        (
            LINPHONE,
            Negotiated(
                address="2001:db8::5", port=12000, rtcp_port=12001, codec="PCMU", send_type=0, accept_types=(0,),
                event_send_type=100, event_accept_types=(100,),
            ),
        ),
    ],
    ids=["baresip", "SIPp", "linphone"],
)  # fmt: skip
def test_offers_of_real_peers_are_answered(offer: bytes, expected: Negotiated) -> None:
    answer, agreed = make_answer(offer, "192.0.2.1", 10000, session_id=1, version=1)
    assert agreed == expected
    media = parse(answer).media
    assert [m.formats for m in media] == [(str(expected.send_type), str(expected.event_send_type))]
    # What the offerer makes of our answer is the same codec, at our address.
    theirs = judge_answer(offer, answer)
    assert (theirs.address, theirs.port, theirs.codec, theirs.way) == ("192.0.2.1", 10000, expected.codec, "sendrecv")


def test_the_first_exchange_of_rfc_3264() -> None:
    # RFC 3264 §10.1: of two codecs and two videos the answerer takes PCMU and refuses the first video.
    offer = sdp(
        "v=0", "o=alice 2890844526 2890844526 IN IP4 198.51.100.9", "s=", "c=IN IP4 198.51.100.9", "t=0 0",
        "m=audio 49170 RTP/AVP 0 8 97", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:97 iLBC/8000",
        "m=video 51372 RTP/AVP 31 32", "a=rtpmap:31 H261/90000", "a=rtpmap:32 MPV/90000",
    )  # fmt: skip
    answer, agreed = make_answer(offer, "192.0.2.1", 49172, session_id=1, version=1)
    assert (agreed.codec, agreed.port, agreed.event_send_type) == ("PCMU", 49170, None)
    assert [(m.kind, m.port, m.protocol, m.formats) for m in parse(answer).media] == [
        ("audio", 49172, "RTP/AVP", ("0",)),
        ("video", 0, "RTP/AVP", ("31", "32")),
    ]


def test_the_answer_of_rfc_3264_is_read() -> None:
    # RFC 3264 §10.1, Bob's answer cut down to the offer of ours.
    answer = sdp(
        "v=0", "o=bob 2890844730 2890844730 IN IP4 203.0.113.5", "s=", "c=IN IP4 203.0.113.5", "t=0 0", "m=audio 49920 RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
    )  # fmt: skip
    assert judge_answer(OFFER, answer) == Negotiated(
        address="203.0.113.5", port=49920, rtcp_port=49921, codec="PCMU", send_type=0, accept_types=(0,)
    )


def test_of_many_media_the_first_usable_audio_is_taken() -> None:
    offer = peer(
        "m=video 5000 RTP/AVP 31",
        "m=audio 5002 RTP/SAVP 0",
        "m=audio 5004 RTP/AVP 18",
        "m=audio 0 RTP/AVP 0",
        "m=audio 5006 RTP/AVP 8",
        "m=audio 5008 RTP/AVP 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    )
    answer, agreed = make_answer(offer, "192.0.2.1", 10000, session_id=1, version=1)
    assert (agreed.codec, agreed.port) == ("PCMA", 5006)
    assert [m.port for m in parse(answer).media] == [0, 0, 0, 0, 10000, 0, 0]


def test_the_time_of_the_answer_is_that_of_the_offer() -> None:
    offer = peer("m=audio 5000 RTP/AVP 0").replace(b"t=0 0", b"t=2873397496 2873404696")
    answer, _ = make_answer(offer, "192.0.2.1", 10000, session_id=1, version=1)
    assert b"\r\nt=2873397496 2873404696\r\n" in answer


def test_any_payload_numbers_in_an_offer() -> None:
    offer = peer("m=audio 5000 RTP/AVP 110 111", "a=rtpmap:110 PCMA/8000", "a=rtpmap:111 telephone-event/8000", "a=ptime:40", "a=rtcp:5555")
    answer, agreed = make_answer(offer, "192.0.2.1", 10000, session_id=1, version=1)
    assert agreed == Negotiated(
        address="198.51.100.7", port=5000, rtcp_port=5555, codec="PCMA", send_type=110, accept_types=(110,),
        event_send_type=111, event_accept_types=(111,), ptime_ms=40,
    )  # fmt: skip
    assert parse(answer).media[0].formats == ("110", "111")


def test_an_answer_with_other_numbers_is_sent_by_theirs_and_accepted_by_both() -> None:
    answer = peer("m=audio 5000 RTP/AVP 120 96", "a=rtpmap:120 PCMU/8000", "a=rtpmap:96 telephone-event/8000")
    agreed = judge_answer(OFFER, answer)
    assert (agreed.send_type, agreed.accept_types) == (120, (120, 0))
    assert (agreed.event_send_type, agreed.event_accept_types) == (96, (96, 101))


def test_the_answerers_first_codec_is_used() -> None:
    assert judge_answer(OFFER, peer("m=audio 5000 RTP/AVP 8 0")).codec == "PCMA"


def test_events_that_we_did_not_offer_are_not_used() -> None:
    offer = OFFER.replace(b" 101\r\n", b"\r\n").replace(b"a=rtpmap:101 telephone-event/8000\r\n", b"")
    answer = peer("m=audio 5000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000")
    assert judge_answer(offer, answer).event_send_type is None


@pytest.mark.parametrize(
    ("attribute", "way"), [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")]
)
@pytest.mark.parametrize("level", ["session", "media"])
def test_a_way_is_seen_from_our_side(attribute: str, way: str, level: str) -> None:
    lines = [f"a={attribute}", "m=audio 5000 RTP/AVP 0"] if level == "session" else ["m=audio 5000 RTP/AVP 0", f"a={attribute}"]
    assert judge_answer(OFFER, peer(*lines)).way == way
    answer, agreed = make_answer(peer(*lines), "192.0.2.1", 10000, session_id=1, version=1)
    assert agreed.way == way
    assert f"a={way}\r\n".encode() in answer


def test_the_mediums_own_way_wins() -> None:
    assert judge_answer(OFFER, peer("a=inactive", "m=audio 5000 RTP/AVP 0", "a=sendrecv")).way == "sendrecv"


def test_an_answer_cannot_allow_more_than_was_offered() -> None:
    offer = OFFER.replace(b"a=sendrecv", b"a=sendonly")
    assert judge_answer(offer, peer("m=audio 5000 RTP/AVP 0", "a=sendrecv")).way == "sendonly"
    assert judge_answer(offer, peer("m=audio 5000 RTP/AVP 0", "a=sendonly")).way == "inactive"


@pytest.mark.parametrize("c", ["IN IP4 0.0.0.0", "IN IP6 ::"])
def test_an_address_of_zeros_is_a_hold(c: str) -> None:
    # RFC 3264 §8.4: the way of RFC 2543.
    assert judge_answer(OFFER, peer("m=audio 5000 RTP/AVP 0", c=c)).way == "recvonly"
    assert judge_answer(OFFER, peer("m=audio 5000 RTP/AVP 0", "a=inactive", c=c)).way == "inactive"


@pytest.mark.parametrize("value", ["", "0", "x", "99999"])
def test_an_rtcp_port_that_is_none_falls_back_to_the_next_one(value: str) -> None:
    assert judge_answer(OFFER, peer("m=audio 5000 RTP/AVP 0", f"a=rtcp:{value}")).rtcp_port == 5001


def test_an_rtcp_port_with_an_address() -> None:
    # RFC 3605 §2.1, the example.
    assert judge_answer(OFFER, peer("m=audio 49170 RTP/AVP 0", "a=rtcp:53020 IN IP4 126.16.64.4")).rtcp_port == 53020


REFUSED = [
    (peer(), "SDP: the answer has 0 m= lines, the offer 1; answer each m= line of the offer (RFC 3264 §6)"),
    (
        peer("m=audio 0 RTP/AVP 0"),
        'SDP line 6 "m=audio 0 RTP/AVP 0": the peer refuses audio (port 0); let it accept PCMU or PCMA over RTP/AVP',
    ),
    (
        peer("m=video 5000 RTP/AVP 31"),
        'SDP line 6 "m=video 5000 RTP/AVP 31": this answers an offer of audio with video; answer m= lines in the order of the offer',
    ),
    (
        peer("m=audio 5000 RTP/AVP 18 96"),
        'SDP line 6 "m=audio 5000 RTP/AVP 18 96": none of its formats is one of ours: 18 (G729/8000), 96; allow PCMU (0) or PCMA (8)',
    ),
    (
        peer("m=audio 5000 RTP/SAVP 0"),
        'SDP line 6 "m=audio 5000 RTP/SAVP 0": RTP/SAVP is not served; use RTP/AVP (without SRTP)',
    ),
    (
        peer("m=audio 5000 RTP/AVP x"),
        'SDP line 6 "m=audio 5000 RTP/AVP x": none of its formats is one of ours: nothing; allow PCMU (0) or PCMA (8)',
    ),
    (b"not sdp", 'SDP line 1 "not sdp": this is not a line of a description; a line is one letter, "=" and a value'),
]


@pytest.mark.parametrize(("answer", "sentence"), REFUSED, ids=[sentence[:50] for _, sentence in REFUSED])
def test_an_answer_that_agrees_on_nothing_is_named(answer: bytes, sentence: str) -> None:
    with pytest.raises(SdpError) as caught:
        judge_answer(OFFER, answer)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("codec_not_offered", ["8"])
def test_a_codec_that_was_not_offered_is_refused(codec_not_offered: str) -> None:
    offer = make_offer("192.0.2.1", 10000, session_id=1, version=1, codecs=("PCMU",))
    with pytest.raises(SdpError, match="none of its formats is one of ours"):
        judge_answer(offer, peer(f"m=audio 5000 RTP/AVP {codec_not_offered}"))


@pytest.mark.parametrize(
    ("offer", "part"),
    [
        (peer("m=video 5000 RTP/AVP 31"), "no audio is offered"),
        (peer("m=audio 0 RTP/AVP 0"), "no audio is offered"),
        (peer("m=audio 5000 RTP/AVP 18"), "none of its formats is one of ours"),
        (peer("m=audio 5000 RTP/SAVPF 0"), "RTP/SAVPF is not served"),
        (peer("m=audio 5000 RTP/AVP 0", c="IN IP4 host.example.com"), "is not a numeric address"),
    ],
)
def test_an_offer_that_cannot_be_met_is_named(offer: bytes, part: str) -> None:
    with pytest.raises(SdpError) as caught:
        make_answer(offer, "192.0.2.1", 10000, session_id=1, version=1)
    assert part in str(caught.value)


ANSWER = peer("m=audio 5000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:20")
CURRENT = judge_answer(OFFER, ANSWER)


@pytest.mark.parametrize(
    ("offer", "same"),
    [
        (ANSWER, True),
        (ANSWER.replace(b"o=- 1 1", b"o=- 1 2"), True),
        (ANSWER.replace(b"AVP 0 101", b"AVP 101 8 0"), True),
        (ANSWER.replace(b"a=ptime:20", b"a=ptime:40\r\na=label:9"), True),
        (ANSWER + b"m=video 0 RTP/AVP 31\r\n", True),
        (ANSWER.replace(b"198.51.100.7\r\nt", b"198.51.100.8\r\nt"), False),
        (ANSWER.replace(b"audio 5000", b"audio 5002"), False),
        (ANSWER.replace(b"audio 5000", b"audio 0"), False),
        (ANSWER + b"a=sendonly\r\n", False),
        (ANSWER.replace(b"198.51.100.7\r\nt", b"0.0.0.0\r\nt"), False),
        (ANSWER.replace(b"AVP 0 101", b"AVP 8 101"), False),
        (ANSWER.replace(b"AVP 0 101", b"AVP 0"), False),
        (ANSWER.replace(b"AVP 0 101", b"AVP 0 102").replace(b":101 tele", b":102 tele"), False),
        (ANSWER.replace(b"AVP 0 101", b"AVP 96 101") + b"a=rtpmap:96 PCMU/8000\r\n", False),
        (ANSWER + b"m=video 5002 RTP/AVP 31\r\n", False),
        (ANSWER.replace(b"RTP/AVP", b"RTP/SAVP"), False),
        (b"", False),
        (b"\xff\xfe", False),
    ],
)
def test_whether_a_new_offer_leaves_the_media_as_it_is(offer: bytes, same: bool) -> None:
    assert same_media(CURRENT, offer) is same


def test_events_that_are_not_in_use_do_not_matter() -> None:
    assert same_media(replace(CURRENT, event_send_type=None, event_accept_types=()), ANSWER)


@pytest.mark.parametrize("text", [BARESIP, SIPP, LINPHONE], ids=["baresip", "SIPp", "linphone"])
def test_every_truncation_of_a_real_offer_is_answered_or_refused(text: bytes) -> None:
    for end in range(len(text)):
        try:
            answer, agreed = make_answer(text[:end], "192.0.2.1", 10000, session_id=1, version=1)
        except SdpError:
            continue
        assert judge_answer(text[:end], answer).codec == agreed.codec


NUMBERS = st.integers(0, 127).map(str)
ATTRIBUTES = st.one_of(
    st.builds("a=rtpmap:{} {}/{}".format, NUMBERS, st.sampled_from(["PCMU", "pcma", "telephone-event", "opus", ""]), st.integers(0, 99999)),
    st.builds("a=ptime:{}".format, st.integers(-5, 500)),
    st.builds("a=rtcp:{}".format, st.integers(-5, 70000)),
    st.sampled_from(["a=sendonly", "a=inactive", "a=recvonly", "c=IN IP4 192.0.2.3", "c=IN IP6 ::1", "c=IN IP4 x", "a=", "a=:"]),
)
MEDIA = st.builds(
    lambda kind, port, protocol, numbers, rest: [f"m={kind} {port} {protocol} {' '.join(numbers)}", *rest],
    st.sampled_from(["audio", "audio", "video"]),
    st.integers(0, 65535),
    st.sampled_from(["RTP/AVP", "RTP/AVPF", "RTP/SAVP"]),
    st.lists(NUMBERS | st.sampled_from(["0", "8"]), min_size=1, max_size=5),
    st.lists(ATTRIBUTES, max_size=5),
)


@given(st.lists(MEDIA, max_size=4))
def test_each_offer_gets_an_answer_with_as_many_media_or_a_sentence(media: list[list[str]]) -> None:
    offer = peer(*[line for section in media for line in section])
    try:
        answer, agreed = make_answer(offer, "192.0.2.1", 10000, session_id=1, version=1)
    except SdpError:
        return
    # RFC 3264 §6: as many m= lines, in order, and each accepted format is one that was offered.
    offered, answered = parse(offer), parse(answer)
    assert [m.kind for m in answered.media] == [m.kind for m in offered.media]
    assert [m.protocol for m in answered.media] == [m.protocol for m in offered.media]
    assert sum(1 for m in answered.media if m.port) == 1
    for ours, theirs in zip(answered.media, offered.media, strict=True):
        assert set(ours.formats) <= set(theirs.formats)
    assert 10 <= agreed.ptime_ms <= 60
    assert agreed.send_type in agreed.accept_types


@given(st.binary(max_size=300))
def test_no_answer_raises_anything_else(data: bytes) -> None:
    with pytest.raises(SdpError):
        judge_answer(OFFER, data)
