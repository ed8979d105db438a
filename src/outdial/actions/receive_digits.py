"""ReceiveDigits (reference 10.6): arms the leg's background listener and has finished."""

from __future__ import annotations

from enum import auto
from typing import Any, Final

from ..core import IGNORE, Symbol, Table
from ..model.actions import Action
from ..model.ids import LegId
from ..model.work import Match, Matched, WorkFailed
from . import legs
from .machine import Machine, beginning
from .parameters import INVALID, SYSTEM, Refused, number, text
from .values import ArmListener, Context, FailedAs, Finished, LegGone, Running

BAD_PATTERN: Final = "The InputDigitsRegex parameter is invalid."
BAD_BETWEEN: Final = "The InBetweenDigitsDurationInMilliseconds parameter is invalid."
BAD_FLUSH: Final = "The FlushDigitsDurationInMilliseconds parameter is invalid."


class State(Symbol):
    COMPILING = auto()
    OVER = auto()


class Input(Symbol):
    COMPILED = auto()
    NO_PATTERN = auto()
    GONE = auto()


class ReceiveDigits(Machine):
    """Sees that the expression compiles, then arms."""

    def __init__(self, echo: Action, leg: LegId, context: Context, pattern: str, between_ms: int, flush_ms: int) -> None:
        super().__init__(echo, leg, context, State.COMPILING)
        self._armed = ArmListener(leg=leg, pattern=pattern, between_ms=between_ms, flush_ms=flush_ms, action=echo)
        self._token = self.token()
        self.put(Match(token=self._token, pattern=pattern))

    def table(self) -> Table:
        return RECEIVE_DIGITS

    def sort(self, item: Any) -> Input | None:
        match item:
            case Matched(token=token) if token == self._token:
                return Input.COMPILED
            case WorkFailed(token=token) if token == self._token:
                return Input.NO_PATTERN
            case LegGone():
                return Input.GONE
        return None

    def arm(self, _item: Any) -> None:
        """Hand the rules to the leg."""
        self.put(self._armed)
        self.put(Finished(results={"ReceivedDigits": ""}))

    def explain(self, failed: WorkFailed) -> None:
        """Fail for what is wrong with the expression."""
        self.note(f"InputDigitsRegex: {failed.detail or failed.reason}", reason=failed.reason)
        mistaken = failed.reason in {"pattern", "too_slow"}
        error_type, message = (INVALID, BAD_PATTERN) if mistaken else (SYSTEM, self.system_error)
        self.put(FailedAs(error_type=error_type, message=message))


RECEIVE_DIGITS: Table = {
    State.COMPILING: {
        Input.COMPILED: (State.OVER, (ReceiveDigits.arm,)),
        Input.NO_PATTERN: (State.OVER, (ReceiveDigits.explain,)),
        Input.GONE: (State.OVER, ()),
    },
    State.OVER: {item: IGNORE("the action has ended") for item in Input},
}


@beginning
def begin(action: Action, context: Context) -> Running:
    """Arm the listener of a leg. All three parameters are required, and the flush time is longer than the time in between."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    pattern = text(raw, "InputDigitsRegex", BAD_PATTERN)
    between = number(raw, "InBetweenDigitsDurationInMilliseconds", BAD_BETWEEN, least=1)
    flush = number(raw, "FlushDigitsDurationInMilliseconds", BAD_FLUSH, least=1)
    if pattern is None:
        raise Refused(INVALID, BAD_PATTERN)
    if between is None:
        raise Refused(INVALID, BAD_BETWEEN)
    if flush is None or flush <= between:
        raise Refused(INVALID, BAD_FLUSH)
    known = {
        "InputDigitsRegex": pattern,
        "InBetweenDigitsDurationInMilliseconds": between,
        "FlushDigitsDurationInMilliseconds": flush,
    }
    return ReceiveDigits(legs.echo(action, leg, known), leg.leg, context, pattern, between, flush)
