"""Reading and writing: the examples of RFC 8866 and RFC 4566, and what is broken in one way each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.sdp import Line, Media, Origin, SdpError, parse, write

RFC_8866_5 = b"""v=0
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
s=Call to John Smith
i=SDP Offer #1
u=http://www.jdoe.example.com/home.html
e=Jane Doe <jane@jdoe.example.com>
p=+1 617 555-6011
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 0
m=audio 49180 RTP/AVP 0
m=video 51372 RTP/AVP 99
c=IN IP6 2001:db8::2
a=rtpmap:99 h263-1998/90000
""".replace(b"\n", b"\r\n")
"""RFC 8866 §5, the example."""

RFC_4566_5 = b"""v=0
o=jdoe 2890844526 2890842807 IN IP4 10.47.16.5
s=SDP Seminar
i=A Seminar on the session description protocol
u=http://www.example.com/seminars/sdp.pdf
e=j.doe@example.com (Jane Doe)
c=IN IP4 224.2.17.12/127
t=2873397496 2873404696
a=recvonly
m=audio 49170 RTP/AVP 0
m=video 51372 RTP/AVP 99
a=rtpmap:99 h263-1998/90000
""".replace(b"\n", b"\r\n")
"""RFC 4566 §5, the example."""


@pytest.mark.parametrize("text", [RFC_8866_5, RFC_4566_5], ids=["RFC 8866", "RFC 4566"])
def test_what_is_read_is_written_as_it_came(text: bytes) -> None:
    assert write(parse(text)) == text


def test_bare_line_feeds_are_read_and_written_as_crlf() -> None:
    assert write(parse(RFC_8866_5.replace(b"\r\n", b"\n"))) == RFC_8866_5


def test_the_example_of_rfc_8866_taken_apart() -> None:
    found = parse(RFC_8866_5)
    assert found.origin == Origin(username="jdoe", session_id="3724394400", version="3724394405", address="198.51.100.1")
    assert [(media.kind, media.port, media.formats) for media in found.media] == [
        ("audio", 49170, ("0",)),
        ("audio", 49180, ("0",)),
        ("video", 51372, ("99",)),
    ]
    assert [found.connection(media) for media in found.media] == ["198.51.100.1", "198.51.100.1", "2001:db8::2"]
    assert found.media[2].attribute("rtpmap") == "99 h263-1998/90000"
    assert found.first("p") == Line(kind="p", value="+1 617 555-6011")


def test_lines_not_understood_are_kept_in_their_place() -> None:
    text = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nx=from a later RFC\r\ns=-\r\nt=0 0\r\nm=audio 6 RTP/AVP 0\r\ny=0100\r\na=label:1\r\n"
    assert write(parse(text)) == text


def test_bytes_outside_utf_8_are_kept() -> None:
    text = b"v=0\r\ns=caf\xe9\r\nt=0 0\r\n"
    assert write(parse(text)) == text


def test_a_count_of_ports_is_read() -> None:
    media = parse(b"v=0\r\nm=video 49170/2 RTP/AVP 31\r\n").media[0]
    assert (media.port, media.ports) == (49170, 2)


def test_a_medium_of_our_own_is_written() -> None:
    described = parse(b"v=0\r\n")
    mine = Media(kind="audio", port=4000, ports=2, formats=("0", "101"), lines=(Line(kind="a", value="sendrecv"),))
    out = write(type(described)(lines=described.lines, media=(mine,)))
    assert out == b"v=0\r\nm=audio 4000/2 RTP/AVP 0 101\r\na=sendrecv\r\n"


BROKEN = [
    (b"", 'SDP line 1 "": the first line is not v=0; begin a description with "v=0"'),
    (b"s=-\r\nv=0\r\n", 'SDP line 1 "s=-": the first line is not v=0; begin a description with "v=0"'),
    (b"v=1\r\n", 'SDP line 1 "v=1": only version 0 is known; write "v=0"'),
    (b"v=0\r\nhello\r\n", 'SDP line 2 "hello": this is not a line of a description; a line is one letter, "=" and a value'),
    (b"v=0\r\n=x\r\n", 'SDP line 2 "=x": this is not a line of a description; a line is one letter, "=" and a value'),
    (b"v=0\r\ns=a\0b\r\n", 'SDP line 2 "s=a\0b": it contains a control character; leave out NUL and CR'),
    (b"v=0\r\ns=a\rb\r\n", 'SDP line 2 "s=a\rb": it contains a control character; leave out NUL and CR'),
    (
        b"v=0\r\nm=audio 5004\r\n",
        'SDP line 2 "m=audio 5004": an m= line has at least four fields, this one has 2; '
        'write medium, port, protocol and formats, for example "m=audio 49170 RTP/AVP 0"',
    ),
    (b"v=0\r\nm=audio x RTP/AVP 0\r\n", 'SDP line 2 "m=audio x RTP/AVP 0": "x" is not a port; give a number from 0 to 65535'),
    (b"v=0\r\nm=audio 65536 RTP/AVP 0\r\n", 'SDP line 2 "m=audio 65536 RTP/AVP 0": "65536" is not a port; give a number from 0 to 65535'),
    (
        b"v=0\r\nm=audio 5004/0 RTP/AVP 0\r\n",
        'SDP line 2 "m=audio 5004/0 RTP/AVP 0": "5004/0" is not a port and a count of ports; write for example "49170/2"',
    ),
    (b"v=0\r\n" + b"a=x\r\n" * 20_000, "SDP: 100005 bytes are too many; keep a description within 65535 bytes"),
    (b"v=0\r\n" + b"a=\r\n" * 2_000, 'SDP line 2001 "a=": more than 2000 lines; send fewer'),
    (b"v=0\r\n" + b"m=a 0 b c\r\n" * 65, 'SDP line 66 "m=a 0 b c": more than 64 media; offer fewer'),
]


@pytest.mark.parametrize(("text", "sentence"), BROKEN, ids=[sentence[:40] for _, sentence in BROKEN])
def test_what_is_broken_is_named_with_its_line_and_how_to_mend_it(text: bytes, sentence: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse(text)
    assert str(caught.value) == sentence


BAD_ADDRESSES = [
    (
        b"m=audio 4 RTP/AVP 0\r\n",
        'SDP line 2 "m=audio 4 RTP/AVP 0": no c= line says where the medium is; add one, for example "c=IN IP4 192.0.2.1"',
    ),
    (
        b"c=IN IP4 media.example.com\r\nm=audio 4 RTP/AVP 0\r\n",
        'SDP line 2 "c=IN IP4 media.example.com": "media.example.com" is not a numeric address; '
        'give the address itself, for example "c=IN IP4 192.0.2.1"',
    ),
    (
        b"c=IN IP4 2001:db8::1\r\nm=audio 4 RTP/AVP 0\r\n",
        'SDP line 2 "c=IN IP4 2001:db8::1": 2001:db8::1 is not an IP4 address; write "c=IN IP6 2001:db8::1"',
    ),
    (
        b"c=IN IP4 224.2.1.1\r\nm=audio 4 RTP/AVP 0\r\n",
        'SDP line 2 "c=IN IP4 224.2.1.1": a call needs an address of one host, this is a multicast group; give the host\'s own address',
    ),
    (
        b"c=ATM NSAP 47.0091\r\nm=audio 4 RTP/AVP 0\r\n",
        'SDP line 2 "c=ATM NSAP 47.0091": this is not a connection to the internet; write "c=IN IP4" or "c=IN IP6" and one address',
    ),
]


@pytest.mark.parametrize(("text", "sentence"), BAD_ADDRESSES)
def test_an_address_that_cannot_be_sent_to_is_named(text: bytes, sentence: str) -> None:
    found = parse(b"v=0\r\n" + text)
    with pytest.raises(SdpError) as caught:
        found.connection(found.media[0])
    assert str(caught.value) == sentence


def test_a_long_line_is_cut_in_the_sentence() -> None:
    with pytest.raises(SdpError) as caught:
        parse(b"v=0\r\nm=" + b"x" * 10_000 + b"\r\n")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("o", ["- 1 1 IN IP4", "- 1 1 IN IP4 192.0.2.1 more"])
def test_an_origin_has_six_fields(o: str) -> None:
    with pytest.raises(SdpError, match=r"an o= line has six fields, this one has [57]"):
        _ = parse(f"v=0\r\no={o}\r\n".encode()).origin


def test_an_origin_that_is_missing_is_named() -> None:
    with pytest.raises(SdpError, match="there is no o= line"):
        _ = parse(b"v=0\r\n").origin


@pytest.mark.parametrize("text", [RFC_8866_5, RFC_4566_5], ids=["RFC 8866", "RFC 4566"])
def test_every_truncation_is_read_or_refused(text: bytes) -> None:
    for end in range(len(text)):
        try:
            found = parse(text[:end])
        except SdpError:
            continue
        assert parse(write(found)) == found


@given(st.binary(max_size=200) | st.text(alphabet="vosctma=0123456789:/ \r\n", max_size=200).map(lambda text: b"v=0\r\n" + text.encode()))
def test_any_bytes_are_read_or_refused_and_reading_is_stable(data: bytes) -> None:
    try:
        found = parse(data)
    except SdpError:
        return
    assert parse(write(found)) == found
    assert write(parse(write(found))) == write(found)
