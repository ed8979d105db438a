"""The whole node in front of SIPp, with one message lost or held at each place of a call: it goes on, and the handler notices nothing."""

from __future__ import annotations

import pytest

from helpers.between import Held, Lost
from helpers.calls_at_once import SHORT, Action, Case, Ended, at_once, pause
from helpers.sipp import KEEP_PARTIES, OWN_BYE, answer, callee, needs_sipp, ok, own, recv, wait

pytestmark = [pytest.mark.peer, needs_sipp]

STAYS = wait(1500)
"""SIPp answers a repeated request with what it sent last, as long as it is there."""
PLAIN = (*callee("plain"), STAYS)
RINGS_ON: dict[str, list[Action]] = {"CALL_ANSWERED": [pause(30_000)]}
UP = ("NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP")


def lost(way: str, start: str, method: str, count: int = 1) -> tuple[Lost]:
    return (Lost(way="to peer" if way == ">" else "to node", start=start, method=method, count=count),)


ONCE: dict[str, Case] = {
    "INVITE": Case(steps=PLAIN, rules=lost(">", "INVITE", "INVITE")),
    "180": Case(steps=PLAIN, rules=lost("<", "SIP/2.0 180", "INVITE")),
    "200": Case(steps=PLAIN, rules=lost("<", "SIP/2.0 200", "INVITE")),
    "ACK": Case(steps=PLAIN, rules=lost(">", "ACK", "ACK"), plan={"CALL_ANSWERED": [pause(1200), *SHORT["CALL_ANSWERED"][1:]]}),
    "BYE": Case(steps=PLAIN, rules=lost(">", "BYE", "BYE")),
    "200 to BYE": Case(steps=PLAIN, rules=lost("<", "SIP/2.0 200", "BYE")),
    "everything once": Case(
        steps=PLAIN,
        plan={"CALL_ANSWERED": [pause(1200), *SHORT["CALL_ANSWERED"][1:]]},
        rules=(
            *lost(">", "INVITE", "INVITE"), *lost("<", "SIP/2.0 200", "INVITE"), *lost(">", "ACK", "ACK"),
            *lost(">", "BYE", "BYE"), *lost("<", "SIP/2.0 200", "BYE"),
        ),
    ),
}  # fmt: skip
CASES: dict[str, Case] = {
    **ONCE,
    "nobody says a word for 1.2 s": Case(steps=callee("late")),
    "every ACK": Case(steps=callee("deaf"), plan={"CALL_ANSWERED": [pause(1200), *SHORT["CALL_ANSWERED"][1:]]}),
    "486": Case(steps=callee("busy"), rules=lost("<", "SIP/2.0 486", "INVITE")),
    "ACK of a 486": Case(steps=callee("busy"), rules=lost(">", "ACK", "ACK")),
    "its BYE": Case(
        steps=(recv("INVITE", 'rrs="true"', KEEP_PARTIES), answer("180 Ringing"), answer("200 OK", sdp=True, again=True), recv("ACK"),
               wait(100), OWN_BYE, recv("200")),
        rules=lost("<", "BYE", "BYE"), plan=RINGS_ON,
    ),
    "our 200 to its BYE": Case(
        steps=(recv("INVITE", 'rrs="true"', KEEP_PARTIES), answer("180 Ringing"), answer("200 OK", sdp=True, again=True), recv("ACK"),
               wait(100), OWN_BYE, recv("200")),
        rules=lost(">", "SIP/2.0 200", "BYE"), plan=RINGS_ON,
    ),
    "BYEs cross": Case(
        steps=(recv("INVITE", 'rrs="true"', KEEP_PARTIES), answer("180 Ringing"), answer("200 OK", sdp=True, again=True), recv("ACK"),
               own("BYE", 1, again=False), recv("BYE"), ok(), recv("200")),
        rules=(Held(start="BYE", until="BYE"),),
    ),
    "never": Case(steps=callee("never")),
    "CANCEL": Case(steps=(*callee("never"), STAYS), rules=lost(">", "CANCEL", "CANCEL")),
    "200 to CANCEL": Case(steps=callee("never"), rules=lost("<", "SIP/2.0 200", "CANCEL")),
    "487": Case(steps=callee("never"), rules=lost("<", "SIP/2.0 487", "INVITE")),
    "CANCEL crosses the 200": Case(steps=callee("cross")),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Ended]]:
    return at_once(tmp_path_factory.mktemp("losses"), CASES, settings={"ring_timeout": "3s"})


