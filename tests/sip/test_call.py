"""Calls between two endpoints in virtual time, one behaviour each."""

from __future__ import annotations

from typing import Any

from helpers.sip_network import Network, Party
from outdial.sip.values import (
    Accept,
    Accepted,
    AckBody,
    Acknowledge,
    Bye,
    ByeReceived,
    Cancel,
    Dial,
    Go,
    Held,
    Incoming,
    Over,
    Provisional,
    Reject,
    Ring,
)

OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
ANSWER = b"v=0\r\no=- 2 2 IN IP4 192.0.2.2\r\n"


def dial(session: str = "leg", **changes: Any) -> Dial:
    fields: dict[str, Any] = {
        "session": session,
        "uri": "sip:+12065550150@192.0.2.2",
        "target": "sip:192.0.2.2",
        "from_uri": "sip:+12065550100@192.0.2.1",
        "to_uri": "sip:+12065550150@192.0.2.2",
        "body": OFFER,
    }
    return Dial(**{**fields, **changes})


def caller_owner(event: Any) -> list[Any]:
    """Lets the INVITE go and acknowledges the answer."""
    if isinstance(event, Held):
        return [Go(session=event.session)]
    if isinstance(event, Accepted) and event.wanted:
        return [Acknowledge(session=event.session, fork=event.fork)]
    return []


def answering(event: Any) -> list[Any]:
    """Rings and answers."""
    if isinstance(event, Incoming):
        return [Ring(session=event.session), Accept(session=event.session, body=ANSWER)]
    return []


def pair(network: Network, **options: Any) -> tuple[Party, Party]:
    us = network.party("us", "192.0.2.1", **options)
    alice = network.party("alice", "192.0.2.2")
    us.on_event, alice.on_event = caller_owner, answering
    return us, alice


def kinds(party: Party) -> list[str]:
    return [type(event).__name__ for event in party.events]


def first_lines(network: Network) -> list[str]:
    return [f"{name} {line.removesuffix(' SIP/2.0').removeprefix('SIP/2.0 ').split(' sip:')[0]}" for _, name, line in network.log]


def test_a_call_is_set_up_and_hung_up_by_us() -> None:
    network = Network()
    us, alice = pair(network)
    network.give(us, dial())
    network.run(1)
    network.give(us, Bye(session="leg"))
    network.run()
    assert kinds(us) == ["Held", "Provisional", "Accepted", "Over"]
    assert kinds(alice) == ["Incoming", "AckBody", "ByeReceived", "Over"]
    assert first_lines(network) == [
        "us INVITE",
        "alice 100 Trying",
        "alice 180 Ringing",
        "alice 200 OK",
        "us ACK",
        "us BYE",
        "alice 200 OK",
    ]
    accepted: Accepted = us.of(Accepted)[0]
    assert (accepted.wanted, accepted.body, accepted.remote_target) == (True, ANSWER, "sip:192.0.2.2:5060")
    assert us.of(Over)[0].who == "us"
    assert us.of(Over)[0].status == 0
    assert us.of(Provisional)[0].status == 180
    assert alice.of(AckBody)[0].body == b""
    assert us.endpoint.sessions == us.endpoint.transactions == alice.endpoint.transactions == 0


def test_the_far_end_hangs_up() -> None:
    network = Network()
    us, alice = pair(network)
    network.give(us, dial())
    network.run(1)
    network.give(alice, Bye(session=alice.of(Incoming)[0].session, reason='Q.850;cause=16;text="Normal call clearing"'))
    network.run()
    assert kinds(us) == ["Held", "Provisional", "Accepted", "ByeReceived", "Over"]
    assert us.of(ByeReceived)[0].reason == 'Q.850;cause=16;text="Normal call clearing"'
    assert us.of(Over)[0].who == "peer"


def test_cancel_while_it_rings() -> None:
    network = Network()
    us, alice = pair(network)
    alice.on_event = lambda event: [Ring(session=event.session)] if isinstance(event, Incoming) else []
    network.give(us, dial())
    network.run(1)
    network.give(us, Cancel(session="leg", reason="SIP;cause=480"))
    network.run()
    assert kinds(us) == ["Held", "Provisional", "Over"]
    assert us.of(Over)[0] == Over(session="leg", who="us", status=487, phrase="Request Terminated")
    assert alice.of(ByeReceived)[0] == ByeReceived(session=alice.of(Incoming)[0].session, reason="SIP;cause=480", cancelled=True)
    assert first_lines(network)[3:] == ["us CANCEL", "alice 200 OK", "alice 487 Request Terminated", "us ACK"]


def test_a_refusal_ends_the_session_and_is_acknowledged() -> None:
    network = Network()
    us, alice = pair(network)
    alice.on_event = lambda event: [Reject(session=event.session, status=486)] if isinstance(event, Incoming) else []
    network.give(us, dial())
    network.run()
    assert us.of(Over)[0] == Over(session="leg", who="peer", status=486, phrase="Busy Here")
    assert first_lines(network)[-2:] == ["alice 486 Busy Here", "us ACK"]
    assert alice.of(Over)[0].who == "us"
