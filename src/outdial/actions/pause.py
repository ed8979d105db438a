"""Pause (reference 10.8)."""

from __future__ import annotations

from typing import Final

from ..model.actions import Action
from . import legs
from .machine import beginning
from .parameters import INVALID, Refused, number
from .playback import Playback
from .values import Context, Running

MESSAGE: Final = "The Duration parameter is invalid."
STRICT: Final = (100, 30_000)
"""The troubleshooting page, under `strict` limits."""
RELAXED: Final = (1, 86_400_000)
"""The action's own page: an integer > 0. Published applications pause up to 60,000 ms; a day is beyond the longest call."""


@beginning
def begin(action: Action, context: Context) -> Running:
    """Be silent for `DurationInMilliseconds`."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    least, most = STRICT if context.strict else RELAXED
    duration = number(raw, "DurationInMilliseconds", MESSAGE, least=least, most=most)
    if duration is None:
        raise Refused(INVALID, MESSAGE)
    return Playback(legs.echo(action, leg, {"DurationInMilliseconds": duration}), leg.leg, context, duration)
