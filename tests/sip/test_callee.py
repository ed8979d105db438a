"""Requests that arrive, against a peer written out by hand: calls to us, re-INVITE, refusals, retransmission."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.sip_script import ANSWER, OFFER, TRUNK, US, Script, invite, request
from outdial.sip.errors import LocalProtocolError
from outdial.sip.headers import tag_of
from outdial.sip.values import (
    Accept,
    AckBody,
    Address,
    Bye,
    ByeReceived,
    Cancel,
    Incoming,
    InfoReceived,
    Offered,
    Over,
    Reject,
    Ring,
    SendInfo,
)


def rung(**options: Any) -> tuple[Script, str]:
    """An INVITE has come; the script and the session's name."""
    script = Script(**options)
    script.hear(invite())
    return script, script.of(Incoming)[0].session


def our_tag(script: Script) -> str:
    return tag_of(script.last_response().get("to"), "To")


def up() -> tuple[Script, str, str]:
    """A call to us is up; script, session, our tag."""
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    tag = our_tag(script)
    script.hear(inside("ACK", tag))
    return script, session, tag


def inside(method: str, tag: str, *, cseq: int = 1, branch: str = "", more: str = "", body: str = "", kind: str = "application/sdp") -> str:
    return request(
        method,
        via=f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{branch or method + str(cseq)};rport",
        to=f"<sip:us@192.0.2.1>;tag={tag}",
        cseq=cseq,
        more=more,
        body=body,
        kind=kind,
    )


# --- a call to us ---


def test_an_invite_is_answered_with_100_and_put_out() -> None:
    script, session = rung()
    assert script.lines() == ["SIP/2.0 100 Trying"]
    incoming: Incoming = script.events[0]
    assert (incoming.uri, incoming.from_uri, incoming.from_name, incoming.to_uri) == (
        "sip:us@192.0.2.1",
        "sip:alice@192.0.2.2",
        "Alice",
        "sip:us@192.0.2.1",
    )
    assert incoming.body == OFFER
    assert ("Call-ID", "call-1@192.0.2.2") in incoming.headers
    assert incoming.source == TRUNK
    assert {trace.session for trace in script.traces} == {session}


def test_responses_carry_what_the_rfc_wants() -> None:
    """RFC 3261 §8.2.6.2 and §12.1.1: Via, From, Call-ID, CSeq as they came, one tag, Record-Route and Contact where a dialog is made."""
    script = Script(user_agent="outdial/1")
    script.hear(invite(more="Record-Route: <sip:192.0.2.4;lr>\r\nRecord-Route: <sip:192.0.2.5;lr>\r\nTimestamp: 54"))
    session = script.of(Incoming)[0].session
    assert script.last_response().get("timestamp") == "54"
    assert ";tag=" not in script.last_response().get("to")
    script.give(Ring(session=session))
    ringing = script.last_response()
    script.give(Accept(session=session, body=ANSWER))
    ok = script.last_response()
    assert (ringing.status, ok.status, ok.body, ok.get("content-type")) == (180, 200, ANSWER, "application/sdp")
    assert ringing.get("to") == ok.get("to")
    for response in (ringing, ok):
        assert response.get("via") == "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKalice1;received=192.0.2.2;rport=5060"
        assert response.get("from") == '"Alice" <sip:alice@192.0.2.2>;tag=alice'
        assert response.get("cseq") == "1 INVITE"
        assert response.lines("record-route") == ["<sip:192.0.2.4;lr>", "<sip:192.0.2.5;lr>"]
        assert response.get("contact") == "<sip:192.0.2.1:5060>"
        assert response.get("server") == "outdial/1"
    script.hear(inside("ACK", tag_of(ok.get("to"), "To")))
    script.give(Bye(session=session))
    bye = script.last("BYE")
    assert bye.uri == "sip:alice@192.0.2.2:5060"
    assert bye.lines("route") == ["<sip:192.0.2.4;lr>", "<sip:192.0.2.5;lr>"]
    assert (bye.get("from"), bye.get("to")) == (ok.get("to"), ok.get("from"))


def test_early_media_is_a_183() -> None:
    script, session = rung()
    script.give(Ring(session=session, body=ANSWER))
    assert (script.last_response().status, script.last_response().body) == (183, ANSWER)
    assert our_tag(script)


