"""The calling session against a peer written out by hand: forks, crossings, fail-over, challenges, routes, restarts."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.sip_script import ANSWER, OFFER, TRUNK, US, Script, dial
from outdial.sip.digest import Credentials
from outdial.sip.errors import LocalProtocolError
from outdial.sip.message import Request
from outdial.sip.parse import parse
from outdial.sip.values import (
    Accepted,
    Acknowledge,
    Address,
    AdoptDialog,
    AdoptInvite,
    Bye,
    ByeReceived,
    Cancel,
    Go,
    Held,
    InfoReceived,
    Over,
    Provisional,
    Resolved,
    SendInfo,
    TransportFailed,
)

SECOND = Address(host="192.0.2.3", port=5060)


def called(**options: Any) -> Script:
    """An INVITE has left."""
    script = Script(**options)
    script.give(dial(), Go(session="leg"))
    return script


def answered(**options: Any) -> Script:
    """A call that is up, its ACK sent."""
    script = called(**options)
    script.reply(script.last("INVITE"), 200, tag="bob", body=ANSWER)
    script.give(Acknowledge(session="leg", fork="bob"))
    return script


# --- the INVITE ---


def test_the_invite_is_held_until_go() -> None:
    script = Script(user_agent="outdial/1")
    script.give(dial(headers=(("X-Campaign", "May; 2026"), ("User-To-User", "56a390;encoding=hex")), from_name='Joe "B"'))
    assert script.kinds() == ["Held"]
    assert script.sent == []
    held: Held = script.events[0]
    assert (held.source, held.destination) == (US, TRUNK)
    script.give(Go(session="leg"))
    assert script.sent[0].data == held.invite
    invite = script.last()
    assert invite.uri == "sip:+12065550150@192.0.2.2"
    assert invite.get("from").startswith('"Joe \\"B\\"" <sip:+12065550100@192.0.2.1>;tag=')
    assert invite.get("contact") == "<sip:192.0.2.1:5060>"
    assert invite.get("x-campaign") == "May; 2026"
    assert invite.get("user-to-user") == "56a390;encoding=hex"
    assert invite.get("user-agent") == "outdial/1"
    assert ";rport" in invite.get("via")
    assert "100rel" not in invite.get("supported")
    assert "PRACK" not in invite.get("allow")
    assert (invite.get("content-type"), invite.body) == ("application/sdp", OFFER)


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("X-A", "b\r\nEvil: 1"),)},
        {"headers": (("X-A\r\nEvil", "b"),)},
        {"headers": (("X-A", "b\0"),)},
        {"headers": (("Via", "SIP/2.0/UDP 192.0.2.9"),)},
        {"headers": (("Content-Length", "0"),)},
        {"from_name": "a\nb"},
        {"uri": "sip:a@b c"},
        {"uri": "no uri"},
        {"to_uri": "sip:a@192.0.2.2>\r\nX: 1"},
        {"content_type": "a\r\nb: c"},
    ],
)
def test_what_would_break_the_message_is_refused(changes: dict[str, Any]) -> None:
    script = Script()
    with pytest.raises(LocalProtocolError):
        script.give(dial(**changes))
    assert script.sent == []
    assert script.endpoint.sessions == 0


def test_a_session_name_is_used_once_at_a_time() -> None:
    script = called()
    with pytest.raises(LocalProtocolError, match="leg already"):
        script.give(dial())


def test_a_name_that_does_not_resolve() -> None:
    script = Script()
    script.give(dial(target="sip:trunk.example.com"))
    assert script.events == [Over(session="leg", who="network", status=503, phrase="no such name")]


def test_an_address_on_another_transport_is_passed_over() -> None:
    script = Script()
    script.targets["sip:trunk.example.com"] = (Address(transport="tcp", host="192.0.2.9", port=5060), SECOND)
    script.give(dial(target="sip:trunk.example.com"))
    assert script.events[0].destination == SECOND


def test_timer_a_doubles_and_timer_b_ends_it() -> None:
    """RFC 3261 §17.1.1.2: at 0, T1, 3*T1, 7*T1, 15*T1, 31*T1, 63*T1; the end at 64*T1."""
    script = called()
    for at, count in [(0.49, 1), (0.02, 2), (1.0, 3), (2.0, 4), (4.0, 5), (8.0, 6), (16.0, 7)]:
        script.wait(at)
        assert script.count("INVITE") == count
    script.wait(0.5)
    assert script.events[-1] == Over(session="leg", who="network", status=408, phrase="no answer")
    assert script.endpoint.transactions == 0
    assert script.endpoint.next_deadline() is None


def test_nothing_is_repeated_after_a_100() -> None:
    script = called()
    script.reply(script.last(), 100)
    script.wait(200)
    assert script.count("INVITE") == 1
    assert script.kinds() == ["Held"]


def test_a_body_that_cannot_be_taken_apart_is_as_none() -> None:
    script = called()
    script.reply(script.last(), 183, tag="bob", body=ANSWER, headers=(("Content-Type", 'multipart/mixed;boundary="x'),))
    script.reply(script.last(), 200, tag="bob", body=ANSWER, headers=(("Content-Type", "text/plain"),))
    assert [event.body for event in script.events[1:]] == [b"", b""]


def test_early_media_is_passed_up_with_its_tag() -> None:
    script = called()
    script.reply(script.last(), 183, tag="bob", body=ANSWER)
    assert script.events[-1] == Provisional(session="leg", status=183, tag="bob", body=ANSWER, source=TRUNK)


# --- fail-over ---


def two_targets() -> Script:
    script = Script()
    script.targets["sip:trunk.example.com"] = (TRUNK, SECOND)
    script.give(dial(target="sip:trunk.example.com"), Go(session="leg"))
    return script


@pytest.mark.parametrize("how", ["icmp", "503", "timer b"])
def test_the_next_target_is_tried(how: str) -> None:
    """RFC 3263 §4.3: the same request with another branch."""
    script = two_targets()
    first = script.last()
    if how == "icmp":
        script.give(TransportFailed(destination=TRUNK, detail="Connection refused"))
    elif how == "503":
        script.reply(first, 503, tag="x")
    else:
        script.wait(33)
    assert script.kinds() == ["Held", "Held"]
    assert script.events[1].destination == SECOND
    script.give(Go(session="leg"))
    second = script.last("INVITE")
    assert second.get("via") != first.get("via")
    for name in ("from", "to", "call-id", "cseq"):
        assert second.get(name) == first.get(name)
    script.reply(second, 200, tag="bob", source=SECOND)
    assert script.of(Accepted)[0].wanted


def test_the_last_target_ends_it() -> None:
    script = two_targets()
    script.give(TransportFailed(destination=TRUNK, detail="x"), Go(session="leg"))
    script.give(TransportFailed(destination=SECOND, detail="Network is unreachable"))
    assert script.events[-1] == Over(session="leg", who="network", status=503, phrase="Network is unreachable")
    assert script.endpoint.transactions == 0
    assert script.endpoint.next_deadline() is None


def test_no_other_target_once_it_rang() -> None:
    script = two_targets()
    script.reply(script.last(), 180, tag="bob")
    script.reply(script.last(), 503, tag="bob")
    assert script.events[-1] == Over(session="leg", who="peer", status=503, phrase="Service Unavailable")


# --- challenges ---

CHALLENGE = (("Proxy-Authenticate", 'Digest realm="example.com", nonce="abc", qop="auth", algorithm=SHA-256'),)


def test_a_challenge_makes_a_new_held_invite() -> None:
    script = called(credentials=(Credentials(username="alice", password="secret"),))
    first = script.last()
    script.reply(first, 407, tag="p", headers=CHALLENGE)
    assert script.lines()[-1].startswith("ACK ")
    assert script.kinds() == ["Held", "Held"]
    script.give(Go(session="leg"))
    second = script.last("INVITE")
    assert second.get("cseq") == "2 INVITE"
    assert (second.get("call-id"), second.get("from")) == (first.get("call-id"), first.get("from"))
    assert 'uri="sip:+12065550150@192.0.2.2"' in second.get("proxy-authorization")
    script.reply(second, 200, tag="bob")
    script.give(Acknowledge(session="leg", fork="bob"))
    # RFC 3261 §22.1: the ACK carries the INVITE's credentials.
    assert script.last("ACK").get("proxy-authorization") == second.get("proxy-authorization")
    assert script.last("ACK").get("cseq") == "2 ACK"
    script.give(Bye(session="leg"))
    assert "nc=00000002" in script.last("BYE").get("proxy-authorization")
    assert script.last("BYE").get("cseq") == "3 BYE"


def test_a_second_challenge_is_the_end() -> None:
    script = called(credentials=(Credentials(username="alice", password="wrong"),))
    script.reply(script.last(), 407, tag="p", headers=CHALLENGE)
    script.give(Go(session="leg"))
    script.reply(script.last("INVITE"), 407, tag="p", headers=(("Proxy-Authenticate", 'Digest realm="example.com", nonce="def"'),))
    assert script.events[-1] == Over(session="leg", who="peer", status=407, phrase="Proxy Authentication Required")


def test_a_challenge_without_credentials_is_the_end() -> None:
    script = called()
    script.reply(script.last(), 407, tag="p", headers=CHALLENGE)
    assert script.events[-1].status == 407


def test_a_challenged_bye_is_sent_again_with_credentials() -> None:
    script = answered(credentials=(Credentials(username="alice", password="secret"),))
    script.give(Bye(session="leg", reason="Q.850;cause=16"))
    script.reply(script.last("BYE"), 401, headers=(("WWW-Authenticate", 'Digest realm="x", nonce="n"'),))
    assert script.count("BYE") == 2
    assert script.last("BYE").get("authorization")
    assert script.last("BYE").get("reason") == "Q.850;cause=16"
    assert script.last("BYE").get("cseq") == "3 BYE"
    script.reply(script.last("BYE"), 200)
    assert script.events[-1] == Over(session="leg", who="us", status=0)


# --- 2xx, ACK, forks ---


def test_the_ack_leaves_on_acknowledge_and_again_at_each_repeat() -> None:
    script = called()
    invite = script.last()
    script.reply(invite, 200, tag="bob", body=ANSWER)
    script.reply(invite, 200, tag="bob", body=ANSWER)
    assert script.count("ACK") == 0
    script.give(Acknowledge(session="leg", fork="bob", body=b"v=0\r\n"))
    script.reply(invite, 200, tag="bob", body=ANSWER)
    script.reply(invite, 200, tag="bob", body=ANSWER)
    acks = [item.data for item in script.sent if item.data.startswith(b"ACK ")]
    assert len(acks) == 3
    assert len(set(acks)) == 1
    ack = script.last("ACK")
    assert (ack.uri, ack.get("cseq"), ack.body) == ("sip:192.0.2.2:5060", "1 ACK", b"v=0\r\n")
    assert ack.get("via") != invite.get("via")
    assert len(script.of(Accepted)) == 1


def test_a_losing_fork_gets_ack_and_bye_by_itself() -> None:
    script = called()
    invite = script.last()
    script.reply(invite, 180, tag="one")
    script.reply(invite, 180, tag="two")
    script.reply(invite, 200, tag="two", contact="<sip:two@192.0.2.22>")
    script.reply(invite, 200, tag="one", contact="<sip:one@192.0.2.21>")
    assert [(event.fork, event.wanted) for event in script.of(Accepted)] == [("two", True), ("one", False)]
    assert [line.split()[:2] for line in script.lines()[1:]] == [["ACK", "sip:one@192.0.2.21"], ["BYE", "sip:one@192.0.2.21"]]
    assert script.sent[-1].destination == Address(host="192.0.2.21", port=5060)
    script.reply(script.last("BYE"), 200)
    assert not script.of(Over)
    script.give(Acknowledge(session="leg", fork="two"), Bye(session="leg"))
    script.reply(script.last("BYE"), 200)
    assert script.events[-1] == Over(session="leg", who="us", status=0)


def test_a_peer_that_invents_forks_does_not_make_us_send_for_ever() -> None:
    """RFC 3261 §13.2.2.4 has each fork hung up; nobody forks to 500 telephones, and each of our BYEs goes to where the peer says."""
    script = answered()
    invite = script.last("INVITE")
    before = len(script.sent)
    for number in range(500):
        script.reply(invite, 200, tag=f"t{number}", body=ANSWER)
    assert len(script.sent) - before <= 2 * 32
    script.give(Bye(session="leg"))
    assert script.last("BYE").get("to").endswith(";tag=bob")


def test_a_bye_on_a_losing_fork_does_not_end_the_call() -> None:
    script = called()
    invite = script.last()
    script.reply(invite, 200, tag="two")
    script.reply(invite, 200, tag="one")
    script.hear(bye_of(invite, "one"))
    assert script.lines()[-1] == "SIP/2.0 200 OK"
    assert not script.of(Over)
    assert not script.of(ByeReceived)


def test_a_fork_that_answers_after_the_end_is_hung_up() -> None:
    script = answered()
    invite = script.last("INVITE")
    script.give(Bye(session="leg"))
    script.reply(script.last("BYE"), 200)
    assert isinstance(script.events[-1], Over)
    script.wait(10)
    script.reply(invite, 200, tag="late", contact="<sip:late@192.0.2.23>")
    assert [line.split()[:2] for line in script.lines()[3:]] == [["ACK", "sip:late@192.0.2.23"], ["BYE", "sip:late@192.0.2.23"]]
    script.reply(invite, 200, tag="late", contact="<sip:late@192.0.2.23>")
    assert script.count("ACK") == 3
    assert script.kinds()[-1] == "Over"
    script.reply(script.last("BYE"), 200)
    script.wait(40)
    assert script.endpoint.transactions == 0


def bye_of(invite: Request, tag: str, *, cseq: int = 1, method: str = "BYE", more: str = "", body: str = "") -> str:
    """A request of the peer inside the dialog that an INVITE of ours made."""
    return (
        f"{method} sip:192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}{tag}{cseq}\r\nMax-Forwards: 70\r\n"
        f"From: {invite.get('to')};tag={tag}\r\nTo: {invite.get('from')}\r\nCall-ID: {invite.get('call-id')}\r\n"
        f"CSeq: {cseq} {method}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
    )


def test_the_peer_hangs_up_before_our_ack() -> None:
    """The ACK is sent nevertheless: the peer repeats its 2xx until it has one."""
    script = called()
    invite = script.last()
    script.reply(invite, 200, tag="bob")
    script.hear(bye_of(invite, "bob", more="Reason: Q.850;cause=16\r\n"))
    assert script.lines()[1:] == ["SIP/2.0 200 OK", "ACK sip:192.0.2.2:5060 SIP/2.0"]
    assert script.events[-2:] == [
        ByeReceived(session="leg", reason="Q.850;cause=16"),
        Over(session="leg", who="peer", status=0, reason="Q.850;cause=16"),
    ]


def test_a_repeated_bye_gets_the_same_answer_after_the_end() -> None:
    script = answered()
    bye = bye_of(script.last("INVITE"), "bob")
    script.hear(bye)
    script.hear(bye)
    assert script.sent[-1].data == script.sent[-2].data
    assert len(script.of(ByeReceived)) == len(script.of(Over)) == 1
    script.hear(bye_of(script.last("INVITE"), "bob", cseq=2))
    assert script.lines()[-1] == "SIP/2.0 481 Call/Transaction Does Not Exist"


def test_byes_that_cross() -> None:
    script = answered()
    script.give(Bye(session="leg"))
    script.hear(bye_of(script.last("INVITE"), "bob"))
    assert script.lines()[-1] == "SIP/2.0 200 OK"
    assert not script.of(Over)
    script.reply(script.last("BYE"), 481)
    assert script.kinds()[-1] == "Over"
    assert script.of(ByeReceived) == []


def test_a_bye_that_nobody_answers_ends_after_timer_f() -> None:
    script = answered()
    script.give(Bye(session="leg"))
    script.wait(33)
    assert script.events[-1] == Over(session="leg", who="us", status=408, phrase="BYE: no answer")
    assert script.count("BYE") == 11  # RFC 3261 §17.1.2.1: 0, 0.5, 1.5, 3.5, 7.5, then each 4 s


# --- CANCEL ---


def test_cancel_before_anything_left_sends_nothing() -> None:
    script = Script()
    script.give(dial(), Cancel(session="leg"))
    assert script.sent == []
    assert script.events[-1] == Over(session="leg", who="us", status=487, phrase="cancelled before it left")


def test_cancel_while_the_name_is_looked_up() -> None:
    script = Script()
    script.answer_dns = False
    script.give(dial(), Cancel(session="leg"))
    script.give(Resolved(token=script.resolves[0].token, targets=(TRUNK,)), Go(session="leg"))
    assert script.sent == []
    assert script.events == [Over(session="leg", who="us", status=487, phrase="cancelled before it left")]


def test_cancel_waits_for_a_provisional() -> None:
    script = called()
    invite = script.last()
    script.give(Cancel(session="leg", reason="SIP;cause=480"))
    assert script.count("CANCEL") == 0
    script.reply(invite, 100)
    cancel = script.last("CANCEL")
    assert (cancel.uri, cancel.get("via"), cancel.get("cseq")) == (invite.uri, invite.get("via"), "1 CANCEL")
    assert (cancel.get("from"), cancel.get("to"), cancel.get("call-id")) == (invite.get("from"), invite.get("to"), invite.get("call-id"))
    assert cancel.get("reason") == "SIP;cause=480"
    script.reply(cancel, 200)
    script.reply(invite, 487, tag="bob")
    assert script.lines()[-1].startswith("ACK ")
    assert script.events[-1] == Over(session="leg", who="us", status=487, phrase="Request Terminated")


def test_a_200_that_crosses_a_kept_cancel_gets_ack_and_bye() -> None:
    script = called()
    script.give(Cancel(session="leg"))
    script.reply(script.last("INVITE"), 200, tag="bob")
    assert [line.split()[0] for line in script.lines()[1:]] == ["ACK", "BYE"]
    assert [event.wanted for event in script.of(Accepted)] == [False]
    script.reply(script.last("BYE"), 200)
    assert script.events[-1] == Over(session="leg", who="us", status=0)


def test_a_200_that_crosses_a_cancel_gets_ack_and_bye() -> None:
    script = called()
    invite = script.last()
    script.reply(invite, 180, tag="bob")
    script.give(Cancel(session="leg"))
    script.reply(invite, 200, tag="bob")
    script.reply(script.last("CANCEL"), 481)
    script.reply(invite, 200, tag="bob")
    assert [line.split()[0] for line in script.lines()[2:]] == ["ACK", "BYE", "ACK"]
    script.reply(script.last("BYE"), 200)
    assert script.kinds() == ["Held", "Provisional", "Accepted", "Over"]


def test_a_busy_that_crosses_a_cancel_is_the_peers_word() -> None:
    script = called()
    invite = script.last()
    script.reply(invite, 180, tag="bob")
    script.give(Cancel(session="leg"))
    script.reply(invite, 486, tag="bob", headers=(("Reason", "Q.850;cause=17"),))
    assert script.events[-1] == Over(session="leg", who="peer", status=486, phrase="Busy Here", reason="Q.850;cause=17")


def test_a_cancel_without_a_final_response_ends_after_64_t1() -> None:
    """RFC 3261 §9.1."""
    script = called()
    script.reply(script.last(), 180, tag="bob")
    script.give(Cancel(session="leg"))
    script.reply(script.last("CANCEL"), 200)
    script.wait(31.9)
    assert not script.of(Over)
    script.wait(0.2)
    assert script.events[-1] == Over(session="leg", who="us", status=408, phrase="no final response to CANCEL")
    script.wait(60)
    assert script.endpoint.transactions == 0


def test_cancel_of_an_answered_call_is_a_bye() -> None:
    """The owner's Cancel was on its way when the 2xx came."""
    script = called()
    script.reply(script.last(), 200, tag="bob")
    script.give(Cancel(session="leg"))
    assert [line.split()[0] for line in script.lines()[1:]] == ["ACK", "BYE"]


