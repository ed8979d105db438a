"""Hangup (reference 10.9)."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..core import Deadline
from ..model.actions import Action
from ..model.ids import LegId
from . import legs
from .machine import beginning
from .parameters import INVALID, Refused, number
from .values import Context, Finished, HangUp, Running

MESSAGE = "The SipResponseCode parameter is invalid."


class Hangup:
    """Asks for the end of the leg and has finished: what follows is the leg's business."""

    def __init__(self, echo: Action, leg: LegId, code: int) -> None:
        self.echo = echo
        self.leg: LegId | None = leg
        self._outputs: deque[Any] = deque([HangUp(leg=leg, code=code), Finished()])

    def receive(self, item: Any, now: float) -> None:
        """Nothing is waited for."""

    def handle_timer(self, now: float) -> None:
        """There are no timers."""

    def next_output(self) -> Any | None:
        """`HangUp`, then `Finished`."""
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> Deadline | None:
        return None


@beginning
def begin(action: Action, context: Context) -> Running:
    """End a leg. The documentation has 0, 480 and 486; applications also name other final statuses (real-handlers, section 1), which are
    passed on."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    code = number(raw, "SipResponseCode", MESSAGE, least=0, most=699) or 0
    if 0 < code < 200:
        raise Refused(INVALID, MESSAGE)
    return Hangup(legs.echo(action, leg, {"SipResponseCode": code}), leg.leg, code)
