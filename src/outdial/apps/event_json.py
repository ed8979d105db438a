"""A call's event as the exact JSON that AWS sends (reference 2, 3, 8.1): its keys, their order, and which are absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from ..model.actions import Action
from ..model.events import (
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
from ..model.invocations import Invoke
from ..model.participants import Participant
from .hangup_code import hangup_code

SCHEMA_VERSION = "1.0"
MAX_EVENT_BYTES = 256 * 1024
MAX_ECHO_BYTES = 64 * 1024
"""Of the parameters of an action, in an event that would be too long otherwise."""
Json = dict[str, Any]

_encode = msgspec.json.Encoder().encode


def event_json(invoke: Invoke) -> bytes:
    """The body of one invocation, as UTF-8 without spaces. Where the echo of an action makes it too long, parameters are left out of it."""
    text = _body(invoke)
    event = invoke.event
    if len(text) > MAX_EVENT_BYTES and isinstance(event, ActionFailed | ActionSucceeded | ActionInterrupted | DigitsReceived):
        action = replace(event.action, parameters=_fitting(event.action.parameters))
        text = _body(replace(invoke, event=replace(event, action=action)))
    return text


def _body(invoke: Invoke) -> bytes:
    name, action_data = _EVENTS[type(invoke.event)]
    body: Json = {"SchemaVersion": SCHEMA_VERSION, "Sequence": invoke.sequence, "InvocationEventType": name}
    data = action_data(invoke.event, invoke.participants)
    if data is not None:
        body["ActionData"] = data
    details: Json = {"TransactionId": invoke.call}
    if invoke.attributes:
        details["TransactionAttributes"] = invoke.attributes
    details["AwsAccountId"] = invoke.account
    details["AwsRegion"] = invoke.region
    details["SipMediaApplicationId"] = invoke.application
    details["Participants"] = [_participant(one) for one in invoke.participants]
    body["CallDetails"] = details
    if isinstance(invoke.event, InvalidReply):
        body["ErrorType"] = invoke.event.error_type
        body["ErrorMessage"] = invoke.event.message
    return _encode(body)


def _fitting(parameters: Json) -> Json:
    kept, room = {}, MAX_ECHO_BYTES
    for name, value in parameters.items():
        size = len(_encode({name: value}))
        if size <= room:
            room -= size
            kept[name] = value
    return kept


def _participant(one: Participant) -> Json:
    entry: Json = {
        "CallId": one.leg,
        "ParticipantTag": one.tag,
        "To": one.to,
        "From": one.from_,
        "Direction": one.direction,
        "StartTimeInMilliseconds": str(one.started_at),
    }
    if one.status is not None:
        entry["Status"] = one.status
    if one.sip_headers:
        entry["SipHeaders"] = one.sip_headers
    return entry


def _nothing(event: Any, participants: tuple[Participant, ...]) -> None:
    return None


def _arguments_of_create(event: NewOutboundCall, participants: tuple[Participant, ...]) -> Json | None:
    return None if event.arguments is None else {"Type": "CallCreateRequest", "Parameters": {"Arguments": event.arguments}}


def _arguments_of_update(event: UpdateRequested, participants: tuple[Participant, ...]) -> Json:
    return {"Type": "CallUpdateRequest", "Parameters": {"Arguments": event.arguments}}


def _echo(action: Action) -> Json:
    return {"Type": action.type, "Parameters": action.parameters}


def _succeeded(event: ActionSucceeded, participants: tuple[Participant, ...]) -> Json:
    return {**_echo(event.action), **event.results}


def _failed(event: ActionFailed, participants: tuple[Participant, ...]) -> Json:
    return {**_echo(event.action), "ErrorType": event.error_type, "ErrorMessage": event.message}


def _interrupted(event: ActionInterrupted, participants: tuple[Participant, ...]) -> Json:
    return _echo(event.action)


def _digits(event: DigitsReceived, participants: tuple[Participant, ...]) -> Json:
    return {"ReceivedDigits": event.digits, **_echo(event.action)}


def _hung_up(event: HungUp, participants: tuple[Participant, ...]) -> Json:
    parameters: Json = {"SipResponseCode": hangup_code(event.termination), "CallId": event.leg}
    for one in participants:
        if one.leg == event.leg:
            parameters["ParticipantTag"] = one.tag
    return {"Type": "Hangup", "Parameters": parameters}


_ActionData = Callable[[Any, tuple[Participant, ...]], Json | None]
_EVENTS: dict[type[Event], tuple[str, _ActionData]] = {
    NewOutboundCall: ("NEW_OUTBOUND_CALL", _arguments_of_create),
    Ringing: ("RINGING", _nothing),
    Answered: ("CALL_ANSWERED", _nothing),
    UpdateRequested: ("CALL_UPDATE_REQUESTED", _arguments_of_update),
    ActionSucceeded: ("ACTION_SUCCESSFUL", _succeeded),
    ActionFailed: ("ACTION_FAILED", _failed),
    ActionInterrupted: ("ACTION_INTERRUPTED", _interrupted),
    DigitsReceived: ("DIGITS_RECEIVED", _digits),
    InvalidReply: ("INVALID_LAMBDA_RESPONSE", _nothing),
    HungUp: ("HANGUP", _hung_up),
}
"""Which name and which ActionData each event has (reference 2.2, 2.3)."""