def test_commands_for_a_session_that_is_over_are_harmless() -> None:
    script = called()
    script.reply(script.last(), 486, tag="x")
    before = len(script.sent)
    script.give(Bye(session="leg"), Cancel(session="leg"), Go(session="leg"), Acknowledge(session="leg", fork="x"))
    script.give(SendInfo(session="leg", body=b"x"), Bye(session="never was"))
    assert len(script.sent) == before
    assert script.kinds().count("Over") == 1


# --- routes ---


def test_record_route_is_the_way_back() -> None:
    """RFC 3261 §12.1.2: the caller's route set is Record-Route in reverse."""
    script = called()
    script.reply(
        script.last(),
        200,
        tag="bob",
        contact="<sip:bob@10.0.0.9:5070>",
        headers=(("Record-Route", "<sip:192.0.2.4;lr>, <sip:192.0.2.3:5080;lr>"),),
    )
    accepted = script.of(Accepted)[0]
    assert accepted.routes == ("<sip:192.0.2.3:5080;lr>", "<sip:192.0.2.4;lr>")
    script.give(Acknowledge(session="leg", fork="bob"), Bye(session="leg"))
    for method in ("ACK", "BYE"):
        message = script.last(method)
        assert message.uri == "sip:bob@10.0.0.9:5070"
        assert message.lines("route") == ["<sip:192.0.2.3:5080;lr>", "<sip:192.0.2.4;lr>"]
        assert script.raw(method).destination == Address(host="192.0.2.3", port=5080)