@pytest.mark.parametrize("name", ONCE)
def test_a_message_that_is_lost_costs_nothing_but_time(ended: dict[str, list[Ended]], name: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.kinds == [kind for kind in UP if kind != "RINGING" or name != "180"]
    assert (call.reason, call.code) == ("completed", 0)
    assert call.verdict.received("BYE") >= 1
    start = name.removesuffix(" to BYE")
    if name in ("INVITE", "BYE"):
        assert call.sent(start, start) == 2
    elif name == "200 to BYE":
        assert call.sent("BYE", "BYE") == 2
    elif name == "ACK":
        assert call.sent("ACK") == 2


def test_a_lost_200_is_repeated_and_acknowledged_once(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["200"]
    assert call.verdict.sent("SIP/2.0 200") == 3  # twice for the INVITE, once for the BYE
    assert call.received("SIP/2.0 200", "INVITE") == 1
    assert call.sent("ACK") == 1


def test_an_invite_that_nobody_answers_is_repeated(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["nobody says a word for 1.2 s"]
    call.all_is_well()
    assert call.verdict.received("INVITE") == 2  # at 0 and T1; the third would be at 1.5 s
    assert call.kinds == ["NEW_OUTBOUND_CALL", "CALL_ANSWERED", "HANGUP"]


def test_each_repeated_200_is_acknowledged(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["every ACK"]
    call.all_is_well()
    assert call.received("SIP/2.0 200", "INVITE") >= 2
    assert call.sent("ACK") == call.received("SIP/2.0 200", "INVITE")
    assert call.kinds.count("CALL_ANSWERED") == 1


@pytest.mark.parametrize("name", ["486", "ACK of a 486"])
def test_a_refusal_that_has_to_be_said_twice(ended: dict[str, list[Ended]], name: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "HANGUP"]
    assert (call.reason, call.code) == ("busy", 486)


@pytest.mark.parametrize("name", ["its BYE", "our 200 to its BYE"])
def test_the_callee_has_to_hang_up_twice(ended: dict[str, list[Ended]], name: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.verdict.sent("BYE") == 2
    assert tuple(call.kinds) == UP
    assert call.history.cdr is not None
    assert (call.history.cdr.termination.who, call.reason, call.code) == ("callee", "completed", 0)


def test_both_hang_up_at_once(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["BYEs cross"]
    call.all_is_well()
    assert (call.verdict.received("BYE"), call.verdict.received("SIP/2.0 200")) == (1, 1)
    assert tuple(call.kinds) == UP
    assert (call.reason, call.code) == ("completed", 0)


@pytest.mark.parametrize("name", ["never", "CANCEL", "200 to CANCEL", "487"])
def test_one_that_never_answers_is_given_up(ended: dict[str, list[Ended]], name: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"]
    assert (call.reason, call.code) == ("no_answer", 480)
    assert call.received("SIP/2.0 487", "INVITE") >= 1
    assert call.verdict.received("ACK") >= 1


def test_a_200_that_crosses_our_cancel_is_acknowledged_and_ended_and_the_handler_never_hears_of_it(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["CANCEL crosses the 200"]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"]
    assert (call.reason, call.code) == ("no_answer", 480)
    assert (call.verdict.received("CANCEL"), call.verdict.received("ACK"), call.verdict.received("BYE")) == (1, 1, 1)
