"""Which leg an action acts on (reference 6.2): `CallId` wins over `ParticipantTag`; with neither, the leg of the invocation."""

from __future__ import annotations

from typing import Any, Final

from ..model.actions import Action
from .parameters import INVALID, Refused, present, text
from .values import Context, LegFacts

BAD_LEG: Final = "CallId or ParticipantTag parameter for action is invalid."


def choose(raw: dict[str, Any], context: Context, message: str = BAD_LEG) -> LegFacts:
    """The connected leg that the parameters name. Raises `Refused` (InvalidActionParameter, `message`) for a leg that is unknown, not
    answered or finished (reference 18)."""
    leg_id = text(raw, "CallId", message)
    tag = text(raw, "ParticipantTag", message)
    for leg in reversed(context.legs):  # a later LEG-B takes the tag of an earlier one (reference 1)
        if leg_id is not None:
            named = leg.leg == leg_id.strip().lower()
        elif tag is not None:
            named = leg.tag == tag.strip() and leg.connected
        else:
            named = leg.leg == context.default_leg
        if named and leg.connected:
            return leg
    raise Refused(INVALID, message)


def echo(action: Action, leg: LegFacts, known: dict[str, Any]) -> Action:
    """The action as events echo it (reference 2.3 and 5): the leg named both ways, then `known` where it is not None or a
    selector."""
    selectors = {"CallId": leg.leg, "ParticipantTag": leg.tag}
    others = {name: value for name, value in known.items() if value is not None and name not in selectors}
    return Action(type=action.type, parameters={**selectors, **others})


def as_given(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    """Parameters that need no normalising, without those that are absent."""
    return {name: value for name in names if (value := present(raw, name)) is not None}
