"""Reading messages: the examples of RFC 3261 §24, whole error texts, bounds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from helpers.sip_script import invite
from outdial.sip.errors import RemoteProtocolError
from outdial.sip.grammar import parse_parameters, quote, split_outside, unquote
from outdial.sip.headers import NameAddr, parse_cseq, parse_name_addr, tag_of
from outdial.sip.message import Request, Response
from outdial.sip.parse import check_request, essentials, parse
from outdial.sip.route_set import plan, route_set
from outdial.sip.uri import Uri, parse_uri
from outdial.sip.via import Via, parse_via

# RFC 3261 §24.2: F1 and F9 of the session set-up through two proxies.
F1 = """INVITE sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
Max-Forwards: 70
To: Bob <sip:bob@biloxi.com>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.com>
Content-Type: application/sdp
Content-Length: 4

v=0
""".replace("\n", "\r\n").encode()[:-1]
F9 = """SIP/2.0 200 OK
Via: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1
 ;received=192.0.2.2
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
 ;received=192.0.2.1
To: Bob <sip:bob@biloxi.com>;tag=a6c85cf
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:bob@192.0.2.4>
Content-Type: application/sdp
Content-Length: 0

""".replace("\n", "\r\n").encode()


def test_the_invite_of_rfc_3261_section_24_2() -> None:
    message = parse(F1)
    assert isinstance(message, Request)
    assert not message.fault
    assert (message.method, message.uri, message.version, message.body) == ("INVITE", "sip:bob@biloxi.com", "SIP/2.0", b"v=0\r")
    read = essentials(message)
    assert (read.via.branch, read.via.host, read.call_id, read.cseq) == ("z9hG4bKnashds8", "pc33.atlanta.com", "a84b4c76e66710", 314159)
    assert (read.from_tag, read.to_tag) == ("1928301774", "")
    check_request(message, read)
    assert parse_name_addr(message.get("from"), "From") == NameAddr(
        display="Alice", uri="sip:alice@atlanta.com", parameters=(("tag", "1928301774"),)
    )


def test_the_response_of_rfc_3261_section_24_2() -> None:
    message = parse(F9)
    assert isinstance(message, Response)
    read = essentials(message)
    assert (message.status, message.phrase, read.vias, read.to_tag, read.via.branch) == (200, "OK", 2, "a6c85cf", "z9hG4bK77ef4c2312983.1")


def test_compact_names_are_the_long_ones() -> None:
    """RFC 3261 §7.3.3."""
    message = parse(
        b"BYE sip:a SIP/2.0\r\nv: SIP/2.0/UDP a\r\nf: <sip:a>;tag=1\r\nt: <sip:b>\r\ni: x\r\nm: <sip:c>\r\nCSeq: 1 BYE\r\nl: 0\r\n\r\n"
    )
    assert (message.get("via"), message.get("from"), message.get("call-id")) == ("SIP/2.0/UDP a", "<sip:a>;tag=1", "x")
    assert not message.fault


def test_a_message_without_content_length_takes_the_whole_datagram() -> None:
    """RFC 3261 §18.3."""
    assert parse(b"OPTIONS sip:a SIP/2.0\r\n\r\nabc").body == b"abc"


def test_lines_before_the_message_are_passed_over() -> None:
    """RFC 3261 §7.5."""
    assert parse(b"\r\n\r\n" + F1) == parse(F1)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (("Via: SIP/2.0/UDP", "Via: SIP-2.0/UDP"), 'Via, column 1: expected "SIP/2.0/", got "SIP-2.0/UDP 192.0.2.…"'),
        (("CSeq: 1 INVITE", "CSeq: x INVITE"), 'CSeq: expected digits, got "x"'),
        (("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE"), "CSeq: 2147483648 is over 2147483647"),
        (("CSeq: 1 INVITE", "CSeq: -1 INVITE"), 'CSeq: expected digits, got "-1"'),
        (("CSeq: 1 INVITE", "CSeq: 1"), 'CSeq: expected a number and a method, got "1"'),
        (("Call-ID: call-1@192.0.2.2\r\n", ""), "Call-ID is missing"),
        (("Call-ID: call-1@192.0.2.2", "Call-ID: a b"), 'Call-ID: not a call id: "a b"'),
        (('"Alice" <', '"Alice <'), 'From: column 1: a quoted string never closes: ""Alice <sip:alice@192.0.2.2>;tag=alice"'),
        (("192.0.2.2:5060;branch", "192.0.2.2:99999;branch"), "port: 99999 is over 65535"),
        (("<sip:alice@192.0.2.2>;tag=alice", "<sip:alice@192.0.2.2"), 'From: "<" never closes in ""Alice" <sip:alice@192.0.2.2"'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: tuple[str, str], detail: str) -> None:
    text = invite()
    assert change[0] in text
    with pytest.raises(RemoteProtocolError) as caught:
        essentials(parse(text.replace(*change).encode()))
    assert caught.value.detail == detail
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"BYE sip:a SIP/2.0\r\nA: b", "no empty line after the headers"),
        (b"BYE sip:a SIP/2.0\r\nA b\r\n\r\n", 'header line 1: expected "name: value", got "A b"'),
        (b"BYE sip:a SIP/2.0\r\nA: b\rc\r\n\r\n", "header line 1, A: a bare CR or LF"),
        (b"BYE sip:a SIP/2.0\r\nA: b\nEvil: c\r\n\r\n", "header line 1, A: a bare CR or LF"),
        (b"BYE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nabc", "Content-Length is 5, but 3 bytes follow the headers"),
        (b"BYE sip:a SIP/2.0\r\nContent-Length: +3\r\n\r\nabc", 'Content-Length: expected digits, got "+3"'),
        (b"BYE sip:a SIP/2.0\r\n" + b"A: b\r\n" * 300 + b"\r\n", "301 header lines, the limit is 256"),
    ],
)
def test_faults(data: bytes, fault: str) -> None:
    assert parse(data).fault == fault


def test_a_header_cannot_be_smuggled_in_by_a_bare_line_feed() -> None:
    message = parse(b"BYE sip:a SIP/2.0\r\nSubject: b\nVia: evil\r\n\r\n")
    assert message.lines("via") == []
    assert "\n" not in message.get("subject")


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:alice@atlanta.com", Uri(scheme="sip", user="alice", host="atlanta.com")),
        (
            "sip:alice:secretword@atlanta.com;transport=tcp",
            Uri(scheme="sip", user="alice:secretword", host="atlanta.com", parameters=(("transport", "tcp"),)),
        ),
        (
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            Uri(scheme="sips", user="alice", host="atlanta.com", headers="subject=project%20x&priority=urgent"),
        ),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            Uri(scheme="sip", user="+1-212-555-1212:1234", host="gateway.com", parameters=(("user", "phone"),)),
        ),
        ("sip:alice@192.0.2.4", Uri(scheme="sip", user="alice", host="192.0.2.4")),
        ("sip:alice;day=tuesday@atlanta.com", Uri(scheme="sip", user="alice;day=tuesday", host="atlanta.com")),
        ("sip:[2001:db8::10]:5070", Uri(scheme="sip", host="2001:db8::10", port=5070)),
        ("tel:+12065550100", Uri(scheme="tel", opaque="+12065550100")),
    ],
)  # RFC 3261 §19.1.3
def test_uris(text: str, uri: Uri) -> None:
    assert parse_uri(text) == uri
    assert str(uri) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "alice",
        "sip:@a",
        "sip:a@b@c",
        "sip:a@b:0",
        "sip:a@b:x",
        "sip:[::",
        "sip:[zz::1]",
        "sip:a b@c",
        "sip:a@b<c",
        "1sip:a",
        "tel:",
    ],
)
def test_what_is_no_uri(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_uri(text)


@pytest.mark.parametrize(
    ("text", "number"), [("sip:%2B1206@h", "+1206"), ("sip:+1206;ext=5:pw@h", "+1206"), ("sip:h", ""), ("sip:a%zz%4@h", "a%zz%4")]
)
def test_the_number_of_a_uri(text: str, number: str) -> None:
    assert parse_uri(text).number == number


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("<sip:a@b>;tag=x", "x"),
        ("sip:a@b;tag=x", "x"),
        ("<sip:a@b;tag=inside>", ""),
        ('"a;tag=no" <sip:a@b>;x="<;tag=no>";TAG = yes', "yes"),
        ('"<>" <sip:a@b>', ""),
        ("<sip:a@b>;x;tag=x;y", "x"),
    ],
)
def test_tags(text: str, tag: str) -> None:
    assert tag_of(text, "To") == tag
    assert parse_name_addr(text, "To").tag == tag


def test_a_via_with_blanks_everywhere() -> None:
    """RFC 3261 §20.42."""
    via = parse_via("SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1")
    assert (via.transport, via.host, via.port, via.branch) == ("UDP", "first.example.com", 4000, "z9hG4bKa7c6a8dlze.1")
    assert str(via) == "SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1;branch=z9hG4bKa7c6a8dlze.1"


def test_lists_are_cut_only_where_a_comma_separates() -> None:
    assert split_outside('"a, b" <sip:a,b@c>, <sip:d>,e', ",") == ['"a, b" <sip:a,b@c>', "<sip:d>", "e"]
    assert split_outside('"\\", <" <sip:x>,y', ",") == ['"\\", <" <sip:x>', "y"]
    assert unquote(quote('a"b\\c')) == 'a"b\\c'


def test_cseq() -> None:
    assert parse_cseq("0009   INVITE") == (9, "INVITE")


def test_routes_of_rfc_3261_section_16_12_1() -> None:
    """The callee's set is Record-Route in order, the caller's in reverse; a loose route leaves the target in the Request-URI."""
    message = parse(b"SIP/2.0 200 OK\r\nRecord-Route: <sip:p2.domain.com;lr>\r\nRecord-Route: <sip:p1.example.com;lr>\r\n\r\n")
    assert route_set(message, reverse=True) == ("<sip:p1.example.com;lr>", "<sip:p2.domain.com;lr>")
    assert route_set(message, reverse=False) == ("<sip:p2.domain.com;lr>", "<sip:p1.example.com;lr>")
    assert plan("sip:callee@u2.domain.com", route_set(message, reverse=True)) == (
        "sip:callee@u2.domain.com",
        ("<sip:p1.example.com;lr>", "<sip:p2.domain.com;lr>"),
        "sip:p1.example.com;lr",
    )


def lines_run(work: Callable[[], Any]) -> int:
    """How many lines of Python a piece of work takes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _quietly(work: Callable[[], Any]) -> None:
    try:
        work()
    except RemoteProtocolError:
        pass


