"""A timer wheel of one millisecond, on which each stream has a grid of its own (DESIGN 4).

Theory of operation. Moments are whole milliseconds since the wheel began. A grid is entered in the emptiest of the slots within its first
period, so that starts are spread; after that it moves by its period and never by how late it was served. Without entries there is no
deadline.
"""

from __future__ import annotations

from typing import Protocol

_SLOTS = 64
_ALL = (1 << _SLOTS) - 1
"""More than the longest period, 60 ms."""
_GROUP = 20
_STOOD_STILL_MS = 200
EARLY = 1e-7
"""Deadlines are floats: a wake-up at its very deadline must find it due."""


class Ticker(Protocol):
    """What is ticked."""

    period_ms: int
    due_ms: int
    on_grid: bool

    def tick(self, due_ms: int, late_ms: float, now: float) -> None: ...

    def missed(self, ticks: int, now: float) -> None: ...


class Wheel:
    """Holds each ticker in the slot of its next tick."""

    def __init__(self) -> None:
        self._slots: list[list[Ticker]] = [[] for _ in range(_SLOTS)]
        self._used = 0
        """A bit for each slot that is not empty."""
        self._epoch = 0.0
        self._done = 0
        self._count = 0
        self._next: int | None = None
        self._next_at: float | None = None
        self.worst_ms = 0.0
        """The latest tick since this was set to 0."""

    def __len__(self) -> int:
        return self._count

    def ms(self, now: float) -> int:
        """Whole milliseconds of the wheel at `now`."""
        return int((now - self._epoch + EARLY) * 1000)

    def moment(self, ms: int) -> float:
        """Monotonic seconds of a wheel's millisecond."""
        return self._epoch + ms / 1000

    def add(self, ticker: Ticker, now: float) -> None:
        """Give a ticker its first tick, within its period."""
        if self._count == 0:
            if self._epoch == 0.0:
                self._epoch = float(int(now)) - 1.0
            self._done = self.ms(now)
        self._count += 1
        first = max(self._done, self.ms(now)) + 1
        ticker.due_ms = min(range(first, first + ticker.period_ms), key=self._crowd)
        ticker.on_grid = True
        self._put(ticker)
        if self._next is None or ticker.due_ms < self._next:
            self._expect(ticker.due_ms)

    def _crowd(self, ms: int) -> int:
        count = len(self._slots[ms % _SLOTS])
        return count + _GROUP if ms & 1 or count >= _GROUP else count

    def remove(self, ticker: Ticker) -> None:
        """No more ticks; harmless where there were none."""
        if ticker.on_grid:
            ticker.on_grid = False
            slot = ticker.due_ms % _SLOTS
            for other in self._take(slot):
                if other is not ticker:
                    self._put(other)
            self._count -= 1
            if self._count == 0:
                self._expect(None)

    def next_at(self) -> float | None:
        """When `run` is due next, in monotonic seconds."""
        return self._next_at

    def run(self, now: float) -> int:
        """Tick what is due, in the order in which it was due; gives their number. A ticker's exception is raised after all ran."""
        if self._next is None:
            return 0
        upto = self.ms(now)
        if upto - self._next > _STOOD_STILL_MS:
            self._jump(upto, now)
        slots = self._slots
        ticks = 0
        bug: Exception | None = None
        try:
            for due in range(self._next, upto + 1):
                if not slots[due % _SLOTS]:
                    continue
                late_ms = (now - self._epoch) * 1000 - due
                if late_ms > self.worst_ms:
                    self.worst_ms = late_ms
                slot = self._take(due % _SLOTS)
                used = self._used
                for ticker in slot:
                    ticker.due_ms = then = due + ticker.period_ms
                    slots[then % _SLOTS].append(ticker)
                    used |= 1 << then % _SLOTS
                self._used = used
                for ticker in slot:
                    if ticker.on_grid:
                        ticks += 1
                        try:
                            ticker.tick(due, late_ms, now)
                        except Exception as error:
                            bug = bug or error
        finally:
            self._done = max(self._done, upto)
            self._expect(self._find(upto + 1))
        if bug is not None:
            raise bug
        return ticks

    def _jump(self, upto: int, now: float) -> None:
        """The engine stood still (a stopped process, a machine asleep): leave out what is long past, at once."""
        waiting = [ticker for slot in self._slots for ticker in slot]
        self._slots = [[] for _ in range(_SLOTS)]
        self._used = 0
        for ticker in waiting:
            missed = max(0, (upto - ticker.due_ms) // ticker.period_ms)
            ticker.due_ms += missed * ticker.period_ms
            self._put(ticker)
            if missed:
                ticker.missed(missed, now)
        self.worst_ms = max(self.worst_ms, float(upto - (self._next or upto)))
        self._next = min(ticker.due_ms for ticker in waiting)

    def _expect(self, ms: int | None) -> None:
        self._next = ms
        self._next_at = None if ms is None else self._epoch + ms / 1000

    def _find(self, start: int) -> int | None:
        if self._count == 0:
            return None
        turn = start % _SLOTS
        ahead = (self._used >> turn | self._used << (_SLOTS - turn)) & _ALL
        return start + (ahead & -ahead).bit_length() - 1

    def _put(self, ticker: Ticker) -> None:
        slot = ticker.due_ms % _SLOTS
        self._slots[slot].append(ticker)
        self._used |= 1 << slot

    def _take(self, slot: int) -> list[Ticker]:
        tickers = self._slots[slot]
        self._slots[slot] = []
        self._used &= ~(1 << slot)
        return tickers
