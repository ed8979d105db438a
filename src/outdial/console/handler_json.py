"""The little that is read in what the handler was given and in what it answered. Both are shown as AWS spells them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..model import events

EVENT_NAMES: Final[dict[type, str]] = {
    events.NewOutboundCall: "NEW_OUTBOUND_CALL",
    events.Ringing: "RINGING",
    events.Answered: "CALL_ANSWERED",
    events.UpdateRequested: "CALL_UPDATE_REQUESTED",
    events.ActionSucceeded: "ACTION_SUCCESSFUL",
    events.ActionFailed: "ACTION_FAILED",
    events.ActionInterrupted: "ACTION_INTERRUPTED",
    events.DigitsReceived: "DIGITS_RECEIVED",
    events.InvalidReply: "INVALID_LAMBDA_RESPONSE",
    events.HungUp: "HANGUP",
}
"""What an event is called that was not given, so that no JSON says it."""


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def event_name(request: bytes) -> str:
    """`CALL_ANSWERED`; nothing where the JSON says none."""
    name = _object(request).get("InvocationEventType")
    return name if isinstance(name, str) else ""


def actions(reply: bytes) -> list[dict[str, Any]] | None:
    """The entries of a reply's list, as they came; None where the reply is not an object with a list of objects."""
    found = _object(reply).get("Actions", [])
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        return None
    return found


def action_name(action: dict[str, Any]) -> str:
    """`PlayAudio`, or `?`."""
    name = action.get("Type")
    return name if isinstance(name, str) and name else "?"


def spoken(action: dict[str, Any]) -> str | None:
    """What an action will say, where it says something: its text, or the object that it plays."""
    parameters = action.get("Parameters")
    if not isinstance(parameters, dict):
        return None
    speech = parameters.get("SpeechParameters")
    for holder in (parameters, speech):
        if isinstance(holder, dict) and isinstance(holder.get("Text"), str):
            return f'"{holder["Text"]}"'
    source = parameters.get("AudioSource")
    if isinstance(source, dict) and isinstance(source.get("Key"), str):
        return str(source["Key"])
    return None