def test_a_strict_router_gets_the_request_uri() -> None:
    """RFC 3261 §12.2.1.1: its URI as Request-URI, the target last in Route."""
    script = called()
    script.reply(
        script.last(),
        200,
        tag="bob",
        contact="<sip:bob@10.0.0.9>",
        headers=(("Record-Route", "<sip:p2@192.0.2.4;lr>, <sip:p1@192.0.2.3>"),),
    )
    script.give(Acknowledge(session="leg", fork="bob"))
    ack = script.last("ACK")
    assert ack.uri == "sip:p1@192.0.2.3"
    assert ack.lines("route") == ["<sip:p2@192.0.2.4;lr>", "<sip:bob@10.0.0.9>"]
    assert script.raw("ACK").destination == SECOND


def test_a_contact_by_name_is_looked_up_once_and_messages_keep_their_order() -> None:
    script = called()
    script.answer_dns = False
    script.reply(script.last(), 200, tag="bob", contact="<sip:bob@sbc.example.com>")
    script.give(Acknowledge(session="leg", fork="bob"), Bye(session="leg"))
    assert len(script.sent) == 1
    assert [item.uri for item in script.resolves[1:]] == ["sip:bob@sbc.example.com"]
    script.give(Resolved(token=script.resolves[1].token, targets=(SECOND,)))
    assert [line.split()[0] for line in script.lines()[1:]] == ["ACK", "BYE"]
    assert script.sent[-1].destination == SECOND