def test_a_repeated_invite_gets_the_last_response_again() -> None:
    script, session = rung()
    script.hear(invite())
    script.give(Ring(session=session))
    script.hear(invite())
    assert [line.split()[1] for line in script.lines()] == ["100", "100", "180", "180"]
    assert len(script.of(Incoming)) == 1


def test_a_200_is_repeated_until_its_ack() -> None:
    """RFC 3261 §13.3.1.4: T1, doubling up to T2."""
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    tag = our_tag(script)
    for at, count in [(0.51, 2), (1.0, 3), (2.0, 4), (4.0, 5), (4.0, 6)]:
        script.wait(at)
        assert script.count("SIP/2.0 200") == count
    script.hear(inside("ACK", tag))
    script.wait(30)
    assert script.count("SIP/2.0 200") == 6
    assert script.of(AckBody) == [AckBody(session=session, body=b"")]
    script.hear(inside("ACK", tag))
    assert len(script.of(AckBody)) == 1


def test_a_200_without_ack_ends_in_a_bye() -> None:
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    script.wait(32.1)
    assert script.lines()[-1].startswith("BYE sip:alice@192.0.2.2:5060")
    script.reply(script.last("BYE"), 200)
    assert script.events[-1] == Over(session=session, who="network", status=408, phrase="no ACK came for our 200")


def test_the_answer_in_an_ack_is_passed_up() -> None:
    script = Script()
    script.hear(request("INVITE"))
    session = script.of(Incoming)[0].session
    assert script.of(Incoming)[0].body == b""
    script.give(Accept(session=session, body=OFFER))
    script.hear(inside("ACK", our_tag(script), body="v=0\r\n"))
    assert script.events[-1] == AckBody(session=session, body=b"v=0\r\n")


def test_a_bye_of_ours_waits_for_the_ack() -> None:
    """RFC 3261 §15."""
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    tag = our_tag(script)
    script.give(Bye(session=session))
    assert script.count("BYE") == 0
    script.hear(inside("ACK", tag))
    assert script.count("BYE") == 1


def test_the_peer_hangs_up() -> None:
    script, session, tag = up()
    script.hear(inside("BYE", tag, cseq=2, more="Reason: Q.850;cause=16"))
    assert script.last_response().status == 200
    assert script.events[-2:] == [
        ByeReceived(session=session, reason="Q.850;cause=16"),
        Over(session=session, who="peer", status=0, reason="Q.850;cause=16"),
    ]


def test_a_bye_of_the_early_dialog_ends_the_invite() -> None:
    script, session = rung()
    script.give(Ring(session=session))
    script.hear(inside("BYE", our_tag(script), cseq=2))
    assert [line.split()[1] for line in script.lines()[-2:]] == ["200", "487"]
    assert script.events[-1] == Over(session=session, who="peer", status=487)


def test_a_refusal_is_repeated_until_its_ack() -> None:
    """RFC 3261 §17.2.1, timers G and H."""
    script, session = rung()
    script.give(Reject(session=session, status=486, reason="Not Now", headers=(("Retry-After", "60"),)))
    response = script.last_response()
    assert (response.status, response.phrase, response.get("retry-after")) == (486, "Not Now", "60")
    assert script.events[-1] == Over(session=session, who="us", status=486, phrase="Not Now")
    script.wait(1.6)
    assert script.count("SIP/2.0 486") == 3
    script.hear(inside("ACK", our_tag(script), branch="alice1"))
    script.wait(60)
    assert script.count("SIP/2.0 486") == 3
    assert script.endpoint.transactions == 0


def test_a_refusal_without_ack_is_given_up_after_timer_h() -> None:
    script, session = rung()
    script.give(Reject(session=session, status=488))
    script.wait(33)
    assert script.count("SIP/2.0 488") == 11
    assert script.endpoint.transactions == 0
    assert script.endpoint.next_deadline() is None


@pytest.mark.parametrize("command", [Bye, Cancel])
def test_hanging_up_on_a_call_that_rings_is_a_480(command: type) -> None:
    script, session = rung()
    script.give(command(session=session))
    assert script.last_response().status == 480


@pytest.mark.parametrize("headers", [(("X", "a\r\nb"),), (("Via", "x"),), (("To", "x"),)])
def test_headers_of_a_refusal_are_checked(headers: Any) -> None:
    script, session = rung()
    with pytest.raises(LocalProtocolError):
        script.give(Reject(session=session, status=486, headers=headers))


