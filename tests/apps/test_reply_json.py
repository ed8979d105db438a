"""Replies: what they may be (reference 6, 7), and what is said of those that are bad (reference 8; DESIGN 3.3)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.handler_node import call_id
from outdial.apps.reply_json import Blank, Fault, bad_reply, is_function_error, read_reply
from outdial.model.actions import Action
from outdial.model.invocations import Replied

CALL = call_id(1)
SPEAK = {"Type": "Speak", "Parameters": {"Text": "Hello"}}
UNREADABLE = "Error while reading actions list."
WRONG_SCHEMA = "The schema version in the invocation request does not match the schema version in the response."


def read(reply: Any, **more: Any) -> Replied | Blank | Fault:
    return read_reply(reply if isinstance(reply, str) else json.dumps(reply), CALL, 1, **more)


def good(reply: Any, **more: Any) -> Replied:
    found = read(reply, **more)
    assert isinstance(found, Replied), found
    return found


def fault(reply: Any) -> Fault:
    found = read(reply)
    assert isinstance(found, Fault), found
    return found


def whole(**more: Any) -> dict[str, Any]:
    return {"SchemaVersion": "1.0", **more}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_reply_is_its_actions_and_attributes() -> None:
    found = good(whole(Actions=[SPEAK, {"Type": "Hangup"}], TransactionAttributes={"k": "v"}))
    assert found.actions == (Action(type="Speak", parameters={"Text": "Hello"}), Action(type="Hangup", parameters={}))
    assert found.attributes == {"k": "v"}


@pytest.mark.parametrize("reply", [whole(), whole(Actions=None), whole(Actions=[])])
def test_no_actions_is_no_change(reply: Any) -> None:
    """Reference 6.1, 6.3: the schema version is the least content; null, missing and [] all mean no change."""
    assert good(reply) == Replied(call=CALL, sequence=1)


@pytest.mark.parametrize(("given_", "kept"), [(None, None), ({}, {}), ({"a": {"b": [1]}}, {"a": {"b": [1]}})])
def test_attributes_null_keeps_and_empty_clears(given_: Any, kept: Any) -> None:
    """Reference 7: null or missing keeps, {} clears, any JSON value is accepted."""
    assert good(whole(TransactionAttributes=given_)).attributes == kept
    assert good(whole()).attributes is None


@pytest.mark.parametrize("parameters", [None, {}])
def test_parameters_may_be_missing_null_or_empty(parameters: Any) -> None:
    assert good(whole(Actions=[{"Type": "Hangup", "Parameters": parameters}])).actions == (Action(type="Hangup"),)


def test_trait_07_numbers_as_strings_pass_as_they_are() -> None:
    pause = {"Type": "Pause", "Parameters": {"DurationInMilliseconds": "1000"}}
    assert good(whole(Actions=[pause])).actions[0].parameters == {"DurationInMilliseconds": "1000"}


def test_trait_10_extra_keys_are_ignored() -> None:
    reply = whole(Actions=[{"Type": "Hangup", "Parameters": {"CallID": "x"}, "AttendeeId": 1}], More={"a": nested(5)})
    assert good(reply).actions == (Action(type="Hangup", parameters={"CallID": "x"}),)


@pytest.mark.parametrize("name", ["Answer", "StartMediaStreamingPipeline", "speak", "VoiceAnalytics"])
def test_trait_10_an_unknown_action_is_refused_by_name(name: str) -> None:
    found = fault(whole(Actions=[SPEAK, {"Type": name, "Parameters": {}}]))
    assert found.message == f"Unsupported action {name} specified"
    assert found.path == "Actions[1].Type"


def test_every_action_of_the_service_is_known() -> None:
    """Reference 10, the complete list: also those that this node refuses when their turn comes."""
    names = [
        "CallAndBridge", "Hangup", "JoinChimeMeeting", "ModifyChimeMeetingAttendees", "Pause", "PlayAudio", "PlayAudioAndGetDigits",
        "ReceiveDigits", "RecordAudio", "SendDigits", "Speak", "SpeakAndGetDigits", "StartBotConversation", "StartCallRecording",
        "StopCallRecording", "PauseCallRecording", "ResumeCallRecording", "VoiceFocus",
    ]  # fmt: skip
    for name in names:
        assert good(whole(Actions=[{"Type": name}])).actions[0].type == name


@pytest.mark.parametrize("text", ["", " ", "\n", " " * 100, "null", " null ", '""'])
def test_nothing_is_a_failure_and_not_a_bad_reply(text: str) -> None:
    """Reference 8.2: null or an empty string returned."""
    assert read(text) == Blank(detail="Response is blank or empty")


@pytest.mark.parametrize(
    ("reply", "message", "path", "wanted"),
    [
        ([], UNREADABLE, "", "expected a JSON object, got a list"),
        ("7", UNREADABLE, "", "expected a JSON object, got a number"),
        ("true", UNREADABLE, "", "expected a JSON object, got true or false"),
        ('"Hello"', UNREADABLE, "", "expected a JSON object, got a text"),
        ({}, WRONG_SCHEMA, "SchemaVersion", 'expected "1.0", got none'),
        ({"schemaVersion": "1.0", "actions": []}, WRONG_SCHEMA, "SchemaVersion", 'expected "1.0", got none'),
        ({"SchemaVersion": "1.1"}, WRONG_SCHEMA, "SchemaVersion", 'expected "1.0", got the text "1.1"'),
        ({"SchemaVersion": 1.0}, WRONG_SCHEMA, "SchemaVersion", 'expected "1.0", got the number 1.0'),
        ({"SchemaVersion": None}, WRONG_SCHEMA, "SchemaVersion", 'expected "1.0", got null'),
        (whole(Actions="Hangup"), UNREADABLE, "Actions", 'expected a list, got the text "Hangup"'),
        (whole(Actions={"Type": "Hangup"}), UNREADABLE, "Actions", "expected a list, got an object"),
        (whole(Actions=[SPEAK] * 11), "Too many actions specified in a response.", "Actions", "at most 10 actions, got 11"),
        (whole(Actions=[SPEAK, None]), UNREADABLE, "Actions[1]", "expected an object with Type, got null"),
        (whole(Actions=[[SPEAK]]), UNREADABLE, "Actions[0]", "expected an object with Type, got a list"),
        (whole(Actions=[""]), UNREADABLE, "Actions[0]", 'expected an object with Type, got the text ""'),
        (whole(Actions=[{"Parameters": {}}]), UNREADABLE, "Actions[0].Type", "expected the name of an action, got none"),
        (whole(Actions=[{"Type": 7}]), UNREADABLE, "Actions[0].Type", "expected the name of an action, got the number 7"),
        (whole(Actions=[{"Type": ""}]), UNREADABLE, "Actions[0].Type", 'expected the name of an action, got the text ""'),
        (whole(Actions=[{"Type": "Speak", "Parameters": []}]), UNREADABLE, "Actions[0].Parameters", "expected an object, got a list"),
        (whole(TransactionAttributes=[]), UNREADABLE, "TransactionAttributes", "expected an object, got a list"),
        (whole(TransactionAttributes="x"), UNREADABLE, "TransactionAttributes", 'expected an object, got the text "x"'),
        ('{"SchemaVersion":"1.0","Actions":' + "[" * 10_000 + "]" * 10_000 + "}",
         UNREADABLE, "", "at most 100 levels of nesting"),
        (whole(Actions=[{"Type": "Speak", "Parameters": {"Text": nested(100)}}]), UNREADABLE, "", "at most 100 levels of nesting"),
    ],
)  # fmt: skip
def test_bad_replies(reply: Any, message: str, path: str, wanted: str) -> None:
    found = fault(reply)
    assert (found.message, found.path, found.wanted) == (message, path, wanted)
    assert found.error_type == "InvalidLambdaResponse"


def test_depth_100_is_still_allowed() -> None:
    # reply, Actions, action, Parameters: 4 levels above the value
    found = good(whole(Actions=[{"Type": "Speak", "Parameters": {"Text": nested(96)}}]))
    assert found.actions[0].parameters == {"Text": nested(96)}
    assert fault(whole(Actions=[{"Type": "Speak", "Parameters": {"Text": nested(97)}}])).wanted == "at most 100 levels of nesting"


def test_brackets_in_texts_are_no_depth() -> None:
    text = "[{" * 500 + '\\"' + "[" * 50
    assert good(whole(Actions=[{"Type": "Speak", "Parameters": {"Text": text}}] * 10)).actions[9].parameters == {"Text": text}


def test_ten_actions_are_allowed() -> None:
    assert len(good(whole(Actions=[SPEAK] * 10)).actions) == 10


def test_a_hundred_attributes_are_allowed_and_one_more_is_not() -> None:
    assert len(good(whole(TransactionAttributes={str(n): "v" for n in range(100)})).attributes or {}) == 100
    found = fault(whole(Actions=[SPEAK], TransactionAttributes={str(n): "v" for n in range(101)}))
    assert found.error_type == "TransactionAttributesInvalidMapSize"
    assert found.message == "Transaction Attributes has too many mappings. Maximum number of mappings is 100"


def test_attributes_of_20_kb_are_allowed_and_more_is_not() -> None:
    exact = {"k": "x" * (20 * 1024 - len('{"k":""}'))}
    assert good(whole(TransactionAttributes=exact)).attributes == exact
    found = fault(whole(TransactionAttributes={"k": exact["k"] + "x"}))
    assert (found.error_type, found.path) == ("TransactionAttributesInvalidMapSize", "TransactionAttributes")


def test_spaces_and_escapes_do_not_count_against_20_kb() -> None:
    attributes = {str(n): "é" * 90 for n in range(100)}  # 18.6 kB as UTF-8, 54 kB as escapes
    text = json.dumps(whole(TransactionAttributes=attributes), indent=8)
    assert len(text) > 50_000
    assert good(text).attributes == attributes


def test_more_than_6_mb_is_refused_unread() -> None:
    assert fault('{"SchemaVersion":"1.0","x":"' + "x" * (6 * 1024 * 1024) + '"}').wanted.startswith("at most 6 MB")


def test_a_long_reply_below_6_mb_is_read() -> None:
    assert good('{"SchemaVersion":"1.0","x":"' + "x" * (5 * 1024 * 1024) + '"}') == Replied(call=CALL, sequence=1)


@pytest.mark.parametrize(
    "text", ["{", '{"SchemaVersion":"1.0"} x', "{'SchemaVersion':'1.0'}", '{"SchemaVersion":NaN}', "\ud800", "undefined"]
)
def test_what_is_not_json_is_bad(text: str) -> None:
    assert fault(text).wanted.startswith("not JSON: ")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"SchemaVersion":"1.0"}',
        '{"SchemaVersion":"1.0","Actions":[[""]]}',
        '{"SchemaVersion":"1.0","Actions":[""]}',
        '{"SchemaVersion":"1.0","Actions":[{"Type":"Nonsense"}]}',
        "",
        "null",
        "junk",
    ],
)
def test_trait_01_02_where_the_reply_is_ignored_nothing_is_judged(text: str) -> None:
    assert good(text, ignored=True) == Replied(call=CALL, sequence=1)


def test_trait_01_stale_actions_are_ignored_but_attributes_are_kept() -> None:
    found = good(whole(Actions=[SPEAK, {"Type": "Hangup"}], TransactionAttributes={"k": "v"}), ignored=True)
    assert found == Replied(call=CALL, sequence=1, attributes={"k": "v"})


def test_attributes_over_their_limit_are_not_kept_where_the_reply_is_ignored() -> None:
    assert good(whole(TransactionAttributes={str(n): 1 for n in range(101)}), ignored=True).attributes is None


def test_a_fault_as_call_control_is_told_of_it() -> None:
    found = bad_reply(fault(whole(Actions=[{"Type": "Answer"}])), CALL, 1)
    assert (found.error_type, found.message, found.path) == (
        "InvalidLambdaResponse",
        "Unsupported action Answer specified",
        "Actions[0].Type",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"errorMessage":"boom","errorType":"KeyError","requestId":"1"}', "KeyError: boom"),
        ('{"errorMessage":"boom"}', "Error: boom"),
        ('{"SchemaVersion":"1.0","errorMessage":"boom"}', None),
        ('{"SchemaVersion":"1.0"}', None),
        ('["errorMessage"]', None),
        ('{"errorMessage":', None),
    ],
)
def test_error_documents_of_runtimes(text: str, message: str | None) -> None:
    assert is_function_error(text) == message


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
REPLIES = st.fixed_dictionaries(
    {},
    optional={
        "SchemaVersion": st.just("1.0") | JSON,
        "Actions": st.lists(
            st.fixed_dictionaries({}, optional={"Type": st.sampled_from(["Speak", "Hangup", "X"]) | JSON, "Parameters": JSON})
        )
        | JSON,
        "TransactionAttributes": st.dictionaries(st.text(), JSON) | JSON,
        "Other": JSON,
    },
)


@given(st.text() | JSON.map(json.dumps) | REPLIES.map(json.dumps), st.booleans())
def test_nothing_raises_and_what_is_accepted_is_well_formed(text: str, ignored: bool) -> None:
    found = read_reply(text, CALL, 7, ignored=ignored)
    if isinstance(found, Replied):
        assert (found.call, found.sequence) == (CALL, 7)
        assert len(found.actions) <= 10
        assert found.attributes is None or len(found.attributes) <= 100
        if not ignored:
            assert json.loads(text)["SchemaVersion"] == "1.0"
    else:
        assert not ignored
        assert isinstance(found, Blank) or found.message


@pytest.mark.parametrize("cut", ["\\ud83d", "\\uD83D x", "\\ude00", "x\\ud83d\\n", "\\ud83d\\ud83d\\ude00"])
def test_half_a_character_costs_no_more_than_itself(cut: str) -> None:
    """`text.slice(0, 1000)` within an emoji: JSON.stringify and json.dumps write the half as an escape, which is JSON (RFC 8259 §8.2)."""
    action = f'{{"Type":"Speak","Parameters":{{"Text":"Hi {cut}"}}}}'
    found = read(f'{{"SchemaVersion":"1.0","Actions":[{action}],"TransactionAttributes":{{"é":"{cut}"}}}}')
    assert isinstance(found, Replied)
    spoken = found.actions[0].parameters["Text"]
    assert spoken.startswith("Hi ")
    assert spoken.encode()
    assert found.attributes is not None
    assert msgspec.json.encode(found.attributes)