@pytest.mark.parametrize(
    "contact", ["", "<sip:bob@no-such.example.com>", "<mailto:bob@example.com>", '"never closes <sip:x>', "<sip:bob@[::>"]
)
def test_a_contact_that_is_no_use_is_replaced_by_where_the_answer_came_from(contact: str) -> None:
    script = called()
    script.reply(script.last(), 200, tag="bob", contact=contact, source=SECOND)
    script.give(Acknowledge(session="leg", fork="bob"), Bye(session="leg"))
    assert {item.destination for item in script.sent[1:]} == {SECOND}


# --- inside the session ---


def test_info_goes_both_ways() -> None:
    script = answered()
    script.give(SendInfo(session="leg", body=b"Signal=5\r\nDuration=160\r\n"))
    info = script.last("INFO")
    assert (info.get("content-type"), info.body, info.get("cseq")) == ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "2 INFO")
    script.reply(info, 200)
    text = bye_of(script.last("INVITE"), "bob", method="INFO", more="Content-Type: application/dtmf-relay\r\n", body="Signal=1\r\n")
    script.hear(text)
    script.hear(text)
    assert script.of(InfoReceived) == [InfoReceived(session="leg", content_type="application/dtmf-relay", body=b"Signal=1\r\n")]
    assert script.lines()[-2:] == ["SIP/2.0 200 OK"] * 2