# --- CANCEL ---


def test_the_peer_cancels() -> None:
    script, session = rung()
    script.give(Ring(session=session))
    tag = our_tag(script)
    script.hear(request("CANCEL", more="Reason: SIP;cause=200"))
    assert [line.split()[1] for line in script.lines()[-2:]] == ["200", "487"]
    assert our_tag(script) == tag
    assert script.events[-2:] == [
        ByeReceived(session=session, reason="SIP;cause=200", cancelled=True),
        Over(session=session, who="peer", status=487, reason="SIP;cause=200"),
    ]
    script.hear(request("CANCEL"))
    assert script.last_response().status == 200
    assert script.kinds().count("Over") == 1


def test_a_cancel_after_the_200_changes_nothing() -> None:
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    tag = our_tag(script)
    script.hear(request("CANCEL"))
    assert script.last_response().status == 200
    script.hear(inside("ACK", tag))
    assert script.kinds() == ["Incoming", "AckBody"]
    script.give(Bye(session=session))
    assert script.count("BYE") == 1


def test_a_cancel_of_nothing_is_a_481() -> None:
    script = Script()
    script.hear(request("CANCEL"))
    assert script.last_response().status == 481


# --- refusals outside a dialog ---


@pytest.mark.parametrize(
    ("text", "status", "header"),
    [
        (request("REGISTER"), 405, ("allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE")),
        (request("PRACK"), 405, ("allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE")),
        (request("INVITE", body="x", kind="text/plain"), 415, ("accept", "application/sdp")),
        (invite(more="Content-Encoding: gzip"), 415, ("accept-encoding", "identity")),
        (invite(more="Require: 100rel, timer"), 420, ("unsupported", "100rel, timer")),
        (request("OPTIONS", more="Require: x"), 420, ("unsupported", "x")),
        (request("INVITE", uri="tel:+12065550100"), 416, ("cseq", "1 INVITE")),
        (request("BYE"), 481, ("cseq", "1 BYE")),
        (request("INFO"), 481, ("cseq", "1 INFO")),
        (request("BYE", to="<sip:us@192.0.2.1>;tag=unknown"), 481, ("cseq", "1 BYE")),
        (request("INVITE", to="<sip:us@192.0.2.1>;tag=unknown", body="v=0"), 481, ("cseq", "1 INVITE")),
        (invite(more="CSeq: 2 INVITE"), 400, ("warning", '399 192.0.2.1:5060 "CSeq stands there 2 times"')),
        (invite(more="Max-Forwards: x").replace("Max-Forwards: 70\r\n", ""), 400, ("cseq", "1 INVITE")),
        (
            invite(more="no colon here"),
            400,
            ("warning", "399 192.0.2.1:5060 \"header line 8: expected 'name: value', got 'no colon here'\""),
        ),
        (request("INVITE").replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"), 505, ("cseq", "1 INVITE")),
    ],
)
def test_a_refusal_says_why(text: str, status: int, header: tuple[str, str]) -> None:
    script = Script()
    script.hear(text)
    response = script.last_response()
    assert response.status == status
    assert response.get(header[0]) == header[1]
    assert our_tag(script)
    assert script.events == []
    script.hear(text)
    assert script.sent[0].data == script.sent[1].data  # RFC 3261 §8.2.7: a stateless answer is the same again
    assert script.endpoint.transactions == script.endpoint.sessions == 0


def test_options_tells_what_we_can() -> None:
    script = Script()
    script.hear(request("OPTIONS"))
    response = script.last_response()
    assert response.status == 200
    assert response.get("accept") == "application/sdp"
    assert response.get("allow") == "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
    assert response.lines("supported") == [""]


def test_an_invite_that_comes_by_two_ways_is_merged() -> None:
    """RFC 3261 §8.2.2.2."""
    script, session = rung()
    script.hear(invite(via="SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKother;rport"))
    assert script.last_response().status == 482
    assert len(script.of(Incoming)) == 1
    script.give(Reject(session=session, status=486))
    script.wait(60)
    script.hear(invite(via="SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKlater;rport"))
    assert len(script.of(Incoming)) == 2


def test_more_sessions_than_the_limit_are_refused_and_cost_nothing() -> None:
    script = Script(limit=1)
    script.hear(invite())
    script.hear(invite(via="SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb", call_id="call-2"))
    assert script.last_response().status == 503
    assert script.last_response().get("retry-after")
    assert script.endpoint.sessions == 1


def test_an_endpoint_that_takes_no_calls() -> None:
    script = Script(refuse_incoming=480)
    script.hear(invite())
    assert script.last_response().status == 480
    script.hear(request("ACK", to=script.last_response().get("to")))
    assert script.events == []
    assert len(script.sent) == 1


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\0\0\0", b"\r\n"])
def test_keep_alives_are_nothing(data: bytes) -> None:
    script = Script()
    script.hear(data)
    assert (script.sent, script.malformed, script.traces) == ([], [], [])


@pytest.mark.parametrize(
    "data", [b"hello", b"\xff" * 1000, b"GET / HTTP/1.1\r\n\r\n", b"INVITE\r\n\r\n", b"a" * 70000, b"SIP/2.0 abc\r\n\r\n"]
)
def test_what_is_no_sip_is_malformed_and_not_answered(data: bytes) -> None:
    script = Script()
    script.hear(data)
    assert script.sent == []
    assert len(script.malformed) == 1
    assert script.malformed[0].source == TRUNK


# --- where responses go (RFC 3261 §18.2.2, RFC 3581) ---


@pytest.mark.parametrize(
    ("via", "source", "expected"),
    [
        ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKa;rport", ("198.51.100.7", 4000), ("198.51.100.7", 4000)),
        ("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa", ("198.51.100.7", 4000), ("198.51.100.7", 5070)),
        ("SIP/2.0/UDP pbx.example.com;branch=z9hG4bKa", ("198.51.100.7", 4000), ("198.51.100.7", 5060)),
        ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;maddr=203.0.113.9", ("198.51.100.7", 4000), ("198.51.100.7", 5060)),
    ],
)
def test_where_a_response_goes(via: str, source: tuple[str, int], expected: tuple[str, int]) -> None:
    script = Script()
    script.hear(request("OPTIONS", via=via), Address(host=source[0], port=source[1]))
    assert script.sent[0].destination == Address(host=expected[0], port=expected[1])
    assert "received=198.51.100.7" in script.last_response().get("via")


# --- inside the session ---


def test_a_reinvite_is_offered_and_accepted() -> None:
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0\r\nnew"))
    assert script.events[-1] == Offered(session=session, method="INVITE", body=b"v=0\r\nnew")
    assert script.last_response().status == 100
    script.give(Accept(session=session, body=ANSWER))
    assert (script.last_response().status, script.last_response().body) == (200, ANSWER)
    script.wait(0.6)
    assert script.count("SIP/2.0 200") == 3
    script.hear(inside("ACK", tag, cseq=2))
    script.wait(40)
    assert script.count("SIP/2.0 200") == 3
    assert script.of(AckBody)[-1] == AckBody(session=session, body=b"")
    assert len(script.of(AckBody)) == 2


def test_a_reinvite_is_refused_and_the_call_goes_on() -> None:
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.give(Reject(session=session, status=488))
    assert script.last_response().status == 488
    script.hear(inside("ACK", tag, cseq=2, branch="INVITE2"))
    assert not script.of(Over)
    script.hear(inside("BYE", tag, cseq=3))
    assert script.kinds()[-2:] == ["ByeReceived", "Over"]


def test_an_update_is_offered_and_answered() -> None:
    script, session, tag = up()
    script.hear(inside("UPDATE", tag, cseq=2, body="v=0"))
    assert script.events[-1] == Offered(session=session, method="UPDATE", body=b"v=0")
    script.give(Accept(session=session, body=ANSWER))
    assert (script.last_response().status, script.last_response().body) == (200, ANSWER)
    script.wait(40)
    assert script.count("SIP/2.0 200") == 2


def test_an_update_without_a_body_is_answered_without_one() -> None:
    script, _, tag = up()
    script.hear(inside("UPDATE", tag, cseq=2))
    assert (script.last_response().status, script.last_response().body) == (200, b"")
    assert not script.of(Offered)


def test_a_second_offer_waits_its_turn() -> None:
    """RFC 3261 §14.2: 500 with Retry-After while the first has no answer; 491 while our 2xx has no ACK."""
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.hear(inside("INVITE", tag, cseq=3, body="v=0"))
    assert script.last_response().status == 500
    assert script.last_response().get("retry-after")
    script.give(Accept(session=session, body=ANSWER))
    script.hear(inside("UPDATE", tag, cseq=4, body="v=0"))
    assert script.last_response().status == 491
    script.hear(inside("ACK", tag, cseq=2))
    script.hear(inside("UPDATE", tag, cseq=5, body="v=0"))
    assert len(script.of(Offered)) == 2


def test_glare_before_the_first_ack() -> None:
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    script.hear(inside("UPDATE", our_tag(script), cseq=2, body="v=0"))
    assert script.last_response().status == 491


def test_a_cancelled_reinvite() -> None:
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.hear(inside("CANCEL", tag, cseq=2, branch="INVITE2"))
    assert [line.split()[1] for line in script.lines()[-2:]] == ["200", "487"]
    script.give(Accept(session=session, body=ANSWER))
    assert script.last_response().status == 487
    assert not script.of(Over)


def test_a_bye_during_an_offer_answers_both() -> None:
    """RFC 3261 §15.1.2: what is pending gets 487."""
    script, _, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.hear(inside("BYE", tag, cseq=3))
    assert [line.split()[1] for line in script.lines()[-2:]] == ["200", "487"]
    assert script.kinds()[-2:] == ["ByeReceived", "Over"]


def test_a_reinvite_without_ack_ends_the_call() -> None:
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.give(Accept(session=session, body=ANSWER))
    script.wait(32.1)
    assert script.lines()[-1].startswith("BYE ")
    script.reply(script.last("BYE"), 200)
    assert script.events[-1] == Over(session=session, who="network", status=408, phrase="no ACK came for a re-INVITE")


def test_a_new_contact_is_the_new_target() -> None:
    """RFC 3261 §12.2.2, target refresh."""
    script, session, tag = up()
    text = inside("UPDATE", tag, cseq=2).replace("<sip:alice@192.0.2.2:5060>", "<sip:alice@192.0.2.77:5090>")
    script.hear(text)
    script.give(Bye(session=session))
    assert script.last("BYE").uri == "sip:alice@192.0.2.77:5090"
    assert script.raw("BYE").destination == Address(host="192.0.2.77", port=5090)


def test_a_request_out_of_order_is_refused() -> None:
    """RFC 3261 §12.2.2."""
    script, session, tag = up()
    script.hear(inside("INFO", tag, cseq=5, body="Signal=1", kind="application/dtmf-relay"))
    script.hear(inside("BYE", tag, cseq=4))
    assert script.last_response().status == 500
    assert script.of(InfoReceived) == [InfoReceived(session=session, content_type="application/dtmf-relay", body=b"Signal=1")]
    assert not script.of(Over)


@pytest.mark.parametrize(
    ("method", "more", "body", "kind", "status"),
    [
        ("INVITE", "Require: timer", "v=0", "application/sdp", 420),
        ("INVITE", "", "x", "text/plain", 415),
        ("UPDATE", "", "x", "text/plain", 415),
        ("REFER", "", "", "", 405),
        ("PRACK", "", "", "", 405),
        ("OPTIONS", "", "", "", 200),
    ],
)
def test_requests_inside_that_are_answered_without_the_owner(method: str, more: str, body: str, kind: str, status: int) -> None:
    script, session, tag = up()
    script.hear(inside(method, tag, cseq=2, more=more, body=body, kind=kind))
    assert script.last_response().status == status
    assert script.kinds() == ["Incoming", "AckBody"]
    script.give(Bye(session=session))
    assert script.count("BYE") == 1


def test_a_stranger_who_knows_our_tag_but_not_the_dialog_is_refused() -> None:
    script, _, tag = up()
    script.hear(inside("BYE", tag, cseq=2).replace("tag=alice", "tag=mallory"))
    assert script.last_response().status == 481
    script.hear(inside("BYE", tag, cseq=2, branch="x").replace("call-1@", "call-2@"))
    assert script.last_response().status == 481
    assert not script.of(Over)


# --- addresses ---


def test_an_advertised_address_stands_in_via_and_contact() -> None:
    script = Script(local=Address(host="10.0.0.5", port=5062), advertise="203.0.113.9")
    script.hear(request("OPTIONS"))
    script.hear(invite())
    script.give(Ring(session=script.of(Incoming)[0].session))
    assert script.last_response().get("contact") == "<sip:203.0.113.9:5062>"


def test_a_wildcard_address_needs_an_advertised_one() -> None:
    with pytest.raises(LocalProtocolError, match="advertise"):
        Script(local=Address(host="0.0.0.0", port=5060))


def test_ipv6() -> None:
    peer = Address(host="2001:db8::2", port=5060)
    script = Script(local=Address(host="2001:db8::1", port=5060))
    script.hear(invite(via="SIP/2.0/UDP [2001:db8::2];branch=z9hG4bKa", contact="<sip:a@[2001:db8::2]:5070>"), peer)
    session = script.of(Incoming)[0].session
    script.give(Accept(session=session, body=ANSWER))
    ok = script.last_response()
    assert ok.get("contact") == "<sip:[2001:db8::1]:5060>"
    assert ok.get("via") == "SIP/2.0/UDP [2001:db8::2];branch=z9hG4bKa"
    script.hear(inside("ACK", our_tag(script)), peer)
    script.give(Bye(session=session))
    assert script.raw("BYE").destination == Address(host="2001:db8::2", port=5070)
    assert US.host not in script.last("BYE").get("via")


def test_a_provisional_is_repeated_each_minute() -> None:
    """RFC 3261 §13.3.1.1."""
    script, session = rung()
    script.give(Ring(session=session))
    script.wait(125)
    assert script.count("SIP/2.0 180") == 3
    script.give(Accept(session=session, body=ANSWER))
    script.hear(inside("ACK", our_tag(script)))
    script.wait(200)
    assert script.count("SIP/2.0 180") == 3


def test_an_offer_before_the_first_answer_comes_too_soon() -> None:
    """RFC 3261 §14.2, RFC 3311 §5.2."""
    script, session = rung()
    script.give(Ring(session=session))
    script.hear(inside("UPDATE", our_tag(script), cseq=2, body="v=0"))
    assert script.last_response().status == 500
    assert script.last_response().get("retry-after")


def test_a_caller_without_contact_is_reached_where_it_called_from() -> None:
    script = Script()
    script.hear(request("INVITE", contact="", body="v=0"))
    session = script.of(Incoming)[0].session
    script.give(Accept(session=session, body=ANSWER))
    script.hear(inside("ACK", our_tag(script)))
    script.give(Bye(session=session))
    assert script.last("BYE").uri == "sip:192.0.2.2:5060"


MULTIPART = (
    "--one\r\nContent-Type: application/ISUP;version=itu-t92+\r\n\r\n\x01\x02\r\n"
    "--one\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--one--\r\n"
)


@pytest.mark.parametrize("kind", ["multipart/mixed;boundary=one", 'multipart/mixed; charset=x; boundary="one"'])
def test_the_sdp_of_a_multipart_body_is_found(kind: str) -> None:
    script = Script()
    script.hear(request("INVITE", body=MULTIPART, kind=kind))
    assert script.of(Incoming)[0].body == b"v=0\r\n"


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/mixed;boundary=two", "multipart/mixed;boundary=" + "x" * 80])
def test_a_multipart_body_without_sdp_is_refused(kind: str) -> None:
    script = Script()
    script.hear(request("INVITE", body=MULTIPART, kind=kind))
    assert script.last_response().status == 415


def test_a_peer_of_rfc_2543_is_told_apart_without_branches() -> None:
    """RFC 3261 §17.2.3: Request-URI, tags, Call-ID, CSeq and Via in place of the branch."""
    old = "SIP/2.0/UDP 192.0.2.2:5060"
    script = Script()
    script.hear(invite(via=old))
    session = script.of(Incoming)[0].session
    script.hear(invite(via=old))
    assert len(script.of(Incoming)) == 1
    script.hear(request("CANCEL", via=old))
    assert [line.split()[1] for line in script.lines()[-2:]] == ["200", "487"]
    script.hear(request("ACK", via=old, to=script.last_response().get("to")))
    script.wait(60)
    assert script.count("SIP/2.0 487") == 1
    assert script.of(Over)[0].session == session


def test_a_reinvite_without_a_body_asks_for_our_offer() -> None:
    """RFC 3261 §14.2: the offer goes out in the 200, the answer comes in the ACK."""
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2))
    assert script.events[-1] == Offered(session=session, method="INVITE", body=b"")
    script.give(Accept(session=session, body=OFFER))
    assert script.last_response().body == OFFER
    script.hear(inside("ACK", tag, cseq=2, body="v=0\r\nanswer"))
    assert script.events[-1] == AckBody(session=session, body=b"v=0\r\nanswer")


