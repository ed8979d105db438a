"""Presses from all ways, and what collects them.

Theory of operation. A press may be told two or three times: as telephone events, as INFO, as a sound. The same digit by another way
within 300 ms of the press (its start or its end) is the same press; each way tells a press once, so a second report by one way is a
second press.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..model.media import Collect

How = Literal["event", "tone", "info"]
SAME_S = 0.3


@dataclass(slots=True)
class _Recent:
    digit: str
    hows: set[How]
    at: float


class Merger:
    """Tells a new press from another report of one that is known."""

    def __init__(self) -> None:
        self._recent: list[_Recent] = []

    def take(self, digit: str, how: How, now: float) -> bool:
        """A way reports a press; True where it is a new one."""
        self._recent = [press for press in self._recent if now - press.at <= SAME_S + 1e-6]
        for press in self._recent:
            if press.digit == digit and how not in press.hows:
                press.hows.add(how)
                return False
        self._recent.append(_Recent(digit, {how}, now))
        return True

    def still(self, digit: str, how: How, now: float) -> None:
        """A press that `how` reported goes on."""
        for press in reversed(self._recent):
            if press.digit == digit and how in press.hows:
                press.at = now
                return


CollectEnd = Literal["terminator", "max", "between", "first", "stopped", "stream_closed"]


@dataclass(slots=True)
class Collector:
    """One Collect command."""

    command: Collect
    digits: list[str] = field(default_factory=list)

    def press(self, digit: str) -> tuple[CollectEnd, str] | None:
        """Take a digit; gives why it is over, with the terminator, or None."""
        if digit in self.command.terminators:
            return "terminator", digit
        self.digits.append(digit)
        if len(self.digits) >= self.command.max_digits:
            return "max", ""
        return None
