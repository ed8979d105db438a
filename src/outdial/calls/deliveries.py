"""Recordings that their call could not wait for: delivered across calls and restarts, with back-off (DESIGN 3.3, "kept and tried again").

A recording that was never finished (its engine or its node died) is repaired from its file first. At most `AT_ONCE` are under way; the
others wait their turn, first in first out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..model.ids import RecordingId, Token
from ..model.records import RecordingRow
from ..model.work import Deliver, Delivered, Repair, Repaired

if TYPE_CHECKING:
    from .shared import Shared

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 900.0
AT_ONCE = 8
GIVE_UP = frozenset({"not_found", "format"})
"""A file that is not there, or is no recording, cannot be repaired later either."""


@dataclass(slots=True, kw_only=True)
class Owed:
    """A recording that is owed to its bucket."""

    row: RecordingRow
    wait_s: float = FIRST_WAIT_S


class Deliveries:
    """Everything that is owed, by recording."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._owed: dict[RecordingId, Owed] = {}
        self._ready: deque[RecordingId] = deque()
        self._under_way = 0

    def __len__(self) -> int:
        return len(self._owed)

    def take(self, row: RecordingRow, now: float, under_way: Token | None = None) -> None:
        """See that this recording gets to its bucket; `under_way` is a `Deliver` of it without result yet."""
        if row.recording in self._owed or row.delivered:
            return
        self._owed[row.recording] = Owed(row=row)
        if under_way is not None:
            self._under_way += 1
            self._shared.await_result(under_way, partial(self._on_result, row.recording))
        elif row.finished and row.tries:
            self._later(row.recording, now)
        else:
            self._next(row.recording)

    def _next(self, recording: RecordingId) -> None:
        self._ready.append(recording)
        self._fill()

    def _fill(self) -> None:
        while self._ready and self._under_way < AT_ONCE:
            recording = self._ready.popleft()
            row = self._owed[recording].row
            token = self._shared.token()
            self._under_way += 1
            if row.finished:
                self._shared.put(Deliver(token=token, recording=recording, path=row.path, bucket=row.bucket, key=row.key))
            else:
                self._shared.put(Repair(token=token, path=row.path))
            self._shared.await_result(token, partial(self._on_result, recording))

    def _on_result(self, recording: RecordingId, result: Any, now: float) -> None:
        self._under_way -= 1
        owed = self._owed[recording]
        row = owed.row
        match result:
            case Delivered():
                self._keep(owed, replace(row, delivered=True, tries=row.tries + 1, error=""))
                del self._owed[recording]
            case Repaired():
                self._keep(owed, replace(row, finished=True, samples=result.samples, error=""))
                self._ready.append(recording)
            case _:
                self._failed(owed, result.reason, result.detail, now)
        self._fill()

    def _failed(self, owed: Owed, reason: str, detail: str, now: float) -> None:
        row = owed.row
        error = detail or reason
        lost = not row.finished and reason in GIVE_UP
        self._keep(owed, replace(row, tries=row.tries + 1, error=error, path="" if lost else row.path))
        if lost:
            del self._owed[row.recording]
            self._shared.note(row.call, "error", f"a recording is lost: {error}", recording=row.recording)
            return
        level = "warning" if row.tries < 2 else "debug"
        what = f"a recording could not be delivered and is kept: {error}"
        self._shared.note(row.call, level, what, recording=row.recording, again_in_s=owed.wait_s)
        self._later(row.recording, now)

    def _later(self, recording: RecordingId, now: float) -> None:
        owed = self._owed[recording]
        self._shared.set_timer((recording, "deliver"), now + owed.wait_s, lambda _: self._next(recording))
        owed.wait_s = min(LONGEST_WAIT_S, owed.wait_s * 2)

    def _keep(self, owed: Owed, row: RecordingRow) -> None:
        owed.row = row
        self._shared.record(row)