def test_an_info_that_the_peer_does_not_know_the_dialog_of_ends_it() -> None:
    """RFC 3261 §12.2.1.2."""
    script = answered()
    script.give(SendInfo(session="leg", body=b"x"))
    script.reply(script.last("INFO"), 481)
    assert script.lines()[-1].startswith("BYE ")
    script.reply(script.last("BYE"), 481)
    assert script.events[-1] == Over(session="leg", who="peer", status=481, phrase="Call/Transaction Does Not Exist")


# --- restarts ---


def stored() -> bytes:
    script = Script()
    script.give(dial())
    invite: bytes = script.events[0].invite
    return invite


def test_an_adopted_invite_is_cancelled_and_never_repeated() -> None:
    """DESIGN 3.5: CANCEL from the stored INVITE; a 487 gets its ACK."""
    script = Script()
    invite = parse(stored())
    assert isinstance(invite, Request)
    script.give(AdoptInvite(session="leg", invite=stored(), source=US, destination=TRUNK))
    assert script.lines() == ["CANCEL sip:+12065550150@192.0.2.2 SIP/2.0"]
    assert script.last().get("via") == invite.get("via")
    script.reply(script.last(), 200)
    script.reply(invite, 487, tag="bob")
    assert script.lines()[-1].startswith("ACK ")
    assert script.events == [Over(session="leg", who="us", status=487, phrase="Request Terminated")]


