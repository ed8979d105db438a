"""The whole node in front of SIPp, which will not take the call: what the handler is told and what is on record (DESIGN 3.5)."""

from __future__ import annotations

import pytest

from helpers.calls_at_once import Case, Ended, at_once
from helpers.sipp import CHALLENGE, answer, needs_sipp, recv

pytestmark = [pytest.mark.peer, needs_sipp]

REFUSALS = {
    "302 Moved Temporarily": ("rejected", 302),
    "400 Bad Request": ("rejected", 400),
    "401 Unauthorized": ("rejected", 401),
    "403 Forbidden": ("rejected", 403),
    "404 Not Found": ("rejected", 404),
    "407 Proxy Authentication Required": ("rejected", 407),
    "408 Request Timeout": ("no_answer", 480),
    "480 Temporarily Unavailable": ("no_answer", 480),
    "484 Address Incomplete": ("rejected", 484),
    "486 Busy Here": ("busy", 486),
    "487 Request Terminated": ("no_answer", 480),
    "488 Not Acceptable Here": ("rejected", 488),
    "500 Server Internal Error": ("rejected", 500),
    "503 Service Unavailable": ("rejected", 503),
    "600 Busy Everywhere": ("busy", 486),
    "603 Decline": ("rejected", 603),
}
"""Reason and code as DESIGN 3.5 has them."""
MORE = {
    "302 Moved Temporarily": "Contact: <sip:elsewhere@127.0.0.1:9>\n",
    "401 Unauthorized": CHALLENGE,
    "407 Proxy Authentication Required": CHALLENGE.replace("WWW-Authenticate", "Proxy-Authenticate"),
    "503 Service Unavailable": "Retry-After: 60\n",
    "603 Decline": 'Reason: Q.850;cause=21;text="call rejected"\n',
}


def refuses(status: str, *first: str) -> tuple[str, ...]:
    return (recv("INVITE"), *first, answer(status, again=True, more=MORE.get(status, "")), recv("ACK"))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Ended]]:
    cases = {status: Case(steps=refuses(status)) for status in REFUSALS}
    cases["after ringing"] = Case(steps=refuses("603 Decline", answer("180 Ringing")))
    cases["after early media"] = Case(steps=refuses("486 Busy Here", answer("183 Session Progress", sdp=True)))
    return at_once(tmp_path_factory.mktemp("refusals"), cases)


@pytest.mark.parametrize("status", REFUSALS)
def test_refused(ended: dict[str, list[Ended]], status: str) -> None:
    [call] = ended[status]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "HANGUP"]
    assert (call.reason, call.code) == REFUSALS[status]
    assert call.history.cdr is not None
    termination = call.history.cdr.termination
    number, _, phrase = status.partition(" ")
    assert (termination.who, termination.answered) == ("callee", False)
    assert (termination.sip_status, termination.sip_phrase) == (int(number), phrase)
    assert (call.verdict.received("INVITE"), call.verdict.received("ACK")) == (1, 1)
    assert call.history.cdr.billable_seconds == 0


def test_the_peers_reason_is_on_record(ended: dict[str, list[Ended]]) -> None:
    cdr = ended["603 Decline"][0].history.cdr
    assert cdr is not None
    assert cdr.termination.sip_reason == 'Q.850;cause=21;text="call rejected"'


@pytest.mark.parametrize(("name", "expected"), [("after ringing", ("rejected", 603)), ("after early media", ("busy", 486))])
def test_refused_after_a_while(ended: dict[str, list[Ended]], name: str, expected: tuple[str, int]) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"]
    assert (call.reason, call.code) == expected
