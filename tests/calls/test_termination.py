"""The truth table: what happened, and how the leg ended because of it (DESIGN 3.5)."""

from __future__ import annotations

from typing import get_args

import pytest

from outdial.calls.termination import TRUTH, Cause, because, of_session
from outdial.model.terminations import Reason


def test_every_cause_has_a_row_and_every_reason_a_cause() -> None:
    assert set(TRUTH) == set(Cause)
    assert {reason for _, _, reason in TRUTH.values()} == set(get_args(Reason))


@pytest.mark.parametrize(
    ("cause", "who", "result", "reason"),
    [
        (Cause.APPLICATION_HUNG_UP, "us", "success", "completed"),
        (Cause.CALLEE_HUNG_UP, "callee", "success", "completed"),
        (Cause.RING_LIMIT, "us", "failure", "no_answer"),
        (Cause.CONNECTION_LOST, "network", "failure", "completed"),
        (Cause.UNUSABLE_ANSWER, "callee", "failure", "no_media"),
        (Cause.SILENCE, "network", "failure", "no_media"),
        (Cause.HANDLER_FAILED, "handler", "failure", "handler_failed"),
        (Cause.NOT_SERVED, "handler", "failure", "handler_failed"),
        (Cause.HANDLER_TIMEOUT, "handler", "failure", "handler_timeout"),
        (Cause.HANDLER_INVALID, "handler", "failure", "handler_invalid"),
        (Cause.MEDIA_LOST, "us", "failure", "media_lost"),
        (Cause.RESTART, "us", "failure", "node_restart"),
        (Cause.SHUTDOWN, "us", "failure", "shutdown"),
        (Cause.TOO_LONG, "us", "failure", "too_long"),
    ],
)
@pytest.mark.parametrize("answered", [False, True])
def test_what_a_cause_brings(cause: Cause, who: str, result: str, reason: str, answered: bool) -> None:
    found = because(cause, answered=answered, detail="why")
    assert (found.who, found.result, found.reason, found.answered, found.detail) == (who, result, reason, answered, "why")


REFUSALS = {
    408: "no_answer",
    480: "no_answer",
    486: "busy",
    487: "no_answer",
    600: "busy",
    **dict.fromkeys((300, 301, 302, 400, 401, 403, 404, 405, 410, 415, 484, 488, 500, 502, 503, 504, 603, 604, 606, 607, 608), "rejected"),
}


@pytest.mark.parametrize(("status", "reason"), sorted(REFUSALS.items()))
def test_a_final_status_from_the_far_end(status: int, reason: str) -> None:
    found = of_session("peer", status, "Some Phrase", "Q.850;cause=21", answered=False)
    assert (found.who, found.result, found.reason, found.answered) == ("callee", "failure", reason, False)
    assert (found.sip_status, found.sip_phrase, found.sip_reason) == (status, "Some Phrase", "Q.850;cause=21")


@pytest.mark.parametrize(
    ("status", "phrase", "detail"),
    [
        (486, "Busy Here", "The far end answered 486 Busy Here."),
        (404, "Not Found", "The far end answered 404 Not Found. It does not know the number."),
        (
            407,
            "",
            "The far end answered 407. It asks for credentials: set user and password of the trunk, "
            "or let it admit this machine's address.",
        ),
        (
            488,
            "Not Acceptable Here",
            "The far end answered 488 Not Acceptable Here. It accepts neither PCMU nor PCMA as they were offered.",
        ),
        (
            403,
            "Forbidden",
            "The far end answered 403 Forbidden. It may not admit the number called from, the number called, or calls from this address.",
        ),
    ],
)
def test_a_refusal_is_a_sentence_with_what_it_usually_means(status: int, phrase: str, detail: str) -> None:
    assert of_session("peer", status, phrase, "", answered=False).detail == detail


def test_every_ordinary_end_is_a_sentence_too() -> None:
    assert because(Cause.APPLICATION_HUNG_UP, answered=True).detail == "The application hung up."
    assert because(Cause.CALLEE_HUNG_UP, answered=True).detail == "The callee hung up."


@pytest.mark.parametrize(
    ("status", "answered", "reason", "detail"),
    [
        (408, False, "no_answer", "The trunk never answered the INVITE: look at its address, and at whether it admits calls from here."),
        (
            503,
            False,
            "unreachable",
            "The trunk cannot be reached: look at its address and the network; `outdial doctor` tells more.",
        ),
        (503, True, "completed", "The connection to the callee was lost."),
        (408, True, "completed", "The connection to the callee was lost."),
    ],
)
def test_what_the_network_did(status: int, answered: bool, reason: str, detail: str) -> None:
    found = of_session("network", status, "", "", answered=answered)
    assert (found.who, found.reason, found.answered, found.detail) == ("network", reason, answered, detail)


def test_a_session_that_ended_without_a_final_response() -> None:
    found = of_session("us", 0, "", "", answered=False)
    assert (found.who, found.reason, found.detail) == ("us", "no_answer", "The session ended without a final response.")