def test_an_adopted_invite_that_was_answered_meanwhile_gets_ack_and_bye() -> None:
    script = Script()
    invite = parse(stored())
    assert isinstance(invite, Request)
    script.give(AdoptInvite(session="leg", invite=stored(), source=US, destination=TRUNK))
    script.reply(script.last("CANCEL"), 200)
    script.wait(5)
    script.reply(invite, 200, tag="bob")
    assert [line.split()[0] for line in script.lines()] == ["CANCEL", "ACK", "BYE"]
    assert script.last("BYE").get("cseq") == "2 BYE"
    script.reply(script.last("BYE"), 200)
    assert script.kinds() == ["Accepted", "Over"]
    assert not script.events[0].wanted


def test_an_adopted_invite_that_the_far_side_does_not_know_is_over_at_once() -> None:
    """RFC 3261 §9.2: 481 is said of an INVITE that never came, or has had its final response; so a late 2xx still gets ACK and BYE."""
    script = Script()
    invite = parse(stored())
    assert isinstance(invite, Request)
    script.give(AdoptInvite(session="leg", invite=stored(), source=US, destination=TRUNK))
    script.reply(script.last("CANCEL"), 481)
    assert [(event.who, event.status) for event in script.events] == [("us", 481)]
    script.wait(20)
    for _ in range(2):
        script.reply(invite, 200, tag="bob")
    assert [line.split()[0] for line in script.lines()] == ["CANCEL", "ACK", "BYE", "ACK"]
    script.reply(script.last("BYE"), 200)
    assert script.kinds() == ["Over"]
    script.wait(100)
    assert script.endpoint.transactions == script.endpoint.sessions == 0


def test_an_adopted_invite_without_any_answer_is_over_after_64_t1() -> None:
    script = Script()
    script.give(AdoptInvite(session="leg", invite=stored(), source=US, destination=TRUNK))
    script.wait(33)
    assert script.count("INVITE") == 0
    assert [type(event) for event in script.events] == [Over]
    script.wait(60)
    assert script.endpoint.transactions == script.endpoint.sessions == 0


