"""Calls over a network that loses, repeats and reorders: what each end believes at the end, for many seeds.

Whatever is lost, each session ends in exactly one `Over`, nothing comes after it, and no transaction is left.
"""

from __future__ import annotations

from typing import Any

import pytest

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

OFFER, ANSWER = b"v=0\r\no=- 1 1\r\n", b"v=0\r\no=- 2 2\r\n"
LOSSES = [0.0, 0.01, 0.05, 0.2]


def dial(session: str) -> Dial:
    return Dial(
        session=session,
        uri="sip:+12065550150@192.0.2.2",
        target="sip:192.0.2.2",
        from_uri="sip:+12065550100@192.0.2.1",
        to_uri="sip:+12065550150@192.0.2.2",
        body=OFFER,
    )


def us(event: Any) -> list[Any]:
    if isinstance(event, Held):
        return [Go(session=event.session)]
    if isinstance(event, Accepted) and event.wanted:
        return [Acknowledge(session=event.session, fork=event.fork)]
    return []


def check(network: Network, sessions: int) -> None:
    """What must hold whatever was lost."""
    for party in network.parties:
        names = {event.session for event in party.events}
        for name in names:
            mine = [event for event in party.events if event.session == name]
            assert [type(event) for event in mine].count(Over) == 1, mine
            assert isinstance(mine[-1], Over), mine
        assert party.endpoint.sessions == 0
        assert party.endpoint.transactions == 0
        assert party.endpoint.next_deadline() is None
        assert not party.malformed
    assert len({event.session for event in network.parties[0].events}) == sessions


def network_of(loss: float, seed: int) -> tuple[Network, Party, Party]:
    network = Network(seed, loss=loss, jitter=0.3, duplicate=loss)
    return network, network.party("us", "192.0.2.1"), network.party("alice", "192.0.2.2")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(12))
def test_answered_calls(loss: float, seed: int) -> None:
    network, caller, callee = network_of(loss, seed)
    caller.on_event = us
    callee.on_event = lambda event: (
        [Ring(session=event.session), Accept(session=event.session, body=ANSWER)] if isinstance(event, Incoming) else []
    )
    for number in range(5):
        network.later(number * 0.1, caller, dial(f"leg-{number}"))
        network.later(40 + number, caller, Bye(session=f"leg-{number}"))
    network.run()
    check(network, 5)
    wanted = [event for event in caller.of(Accepted) if event.wanted]
    # INVITE goes out 7 times and the 200 11 times before anybody gives up: 5 calls at 20 % loss do get through.
    assert len(wanted) == len(callee.of(AckBody)) == len(callee.of(ByeReceived)) == 5
    assert all(event.body == ANSWER for event in wanted)
    assert all(event.who == "us" for event in caller.of(Over))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(12))
def test_cancelled_calls(loss: float, seed: int) -> None:
    network, caller, callee = network_of(loss, seed)
    caller.on_event = lambda event: (
        us(event) + ([Cancel(session=event.session)] if isinstance(event, Provisional) and event.status == 180 else [])
    )
    callee.on_event = lambda event: [Ring(session=event.session)] if isinstance(event, Incoming) else []
    for number in range(5):
        network.later(number * 0.1, caller, dial(f"leg-{number}"))
        network.later(20, caller, Cancel(session=f"leg-{number}"))  # where every 180 was lost
    network.run()
    check(network, 5)
    assert len(caller.of(Accepted)) == 0
    assert {(event.who, event.status) for event in caller.of(Over)} == {("us", 487)}
    assert [event.cancelled for event in callee.of(ByeReceived)] == [True] * 5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(12))
def test_refused_calls(loss: float, seed: int) -> None:
    network, caller, callee = network_of(loss, seed)
    caller.on_event = us
    callee.on_event = lambda event: [Reject(session=event.session, status=486)] if isinstance(event, Incoming) else []
    for number in range(5):
        network.later(number * 0.1, caller, dial(f"leg-{number}"))
    network.run()
    check(network, 5)
    assert {(event.who, event.status) for event in caller.of(Over)} == {("peer", 486)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(30))
def test_anything_at_any_moment(loss: float, seed: int) -> None:
    """Commands of both owners at random moments: CANCEL and BYE cross answers, BYEs cross each other."""
    network, caller, callee = network_of(loss, seed)
    chance = network.random

    def alice(event: Any) -> list[Any]:
        if isinstance(event, Incoming):
            name = event.session
            network.later(chance.random() * 2, callee, Ring(session=name))
            answer = Reject(session=name, status=486) if chance.random() < 0.2 else Accept(session=name, body=ANSWER)
            network.later(chance.random() * 4, callee, answer)
            network.later(chance.random() * 8, callee, Bye(session=name))
        return []

    caller.on_event, callee.on_event = us, alice
    for number in range(8):
        name = f"leg-{number}"
        network.later(number * 0.05, caller, dial(name))
        network.later(chance.random() * 6, caller, Cancel(session=name))
        network.later(2 + chance.random() * 6, caller, Bye(session=name))
    network.run()
    check(network, 8)


FLOW = [
    ("INVITE", "INVITE"),
    ("SIP/2.0 100", "INVITE"),
    ("SIP/2.0 180", "INVITE"),
    ("SIP/2.0 200", "INVITE"),
    ("ACK", "ACK"),
    ("BYE", "BYE"),
    ("SIP/2.0 200", "BYE"),
]


@pytest.mark.parametrize("times", [1, 2, 4])
@pytest.mark.parametrize(("start", "method"), FLOW, ids=[f"{start}-{method}".replace(" ", "") for start, method in FLOW])
def test_each_message_lost(start: str, method: str, times: int) -> None:
    network, caller, callee = network_of(0.0, 1)
    network.lose_first(start, times, method)
    caller.on_event = us
    callee.on_event = lambda event: (
        [Ring(session=event.session), Accept(session=event.session, body=ANSWER)] if isinstance(event, Incoming) else []
    )
    network.give(caller, dial("leg"))
    network.run(20)
    network.give(caller, Bye(session="leg"))
    network.run()
    check(network, 1)
    assert len(caller.of(Accepted)) == len(callee.of(AckBody)) == len(callee.of(ByeReceived)) == 1
    assert len(callee.of(Incoming)) == 1


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("start", "method"),
    [("CANCEL", "CANCEL"), ("SIP/2.0 200", "CANCEL"), ("SIP/2.0 487", "INVITE"), ("ACK", "ACK")],
)
def test_each_message_of_a_cancel_lost(start: str, method: str, times: int) -> None:
    network, caller, callee = network_of(0.0, 1)
    network.lose_first(start, times, method)
    caller.on_event = us
    callee.on_event = lambda event: [Ring(session=event.session)] if isinstance(event, Incoming) else []
    network.give(caller, dial("leg"))
    network.run(3)
    network.give(caller, Cancel(session="leg"))
    network.run()
    check(network, 1)
    assert (caller.of(Over)[0].who, caller.of(Over)[0].status) == ("us", 487)


def test_five_hundred_calls_at_once() -> None:
    network, caller, callee = network_of(0.01, 7)
    caller.on_event = us
    callee.on_event = lambda event: (
        [Ring(session=event.session), Accept(session=event.session, body=ANSWER)] if isinstance(event, Incoming) else []
    )
    for number in range(500):
        network.later(0.001 * number, caller, dial(f"leg-{number}"))
        network.later(20, caller, Bye(session=f"leg-{number}"))
    network.run(10)
    assert caller.endpoint.sessions == callee.endpoint.sessions == 500
    network.run()
    check(network, 500)
    assert len(callee.of(ByeReceived)) == 500
