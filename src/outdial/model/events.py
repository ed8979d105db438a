"""What happens to a call that its handler is told of: one value an event, without AWS spelling (reference 2.2)."""

from __future__ import annotations

from typing import Any

from .actions import Action
from .ids import LegId
from .terminations import Termination
from .value import Value


class NewOutboundCall(Value, frozen=True, kw_only=True):
    arguments: dict[str, str] | None = None
    """None where the request had no ArgumentsMap: then the event has no ActionData."""


class Ringing(Value, frozen=True, kw_only=True):
    pass


class Answered(Value, frozen=True, kw_only=True):
    pass


class UpdateRequested(Value, frozen=True, kw_only=True):
    arguments: dict[str, str]


class ActionSucceeded(Value, frozen=True, kw_only=True):
    action: Action
    """The echo: parameters normalised."""
    results: dict[str, Any] = {}
    """Result fields as siblings of Type (ReceivedDigits, RecordingDestination …), AWS spelling."""


class ActionFailed(Value, frozen=True, kw_only=True):
    action: Action
    error_type: str
    message: str


class ActionInterrupted(Value, frozen=True, kw_only=True):
    action: Action


class DigitsReceived(Value, frozen=True, kw_only=True):
    action: Action
    digits: str


class InvalidReply(Value, frozen=True, kw_only=True):
    error_type: str
    message: str


class HungUp(Value, frozen=True, kw_only=True):
    leg: LegId
    termination: Termination


Event = (
    NewOutboundCall | Ringing | Answered | UpdateRequested | ActionSucceeded | ActionFailed | ActionInterrupted | DigitsReceived
    | InvalidReply | HungUp
)  # fmt: skip
