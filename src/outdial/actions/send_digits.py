"""SendDigits (reference 10.7)."""

from __future__ import annotations

from enum import auto
from typing import Any, Final

from ..core import IGNORE, Symbol, Table
from ..model import media
from ..model.actions import Action
from ..model.ids import LegId
from . import legs
from .machine import Machine, beginning
from .parameters import INVALID, Refused, number, present
from .values import Context, Finished, LegGone, Running

BAD_DIGITS: Final = "Digits parameter value is invalid."
BAD_TONE: Final = "ToneDuration parameter value is invalid."
DIGITS: Final = frozenset("0123456789*#ABCD,")
MOST_DIGITS: Final = 50
SHORTEST_TONE: Final = 50
LONGEST_TONE: Final = 24_000
LONGEST_TONE_RELAXED: Final = 60_000
"""Published applications go as far (real-handlers, trait 11)."""


class State(Symbol):
    SENDING = auto()
    OVER = auto()


class Input(Symbol):
    SENT = auto()
    REFUSED = auto()
    GONE = auto()


class SendDigits(Machine):
    """Has the engine send digits, and reports when the last one is out."""

    def __init__(self, echo: Action, leg: LegId, context: Context, digits: str, tone_ms: int) -> None:
        super().__init__(echo, leg, context, State.SENDING)
        self._id = self.command_id()
        self.put(media.SendDigits(id=self._id, stream=leg, digits=digits, tone_ms=tone_ms))

    def table(self) -> Table:
        return SEND_DIGITS

    def sort(self, item: Any) -> Input | None:
        match item:
            case media.DigitsSent(id=id, why=why) if id == self._id:
                return Input.GONE if why == "stream_closed" else Input.SENT
            case media.Failed(id=id) if id == self._id:
                return Input.REFUSED
            case LegGone():
                return Input.GONE
        return None

    def finish(self, _item: Any) -> None:
        """All digits are out."""
        self.put(Finished())


SEND_DIGITS: Table = {
    State.SENDING: {
        Input.SENT: (State.OVER, (SendDigits.finish,)),
        Input.REFUSED: (State.OVER, (SendDigits.break_down,)),
        Input.GONE: (State.OVER, ()),
    },
    State.OVER: {item: IGNORE("the action has ended") for item in Input},
}


@beginning
def begin(action: Action, context: Context) -> Running:
    """Send digits to a leg. The documentation wants `CallId`; without it the leg of the invocation is meant, as with every action."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    digits = present(raw, "Digits")
    if isinstance(digits, int) and not isinstance(digits, bool):
        digits = str(digits)
    if not isinstance(digits, str) or not 1 <= len(digits) <= MOST_DIGITS or not DIGITS.issuperset(digits):
        raise Refused(INVALID, BAD_DIGITS)
    longest = LONGEST_TONE if context.strict else LONGEST_TONE_RELAXED
    tone = number(raw, "ToneDurationInMilliseconds", BAD_TONE, least=SHORTEST_TONE, most=longest)
    known = {"Digits": digits, "ToneDurationInMilliseconds": tone}
    return SendDigits(legs.echo(action, leg, known), leg.leg, context, digits, tone or 250)
