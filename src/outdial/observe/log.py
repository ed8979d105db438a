"""The log: what passes the pump, as lines for a person (STYLE 11). Never secrets or digests; numbers and addresses masked.

ERROR: our bug or a lost call. WARN: a peer or a handler misbehaved. INFO: a call's life in under ten lines. DEBUG: messages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

from ..model.ids import Wall
from ..model.work import Save
from .legs import Legs
from .line import Fact, Glyph, Level, render
from .masking import mask
from .record_words import RECORDS
from .value_words import VALUES
from .words import Said

BURST: Final = 10
"""So many lines of one rate-limited kind within a window; the rest is counted and told with the next."""
WINDOW_S: Final = 10.0


class Log:
    """An observer of the pump. `write` gets whole lines without their end, and may be called from any thread."""

    def __init__(
        self, write: Callable[[str], None], wall: Wall, legs: Legs, *, level: Level = Level.INFO, zone: tzinfo | None = None
    ) -> None:
        self._write = write
        self._wall = wall
        self._level = level
        self._zone = zone
        self._legs = legs
        self._told: dict[str, tuple[float, int]] = {}
        self._records = {name: row for name, row in RECORDS.items() if row[0] >= level}
        self._values = {name: row for name, row in VALUES.items() if row[0] >= level}

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind is Save or kind.__name__ in self._values

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump."""
        if type(value) is Save:
            records = self._records
            for record in value.unit:
                row = records.get(type(record).__name__)
                if row is not None:
                    self._tell(row[1](record, self._legs), now)
            return
        row = self._values.get(type(value).__name__)
        if row is not None:
            self._tell(row[1](value, self._legs), now)

    def line(self, level: Level, area: str, glyph: Glyph, what: str, now: float, **facts: Fact) -> None:
        """A line of the node's own (what it listens on, a drain, a report of the store). `what` is masked here, the facts by the caller."""
        if level >= self._level:
            self._write(render(self._wall(now), level, area, glyph, mask(what), facts, self._zone))

    def _tell(self, said: Said | None, now: float) -> None:
        if said is None or said.level < self._level:
            return
        facts = said.facts
        if said.limited:
            begun, count = self._told.get(said.what, (now, 0))
            if now - begun >= WINDOW_S:
                if count > BURST:
                    facts = {**facts, "unsaid": count - BURST}
                begun, count = now, 0
            self._told[said.what] = (begun, count + 1)
            if count >= BURST:
                return
        self._write(render(self._wall(now), said.level, said.area, said.glyph, said.what, facts, self._zone))


class Bridge(logging.Handler):
    """Brings what libraries log (WARN and above) into the same form. Only its own text is told, never a traceback's locals."""

    def __init__(self, log: Log, now: Callable[[], float]) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._now = now

    def emit(self, record: logging.LogRecord) -> None:
        """One record of `logging`."""
        level = Level.ERROR if record.levelno >= logging.ERROR else Level.WARN
        error = record.exc_info[1] if record.exc_info else None
        what = record.getMessage() if error is None else f"{record.getMessage()}: {type(error).__name__}: {error}"
        self._log.line(level, record.name.rpartition(".")[2][:6] or "node", "x", what, self._now())