@pytest.mark.parametrize("who", ["peer", "us"])
def test_a_call_that_ends_before_the_ack_of_a_reinvite(who: str) -> None:
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.give(Accept(session=session, body=ANSWER))
    if who == "peer":
        script.hear(inside("BYE", tag, cseq=3))
    else:
        script.give(Bye(session=session))
        script.reply(script.last("BYE"), 200)
    assert script.kinds()[-1] == "Over"
    sent = len(script.sent)
    script.wait(70)
    assert len(script.sent) == sent
    assert script.endpoint.transactions == 0


def test_a_reinvite_without_ack_is_not_repeated_after_the_bye() -> None:
    script, session, tag = up()
    script.hear(inside("INVITE", tag, cseq=2, body="v=0"))
    script.give(Accept(session=session, body=ANSWER))
    script.wait(32.1)
    answers = script.count("SIP/2.0 200")
    script.reply(script.last("BYE"), 200)
    script.wait(70)
    assert script.count("SIP/2.0 200") == answers
    assert script.endpoint.transactions == 0


@pytest.mark.parametrize("kept", [False, True])
def test_the_peer_hangs_up_instead_of_sending_its_ack(kept: bool) -> None:
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    tag = our_tag(script)
    if kept:
        script.give(Bye(session=session))
    script.hear(inside("BYE", tag, cseq=2))
    assert script.kinds() == ["Incoming", "ByeReceived", "Over"]
    sent = len(script.sent)
    script.wait(70)
    assert len(script.sent) == sent
    assert script.endpoint.transactions == 0


