"""Handlers that misbehave, on a whole node: what the call's record says, how it ends, and that a healthy call beside it felt nothing.

Each misbehaviour by itself, in both languages, stands in tests/io/test_misbehaviours.py.
"""

from __future__ import annotations

import re

import pytest

from helpers.bad_node import BadNode, noted
from outdial.model.resources import CallHistory

UNREADABLE = "Error while reading actions list."
VERSION = "The schema version in the invocation request does not match the schema version in the response."
SEGMENT = "the handler's process was ended by itself or from outside with SIGSEGV: a crash in native code, or a stack that overflowed"
UNKNOWN = "Unsupported action speak specified"
SHARES = r"[\d.]+ s waiting for a worker, [\d.]+ s in the handler"
AGAIN = "The handler's reply could not be used for the second time in a row: Error while reading actions list."


def ended(history: CallHistory) -> tuple[str, str, str, bool]:
    assert history.cdr is not None
    found = history.cdr.termination
    return found.who, found.reason, found.detail, found.answered


def told(node: BadNode, history: CallHistory) -> list[str]:
    return [event["InvocationEventType"] for event in node.events(history)]


START = ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED"]


def test_one_that_hangs_ends_its_call_by_name(node: BadNode) -> None:
    history = node.ask("hangs")
    who, reason, detail, answered = ended(history)
    assert (who, reason, answered) == ("handler", "handler_timeout", True)
    assert re.fullmatch(rf"no answer within 4 s: {SHARES}", detail)
    slow, late = noted(history)
    assert re.fullmatch(rf"no answer from handler after [\d.]+ s: {SHARES.replace(' s w', ' s of it w')} \(attempt 1\)", slow)
    assert late == detail
    assert told(node, history) == [*START, "HANGUP"]


def test_one_that_raises_is_given_the_event_once_more(node: BadNode) -> None:
    history = node.ask("raises")
    assert ended(history) == ("handler", "handler_failed", "the handler raised KeyError: 'no such step'", True)
    assert noted(history) == ["the handler raised KeyError: 'no such step'; given once more", "the handler raised KeyError: 'no such step'"]
    [failed] = [done for done in history.outcomes if done.outcome == "failed"]
    assert (failed.sequence, failed.attempts) == (3, 2)
    assert 'bad.py", line' in failed.error
    assert 'raise KeyError("no such step")' in failed.error
    assert told(node, history) == [*START, "HANGUP"]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("exits", "the handler's process exited of its own with status 3"),
        ("breaks the interpreter", SEGMENT),
    ],
)
def test_one_that_dies_costs_its_own_call_and_no_other_of_its_function(node: BadNode, how: str, why: str) -> None:
    other = node.begin("stays")
    node.until(other, lambda history: len(history.outcomes) == 3, "the other call's handler to have answered")
    history = node.ask(how)
    assert ended(history) == ("handler", "handler_failed", why, True)
    assert noted(history)[:2] == [f"{why}; given once more", why]
    client = node.client()
    client.update_sip_media_application_call(
        SipMediaApplicationId=node.application_of("bad"), TransactionId=other, Arguments={"hang": "up"}
    )
    assert ended(node.over(other)) == ("us", "completed", "The application hung up.", True)


def test_one_that_prints_100_mb_is_answered_all_the_same(node: BadNode) -> None:
    history = node.ask("prints")
    assert ended(history) == ("us", "completed", "The application hung up.", True)
    kept = sum(len(line.text) for line in history.output)
    assert 1_000_000 < kept < 1_100_000
    assert history.output[-1].text == "[103800832 bytes left out]"


def test_one_that_answers_with_nothing_has_failed(node: BadNode) -> None:
    history = node.ask("nothing")
    assert ended(history) == ("handler", "handler_failed", "Response is blank or empty", True)
    assert told(node, history) == [*START, "HANGUP"]


@pytest.mark.parametrize(
    ("how", "message", "place"),
    [
        ("10 MB", UNREADABLE, "reply: at most 6 MB"),
        ("text", UNREADABLE, "reply: expected a JSON object, got a text"),
        ("a number", UNREADABLE, "reply: expected a JSON object, got a number"),
        ("a list", UNREADABLE, "reply: expected a JSON object, got a list"),
        ("actions as text", UNREADABLE, 'Actions: expected a list, got the text "Hangup"'),
        ("a number as type", UNREADABLE, "Actions[0].Type: expected the name of an action, got the number 5"),
        ("no type", UNREADABLE, "Actions[0].Type: expected the name of an action, got none"),
        ("a list as parameters", UNREADABLE, "Actions[0].Parameters: expected an object, got a list"),
        ("another version", VERSION, 'SchemaVersion: expected "1.0", got the number 2'),
        ("attributes as text", UNREADABLE, 'TransactionAttributes: expected an object, got the text "x"'),
        (
            "an unknown action",
            "Unsupported action speak specified",
            'Actions[0].Type: the text "speak" is not an action, did you mean "Speak"?',
        ),
        ("too deep", UNREADABLE, "reply: at most 100 levels of nesting"),
    ],
)
def test_one_that_answers_with_something_else_is_told_once_and_by_its_place(node: BadNode, how: str, message: str, place: str) -> None:
    history = node.ask(how)
    assert ended(history) == ("us", "completed", "The application hung up.", True)
    assert told(node, history) == [*START, "INVALID_LAMBDA_RESPONSE", "HANGUP"]
    event = node.events(history)[3]
    assert (event["ErrorType"], event["ErrorMessage"]) == ("InvalidLambdaResponse", message)
    assert noted(history) == [f"bad reply from handler: {place}"]
    mine = f"call={history.call.call.replace('-', '')[:6]}"
    warnings = [line for line in node.log.read_text().splitlines() if mine in line and " WARN " in line]
    assert len(warnings) == 1, warnings
    assert f"bad reply from handler: {place} function=bad sequence=3 {mine}" in warnings[0]


def test_a_second_bad_reply_in_a_row_ends_the_call(node: BadNode) -> None:
    history = node.ask("text", again="yes")
    assert ended(history) == ("handler", "handler_invalid", AGAIN, True)
    assert told(node, history) == [*START, "INVALID_LAMBDA_RESPONSE", "HANGUP"]


def test_actions_on_a_leg_that_has_gone_are_ignored(node: BadNode) -> None:
    history = node.ask("late")
    assert ended(history) == ("us", "completed", "The application hung up.", True)
    assert told(node, history) == [*START, "HANGUP"]
    assert b"Too late" in history.outcomes[-1].reply


def test_one_that_is_missing_is_not_dialled_for(node: BadNode) -> None:
    history = node.ask("stays", function="missing")
    where = node.folder / "nowhere.py"
    why = f"The function missing cannot be invoked: cannot be started: {where} does not exist"
    assert ended(history) == ("handler", "handler_failed", why, False)
    assert history.sip == ()
    assert history.invocations == ()


def test_a_function_that_nothing_serves_is_not_dialled_for(node: BadNode) -> None:
    history = node.ask("stays", function="nobody")
    mend = "Serve it with --function NAME=SPEC, or name it under [function] in the configuration."
    why = f"The function nobody cannot be invoked: nothing serves it. {mend}"
    assert ended(history) == ("handler", "handler_failed", why, False)
    assert history.sip == ()
    warning = "x calls of the application nobody will fail: nothing serves nobody: start the node with --function nobody=SPEC"
    assert warning in node.log.read_text()
