"""The background listener that ReceiveDigits arms, one for each leg (reference 10.6 and 18).

Theory of operation. Digits gather. When `between` has passed since the last one, what has gathered is tried; a match is reported,
forgotten, and listening goes on. When `flush` has passed since the first one, what has gathered is thrown away without a word. What is
pressed while an expression is being tried belongs to the next match, unless there is none: then it continues what was tried.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from ..core import Deadline, Timers
from ..model.actions import Action
from ..model.ids import CallId, Ids, LegId, Token
from ..model.media import Digit
from ..model.numbers import mask_all
from ..model.work import Match, Matched, Note, WorkFailed
from .values import ArmListener

MOST_DIGITS: Final = 128
"""Longer than any entry; a leg that presses on without a pause starts afresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Digits that match: to be told as DIGITS_RECEIVED."""

    leg: LegId
    digits: str
    action: Action
    """The echo of the ReceiveDigits that armed the listener."""


class Listener:
    """A core: in `Digit` of its leg and the results of its matches, out `Match`, `Heard` and `Note`."""

    def __init__(self, armed: ArmListener, call: CallId, ids: Ids) -> None:
        self.leg = armed.leg
        self._armed = armed
        self._call = call
        self._ids = ids
        self._digits = ""
        """Gathered, and not being tried."""
        self._tried = ""
        """Being tried, and kept if it does not match."""
        self._sent = ""
        """What the running match was asked about."""
        self._token: Token | None = None
        self._first_at = 0.0
        """When the first of what has gathered since the last try was pressed."""
        self._timers: Timers[str] = Timers()
        self._outputs: deque[Any] = deque()

    def receive(self, item: Any, now: float) -> None:
        """Take a press on the leg, or the result of a match; anything else is not ours."""
        match item:
            case Digit(stream=leg, digit=digit) if leg == self.leg:
                self._pressed(digit, now)
            case Matched(token=token, yes=yes) if token == self._token:
                self._judged(yes, now)
            case WorkFailed(token=token) if token == self._token:
                what = f"ReceiveDigits: what was pressed could not be tried: {item.detail or item.reason}"
                self._outputs.append(Note(call=self._call, level="warning", what=mask_all(what)))
                self._judged(False, now)

    def handle_timer(self, now: float) -> None:
        """Try what has gathered, or throw it away."""
        for name in self._timers.due(now):
            if name == "flush":
                self._digits = self._tried = ""
                self._timers.cancel("between")
            elif self._digits and self._token is None:
                self._try()

    def next_output(self) -> Any | None:
        """The oldest output not yet taken, or None."""
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> Deadline | None:
        """The end of a pause, or of all patience."""
        return self._timers.next_deadline()

    def _pressed(self, digit: str, now: float) -> None:
        if len(self._digits) >= MOST_DIGITS:
            self._digits = ""
        if not self._digits:
            self._first_at = now
            if not self._tried:
                self._timers.set("flush", now + self._armed.flush_ms / 1000, "flush")
        self._digits += digit
        self._timers.set("between", now + self._armed.between_ms / 1000, "between")

    def _try(self) -> None:
        self._tried, self._digits = self._digits, ""
        self._token = Token(self._ids.number())
        self._sent = self._tried
        self._outputs.append(Match(token=self._token, pattern=self._armed.pattern, texts=(self._sent,)))

    def _judged(self, yes: bool, now: float) -> None:
        self._token = None
        more = bool(self._digits)
        if yes:
            self._outputs.append(Heard(leg=self.leg, digits=self._sent, action=self._armed.action))
            self._timers.cancel("flush")
            if self._digits:
                self._timers.set("flush", max(now, self._first_at + self._armed.flush_ms / 1000), "flush")
        else:
            self._digits = (self._tried + self._digits)[-MOST_DIGITS:]
        self._tried = ""
        if more and "between" not in self._timers:
            self._try()  # the pause after the later digits passed while the earlier ones were being tried
