"""Sends digits: telephone events (RFC 4733 §2.5.1), or the tones themselves where those were not negotiated.

Theory of operation. Asked at each tick of the stream's grid, it says what leaves then. It counts on the media clock, so that a skipped
tick shortens nothing. An event's packets carry the timestamp of its start and a growing duration; the last goes out three times, at ticks
of the gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.media import SendDigits
from ..rtp.telephone_event import DIGITS, TelephoneEvent, build
from .g711 import Samples
from .tones import tone

_ENDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFrame:
    """A telephone event packet."""

    payload: bytes
    began: int
    """The media clock, in samples, when the press began: its timestamp."""
    marker: bool


Frame = EventFrame | Samples


class Dialler:
    """One SendDigits command."""

    def __init__(self, command: SendDigits, by_events: bool) -> None:
        self.id = command.id
        self._command = command
        self._by_events = by_events
        self._queue = list(command.digits)
        self._digit = ""
        self._began = 0
        self._tone = command.tone_ms * 8
        self._gap = command.gap_ms * 8
        self._until = 0
        self._ends = 0
        self._duration = 0
        self.stopped = False

    def stop(self) -> None:
        """Send no more; a press that has begun is ended properly."""
        self.stopped = True
        self._queue.clear()
        self._tone = self._gap = self._until = 0

    def frame(self, at: int, count: int) -> Frame | None:
        """What leaves at `at` samples of the media clock for `count` samples; None when all is sent."""
        if self._digit:
            return self._during(at, count)
        if at < self._until:
            return np.zeros(count, dtype=np.int16)
        if not self._queue:
            return None
        digit = self._queue.pop(0).upper()
        if digit == ",":
            self._until = at + self._command.pause_ms * 8
            return np.zeros(count, dtype=np.int16)
        self._digit, self._began, self._ends, self._duration = digit, at, 0, 0
        return self._during(at, count)

    def _during(self, at: int, count: int) -> Frame:
        elapsed = at - self._began
        if not self._by_events:
            if elapsed >= self._tone:
                return self._rest(at, count)
            audio = np.zeros(count, dtype=np.int16)
            length = min(count, self._tone - elapsed)
            audio[:length] = tone(self._digit, elapsed, length)
            return audio
        first = self._duration == 0
        if elapsed >= self._tone and not first:
            self._ends += 1
            if self._ends > _ENDS:
                return self._rest(at, count)
        else:
            self._duration = min(elapsed + count, 0xFFFF)
        payload = build(TelephoneEvent(event=DIGITS.index(self._digit), end=self._ends > 0, duration=self._duration))
        return EventFrame(payload=payload, began=self._began, marker=first)

    def _rest(self, at: int, count: int) -> Samples:
        self._digit = ""
        self._until = max(at + count, self._began + self._tone + self._gap)
        return np.zeros(count, dtype=np.int16)


def valid(digits: str) -> bool:
    """Only digits and pauses."""
    return bool(digits) and all(digit in DIGITS or digit == "," for digit in digits.upper())
