"""Events as AWS writes them: reference 2, 3 and 8.1, and what published handlers rely on (real-handlers, section 2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.handler_node import call_id, invoke, leg_id, participant
from outdial.apps.event_json import event_json
from outdial.model.actions import Action
from outdial.model.events import (
    ActionFailed,
    ActionInterrupted,
    ActionSucceeded,
    Answered,
    DigitsReceived,
    Event,
    HungUp,
    InvalidReply,
    NewOutboundCall,
    Ringing,
    UpdateRequested,
)
from outdial.model.ids import ApplicationId, CallId, LegId
from outdial.model.participants import Participant
from outdial.model.terminations import Reason, Termination

LEG = leg_id(1)


def shape(event: Event, **changes: Any) -> Any:
    return json.loads(event_json(invoke("app", event=event, call=1, **changes)))


def hung_up(reason: Reason = "completed", *, answered: bool = True, **facts: Any) -> HungUp:
    return HungUp(leg=LEG, termination=Termination(who="callee", result="success", reason=reason, answered=answered, **facts))


def test_call_answered_is_byte_for_byte_the_real_one() -> None:
    """Reference 3.2, the example of a real event, without its spaces."""
    real = (
        '{"SchemaVersion":"1.0","Sequence":3,"InvocationEventType":"CALL_ANSWERED","CallDetails":{'
        '"TransactionId":"8c9372d0-e766-4890-823a-32ca8403201a",'
        '"TransactionAttributes":{"MeetingId":"fedc8fa0-364b-4fbf-b6b7-3be410492713"},'
        '"AwsAccountId":"123456789012","AwsRegion":"us-east-1","SipMediaApplicationId":"d82f98e7-7557-4b6b-a690-3dcfcbf8ab2e",'
        '"Participants":[{"CallId":"3c85496f-1ef3-4534-a906-cb4730cab5e7","ParticipantTag":"LEG-A","To":"+16265550112",'
        '"From":"+12245550185","Direction":"Outbound","StartTimeInMilliseconds":"1668005563818","Status":"Connected"}]}}'
    )
    leg = LegId("3c85496f-1ef3-4534-a906-cb4730cab5e7")
    answered = invoke(
        "app",
        event=Answered(),
        call=1,
        sequence=3,
        leg=leg,
        account="123456789012",
        application=ApplicationId("d82f98e7-7557-4b6b-a690-3dcfcbf8ab2e"),
        attributes={"MeetingId": "fedc8fa0-364b-4fbf-b6b7-3be410492713"},
        participants=(
            Participant(
                leg=leg, tag="LEG-A", to="+16265550112", from_="+12245550185", direction="Outbound", started_at=1668005563818,
                status="Connected",
            ),
        ),
    )  # fmt: skip
    real_call = CallId("8c9372d0-e766-4890-823a-32ca8403201a")
    assert event_json(answered).decode().replace(call_id(1), real_call) == real


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (NewOutboundCall(), "NEW_OUTBOUND_CALL"),
        (Ringing(), "RINGING"),
        (Answered(), "CALL_ANSWERED"),
        (UpdateRequested(arguments={}), "CALL_UPDATE_REQUESTED"),
        (ActionSucceeded(action=Action(type="Speak")), "ACTION_SUCCESSFUL"),
        (ActionFailed(action=Action(type="Speak"), error_type="SystemException", message="x"), "ACTION_FAILED"),
        (ActionInterrupted(action=Action(type="Pause")), "ACTION_INTERRUPTED"),
        (DigitsReceived(action=Action(type="ReceiveDigits"), digits="1"), "DIGITS_RECEIVED"),
        (InvalidReply(error_type="x", message="y"), "INVALID_LAMBDA_RESPONSE"),
        (hung_up(), "HANGUP"),
    ],
)
def test_names_of_events_and_the_order_of_keys(event: Event, name: str) -> None:
    """Reference 2.2; the order of 2.1."""
    found = shape(event, attributes={"a": "b"})
    order = ["SchemaVersion", "Sequence", "InvocationEventType", "ActionData", "CallDetails", "ErrorType", "ErrorMessage"]
    assert found["InvocationEventType"] == name
    assert list(found) == [key for key in order if key in found]
    assert list(found["CallDetails"]) == [
        "TransactionId",
        "TransactionAttributes",
        "AwsAccountId",
        "AwsRegion",
        "SipMediaApplicationId",
        "Participants",
    ]


@pytest.mark.parametrize("event", [NewOutboundCall(), Ringing(), Answered(), InvalidReply(error_type="x", message="y")])
def test_events_without_action_data(event: Event) -> None:
    assert "ActionData" not in shape(event)


def test_trait_05_digits_received_carries_the_digits_and_the_type_receive_digits() -> None:
    action = Action(type="ReceiveDigits", parameters={"InputDigitsRegex": "^\\d{2}#$"})
    data = shape(DigitsReceived(action=action, digits="11#"))["ActionData"]
    assert list(data.items()) == [("ReceivedDigits", "11#"), ("Type", "ReceiveDigits"), ("Parameters", {"InputDigitsRegex": "^\\d{2}#$"})]


@pytest.mark.parametrize("attributes", [None, {}])
def test_trait_12_attributes_are_absent_until_there_are_some(attributes: dict[str, Any] | None) -> None:
    assert "TransactionAttributes" not in shape(Answered(), attributes=attributes)["CallDetails"]


@pytest.mark.parametrize("event", [Answered(), hung_up(), ActionInterrupted(action=Action(type="Pause"))])
def test_trait_12_attributes_come_back_as_they_are_nested_too(event: Event) -> None:
    attributes = {"state": {"step": 3, "left": ["a", None]}, "name": "Grüße"}
    assert shape(event, attributes=attributes)["CallDetails"]["TransactionAttributes"] == attributes


def test_trait_13_arguments_of_a_create_are_in_new_outbound_call() -> None:
    assert shape(NewOutboundCall(arguments={"k": "v"}))["ActionData"] == {
        "Type": "CallCreateRequest",
        "Parameters": {"Arguments": {"k": "v"}},
    }


def test_trait_13_without_arguments_there_is_no_action_data() -> None:
    assert "ActionData" not in shape(NewOutboundCall(arguments=None))


def test_trait_13_arguments_of_an_update_are_in_call_update_requested() -> None:
    data = shape(UpdateRequested(arguments={"action": "PlayAudio"}))["ActionData"]
    assert data == {"Type": "CallUpdateRequest", "Parameters": {"Arguments": {"action": "PlayAudio"}}}


def test_trait_14_hangup_action_data() -> None:
    data = shape(hung_up(), participants=(participant(1, status="Disconnected"),))["ActionData"]
    assert json.dumps(data) == json.dumps(
        {"Type": "Hangup", "Parameters": {"SipResponseCode": 0, "CallId": LEG, "ParticipantTag": "LEG-A"}}
    )


def test_trait_14_hangup_of_leg_b_lists_both_legs_with_their_status() -> None:
    legs = (participant(1), participant(2, tag="LEG-B", status="Disconnected"))
    event = HungUp(leg=leg_id(2), termination=Termination(who="callee", result="success", reason="completed", answered=True))
    found = shape(event, participants=legs)
    assert found["ActionData"]["Parameters"]["ParticipantTag"] == "LEG-B"
    assert [(one["ParticipantTag"], one["Status"]) for one in found["CallDetails"]["Participants"]] == [
        ("LEG-A", "Connected"),
        ("LEG-B", "Disconnected"),
    ]


def test_trait_15_status_is_absent_until_the_leg_is_answered() -> None:
    (found,) = shape(NewOutboundCall(), participants=(participant(1, status=None),))["CallDetails"]["Participants"]
    assert list(found) == ["CallId", "ParticipantTag", "To", "From", "Direction", "StartTimeInMilliseconds"]


def test_trait_16_the_application_and_the_transaction() -> None:
    details = shape(Answered())["CallDetails"]
    assert details["SipMediaApplicationId"] == "d82f98e7-7557-4b6b-a690-3dcfcbf8ab2e"
    assert "SipApplicationId" not in details
    assert "SipRuleId" not in details  # an outbound call has none
    assert details["TransactionId"] == call_id(1)


def test_trait_17_errors_of_an_action_are_inside_action_data() -> None:
    failed = ActionFailed(
        action=Action(type="PlayAudio"), error_type="InvalidAudioSource", message="Audio Source parameter value is invalid."
    )
    found = shape(failed)
    assert list(found["ActionData"].items()) == [
        ("Type", "PlayAudio"),
        ("Parameters", {}),
        ("ErrorType", "InvalidAudioSource"),
        ("ErrorMessage", "Audio Source parameter value is invalid."),
    ]
    assert "ErrorType" not in found


def test_trait_17_errors_of_a_reply_are_at_the_top() -> None:
    found = shape(InvalidReply(error_type="TransactionAttributesInvalidMapSize", message="too many"))
    assert (found["ErrorType"], found["ErrorMessage"]) == ("TransactionAttributesInvalidMapSize", "too many")
    assert "ActionData" not in found


def test_trait_18_results_stand_beside_type() -> None:
    destination = {"Type": "S3", "BucketName": "b", "Key": "p/x-0.wav"}
    results = {"RecordingDestination": destination, "RecordingTerminatorUsed": "#"}
    data = shape(ActionSucceeded(action=Action(type="RecordAudio"), results=results))["ActionData"]
    assert data == {"Type": "RecordAudio", "Parameters": {}, "RecordingDestination": destination, "RecordingTerminatorUsed": "#"}


def test_an_interrupted_action_has_no_error_fields() -> None:
    data = shape(ActionInterrupted(action=Action(type="PlayAudio", parameters={"CallId": LEG})))["ActionData"]
    assert data == {"Type": "PlayAudio", "Parameters": {"CallId": LEG}}


def test_the_start_time_is_a_string_and_headers_are_there_when_received() -> None:
    (found,) = shape(Answered(), participants=(participant(1, sip_headers={"X-Test-Value": "String"}),))["CallDetails"]["Participants"]
    assert found["StartTimeInMilliseconds"] == "1668005563818"
    assert list(found)[-2:] == ["Status", "SipHeaders"]
    assert found["SipHeaders"] == {"X-Test-Value": "String"}


@pytest.mark.parametrize(
    ("termination", "code"),
    [
        (hung_up("completed"), 0),
        (hung_up("completed", hangup_code=0), 0),
        (hung_up("completed", hangup_code=486), 486),
        (hung_up("busy", answered=False, sip_status=486), 486),
        (hung_up("busy", answered=False, sip_status=600), 486),
        (hung_up("no_answer", answered=False, sip_status=408), 480),
        (hung_up("no_answer", answered=False, sip_status=487), 480),
        (hung_up("no_answer", answered=False), 480),
        (hung_up("rejected", answered=False, sip_status=603), 603),
        (hung_up("rejected", answered=False, sip_status=404), 404),
        (hung_up("unreachable", answered=False), 503),
        (hung_up("no_media", answered=False, sip_status=200), 480),
        (hung_up("no_media", answered=True, sip_status=200), 0),
        *((hung_up(reason, answered=True, sip_status=200), 0) for reason in ("handler_failed", "handler_timeout", "handler_invalid",
                                                                              "media_lost", "node_restart", "shutdown", "too_long")),
        *((hung_up(reason, answered=False), 480) for reason in ("handler_failed", "handler_timeout", "handler_invalid", "media_lost",
                                                               "node_restart", "shutdown", "too_long")),
    ],
    ids=lambda value: f"{value.termination.reason}-{value.termination.sip_status}" if isinstance(value, HungUp) else str(value),
)  # fmt: skip
def test_the_code_in_hangup(termination: HungUp, code: int) -> None:
    """The table of DESIGN 3.5."""
    found = shape(termination)["ActionData"]["Parameters"]["SipResponseCode"]
    assert found == code
    assert isinstance(found, int)