def test_an_adopted_dialog_is_acknowledged_and_hung_up() -> None:
    script = Script()
    invite = parse(stored())
    assert isinstance(invite, Request)
    script.give(
        AdoptDialog(
            session="leg",
            invite=stored(),
            source=US,
            destination=TRUNK,
            remote_tag="bob",
            remote_target="sip:bob@10.0.0.9",
            routes=("<sip:192.0.2.3;lr>",),
        )
    )
    assert [line.split()[0] for line in script.lines()] == ["ACK", "BYE"]
    assert script.last("ACK").get("cseq") == "1 ACK"
    bye = script.last("BYE")
    assert bye.get("cseq") == "1001 BYE"
    assert bye.get("to") == f"{invite.get('to')};tag=bob"
    assert (bye.uri, bye.lines("route")) == ("sip:bob@10.0.0.9", ["<sip:192.0.2.3;lr>"])
    assert script.sent[0].destination == SECOND
    script.reply(invite, 200, tag="bob")
    assert script.lines()[-1].startswith("ACK ")
    script.reply(bye, 200)
    assert script.events == [Over(session="leg", who="us", status=0)]


@pytest.mark.parametrize("data", [b"", b"INVITE", b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:a@b SIP/2.0\r\n\r\n"])
def test_a_stored_invite_that_cannot_be_read_ends_at_once(data: bytes) -> None:
    script = Script()
    script.give(AdoptInvite(session="leg", invite=data, source=US, destination=TRUNK))
    assert [type(event) for event in script.events] == [Over]
    assert "cannot be read" in script.events[0].phrase


# --- strays ---


def test_a_response_that_answers_nothing_is_traced_and_dropped() -> None:
    script = called()
    invite = script.last()
    other = invite.encode().replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")
    message = parse(other)
    assert isinstance(message, Request)
    script.reply(message, 200, tag="evil")
    assert script.kinds() == ["Held"]
    assert script.traces[-1].session == ""


def test_a_response_for_somebody_else_is_malformed() -> None:
    script = called()
    script.reply(script.last(), 200, tag="bob", headers=(("Via", "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx"),))
    assert script.kinds() == ["Held"]
    assert "2 Via values" in script.malformed[0].detail


def test_every_message_is_traced_with_its_session() -> None:
    script = answered()
    script.give(Bye(session="leg"))
    script.reply(script.last("BYE"), 200)
    assert [(trace.way, trace.session) for trace in script.traces] == [
        ("sent", "leg"),
        ("received", "leg"),
        ("sent", "leg"),
        ("sent", "leg"),
        ("received", "leg"),
    ]


def test_an_icmp_error_is_nothing_to_a_call_that_was_answered() -> None:
    script = answered()
    script.give(TransportFailed(destination=TRUNK, detail="Connection refused"))
    assert not script.of(Over)


@pytest.mark.parametrize("broken", [{"remote_target": "mailto:x@example.com"}, {"remote_target": ""}, {"routes": ("<sip:x",)}])
def test_a_stored_dialog_that_cannot_be_read_ends_at_once(broken: dict[str, Any]) -> None:
    script = Script()
    fields: dict[str, Any] = {"remote_tag": "bob", "remote_target": "sip:bob@192.0.2.2", **broken}
    script.give(AdoptDialog(session="leg", invite=stored(), source=US, destination=TRUNK, **fields))
    assert [type(event) for event in script.events] == [Over]
    assert "cannot be read" in script.events[0].phrase
    assert script.endpoint.transactions == 0


def test_a_bye_that_cannot_be_sent_ends_at_once() -> None:
    script = answered()
    script.wait(33)
    script.give(Bye(session="leg"), TransportFailed(destination=TRUNK, detail="Connection refused"))
    assert script.events[-1] == Over(session="leg", who="us", status=503, phrase="BYE: Connection refused")
    assert script.endpoint.transactions == 0
    assert script.endpoint.next_deadline() is None


# --- early dialogs ---


def ringing() -> tuple[Script, Request]:
    script = called()
    invite = script.last()
    script.reply(invite, 180, tag="bob")
    return script, invite


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("UPDATE", "v=0", 491), ("UPDATE", "", 200), ("OPTIONS", "", 200), ("INFO", "x", 200), ("INVITE", "v=0", 491), ("BYE", "", 200)],
)
def test_requests_of_an_early_dialog(method: str, body: str, status: int) -> None:
    """Our offer is unanswered, so no other may come (RFC 3311 §5.2). A callee may not BYE an early dialog (RFC 3261 §15)."""
    script, invite = ringing()
    script.hear(bye_of(invite, "bob", method=method, body=body))
    assert script.lines()[-1].split()[1] == str(status)
    assert not script.of(Over)
    script.reply(invite, 200, tag="bob")
    assert script.of(Accepted)[0].wanted
    script.give(Acknowledge(session="leg", fork="bob"))
    # The dialog is the early one gone on: the peer's numbers count through.
    script.hear(bye_of(invite, "bob", cseq=1, method="INFO", body="y").replace("z9hG4bK", "z9hG4bKagain"))
    assert script.lines()[-1].split()[1] == "500"
    script.hear(bye_of(invite, "bob", cseq=2))
    assert script.kinds()[-2:] == ["ByeReceived", "Over"]