def test_a_bye_of_ours_whose_ack_never_comes_leaves_after_64_t1() -> None:
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER), Bye(session=session))
    script.wait(31.9)
    assert script.count("SIP/2.0 200") == 11
    assert script.count("BYE") == 0
    script.wait(0.2)
    assert script.count("BYE") == 1
    script.reply(script.last("BYE"), 200)
    script.wait(70)
    assert script.count("SIP/2.0 200") == 11
    assert script.events[-1] == Over(session=session, who="us", status=0)


def test_the_200_is_not_repeated_once_a_kept_bye_has_left() -> None:
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    tag = our_tag(script)
    script.give(Bye(session=session))
    script.hear(inside("ACK", tag))
    script.reply(script.last("BYE"), 200)
    script.wait(70)
    assert script.count("SIP/2.0 200") == 1
    assert script.endpoint.transactions == 0


def test_a_caller_that_does_not_know_the_dialog_any_more_ends_it() -> None:
    script, session, _ = up()
    script.give(SendInfo(session=session, body=b"Signal=1"))
    script.reply(script.last("INFO"), 481)
    script.reply(script.last("BYE"), 481)
    assert script.events[-1] == Over(session=session, who="peer", status=481, phrase="Call/Transaction Does Not Exist")


def test_a_ringing_call_that_ends_is_not_rung_on() -> None:
    for kind in (Reject, Bye):
        script, session = rung()
        script.give(Ring(session=session))
        script.give(Reject(session=session, status=486) if kind is Reject else Bye(session=session))
        script.hear(inside("ACK", our_tag(script), branch="alice1"))
        script.wait(5)
        assert script.endpoint.next_deadline() is None


def test_a_repeated_invite_gets_its_refusal_again() -> None:
    script, session = rung()
    script.give(Reject(session=session, status=486))
    script.hear(invite())
    assert script.count("SIP/2.0 486") == 2
    script.hear(inside("ACK", our_tag(script), branch="alice1"))
    script.hear(invite())
    assert script.count("SIP/2.0 486") == 2
    assert len(script.of(Incoming)) == 1


def test_a_repeated_invite_is_absorbed_once_it_is_accepted() -> None:
    """RFC 6026 §7.1: the session repeats the 200, not the transaction; it stays known for 64*T1."""
    script, session = rung()
    script.give(Accept(session=session, body=ANSWER))
    script.hear(invite())
    assert script.count("SIP/2.0 200") == 1
    script.hear(inside("ACK", our_tag(script)))
    script.wait(31)
    script.hear(invite())
    assert len(script.of(Incoming)) == 1
    assert script.endpoint.sessions == 1