@pytest.mark.parametrize(
    "unit",
    ['"', "\\", '"\\', "<", ";", ",", ";a=", '"a",', "a;", "<a>,", " ", "%", "@", "[", ";;,", '\\"', "\r\n ", "\r\n\t;"],
)
def test_work_grows_with_the_size_and_no_faster(unit: str) -> None:
    def read(size: int) -> Callable[[], None]:
        value = unit * (size // len(unit))
        text = invite().replace("Max-Forwards: 70", f'Via: SIP/2.0/UDP a;x="{value}\r\nContact: "{value}\r\nTo: <sip:a>;y={value}')

        def work() -> None:
            _quietly(lambda: essentials(parse(text.encode())))
            for function in (parse_uri, parse_via, lambda t: parse_name_addr(t, "To"), parse_parameters, lambda t: split_outside(t, ",")):
                _quietly(lambda function=function: function(value))  # type: ignore[misc]
                _quietly(lambda function=function: function('sip:"' + value))  # type: ignore[misc]

        return work

    small, large = lines_run(read(500)), lines_run(read(4000))
    assert large < 10 * small


def test_values_show_nothing_unprintable() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse(b"\x00\x1b[31m\xff\r\n\r\n")
    assert caught.value.detail.isprintable()


def test_via_stamps_are_put_in_once() -> None:
    via = Via(transport="UDP", host="10.0.0.1", parameters=(("branch", "z9hG4bKa"), ("rport", None), ("received", "1.2.3.4")))
    from outdial.sip.values import Address

    assert str(via.stamped(Address(host="192.0.2.9", port=7))) == "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=192.0.2.9;rport=7"