def test_an_early_dialog_that_nobody_told_us_of() -> None:
    script, invite = ringing()
    script.hear(bye_of(invite, "mallory", method="INFO", body="x"))
    assert script.lines()[-1].split()[1] == "481"


# --- transactions ---


def test_a_repeated_refusal_gets_its_ack_again() -> None:
    """RFC 3261 §17.1.1.2."""
    script = called()
    invite = script.last()
    for _ in range(3):
        script.reply(invite, 486, tag="bob")
    acks = [item.data for item in script.sent if item.data.startswith(b"ACK ")]
    assert len(acks) == 3
    assert len(set(acks)) == 1
    assert script.kinds().count("Over") == 1
    script.wait(31.9)
    script.reply(invite, 486, tag="bob")
    assert script.count("ACK") == 4
    script.wait(0.2)
    script.reply(invite, 486, tag="bob")
    assert script.count("ACK") == 4
    assert script.endpoint.transactions == 0


def test_a_provisional_to_a_bye_slows_its_repeats() -> None:
    """RFC 3261 §17.1.2.2: T2 apart in Proceeding, until timer F."""
    script = answered()
    script.give(Bye(session="leg"))
    bye = script.last("BYE")
    script.reply(bye, 100)
    script.reply(bye, 100)
    for at, count in [(0.6, 2), (3.8, 2), (0.2, 3), (4.0, 4)]:
        script.wait(at)
        assert script.count("BYE") == count
    script.give(TransportFailed(destination=TRUNK, detail="Connection refused"))
    assert not script.of(Over)
    script.reply(bye, 200)
    script.reply(bye, 200)
    assert script.events[-1] == Over(session="leg", who="us", status=0)
    script.wait(4)
    assert script.count("BYE") == 4


def test_a_bye_that_only_gets_a_100_ends_after_timer_f() -> None:
    script = answered()
    script.give(Bye(session="leg"))
    script.reply(script.last("BYE"), 100)
    script.wait(32.1)
    assert script.events[-1] == Over(session="leg", who="us", status=408, phrase="BYE: no answer")


def test_timer_k_absorbs_repeats_for_t4() -> None:
    script = answered()
    script.give(Bye(session="leg"))
    bye = script.last("BYE")
    script.reply(bye, 200)
    before = script.endpoint.transactions
    script.wait(4.9)
    assert script.endpoint.transactions == before
    script.wait(0.2)
    assert script.endpoint.transactions == before - 1


def test_a_challenge_after_a_100_is_answered() -> None:
    script = called(credentials=(Credentials(username="alice", password="secret"),))
    script.reply(script.last(), 100)
    script.reply(script.last("INVITE"), 407, tag="p", headers=CHALLENGE)
    assert script.kinds() == ["Held", "Held"]
    script.give(Go(session="leg"))
    assert script.last("INVITE").get("cseq") == "2 INVITE"
    assert script.last("INVITE").get("proxy-authorization")


def test_a_503_after_a_100_goes_to_the_next_target() -> None:
    """A 100 comes from the next hop and says nothing of the callee."""
    script = two_targets()
    script.reply(script.last(), 100)
    script.reply(script.last("INVITE"), 503, tag="p")
    assert script.events[-1].destination == SECOND
    script.give(Go(session="leg"))
    assert script.raw("INVITE").destination == SECOND


@pytest.mark.parametrize("provisional", [False, True])
@pytest.mark.parametrize("status", [407, 486, 487, 503])
def test_whatever_refuses_after_a_cancel_ends_it(status: int, provisional: bool) -> None:
    """No credentials are given and no other target is tried for a call that nobody wants any more."""
    script = Script(credentials=(Credentials(username="alice", password="secret"),))
    script.targets["sip:trunk.example.com"] = (TRUNK, SECOND)
    script.give(dial(target="sip:trunk.example.com"), Go(session="leg"))
    invite = script.last()
    script.give(Cancel(session="leg"))
    if provisional:
        script.reply(invite, 100)
    script.reply(invite, status, tag="p", headers=CHALLENGE)
    assert script.kinds() == ["Held", "Over"]
    assert (script.events[-1].who, script.events[-1].status) == ("us" if status == 487 else "peer", status)
    script.wait(40)
    assert script.endpoint.transactions == 0


def test_a_kept_cancel_of_one_that_never_answers_ends_with_timer_b() -> None:
    script = called()
    script.give(Cancel(session="leg"))
    script.wait(32.1)
    assert script.count("CANCEL") == 0
    assert script.events[-1] == Over(session="leg", who="network", status=408, phrase="no answer")
