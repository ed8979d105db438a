"""Notes of calls: kept beside the call's events."""

from __future__ import annotations

from collections.abc import Callable

from ..model.ids import Token, Wall
from ..model.records import NoteRow
from ..model.work import Note, Save


class Notes:
    """The pump's port `notes`. The log sees a `Note` by itself, as an observer; this puts it on record."""

    def __init__(self, give: Callable[[str, Save], None], wall: Wall) -> None:
        self._give = give
        self._wall = wall

    def put(self, note: Note, now: float) -> None:
        """Have a note saved, unless it is for the log alone."""
        if note.level == "debug":
            return
        facts = "".join(f" {name}={value}" for name, value in note.facts.items())
        row = NoteRow(call=note.call, at=self._wall(now), level=note.level, what=note.what + facts)
        self._give("store", Save(token=Token(0), unit=(row,)))
