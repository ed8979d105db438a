"""A call told from both of its ends, in the order of its happening, while it happens.

Two sources: the node's records as they are saved, and the carrier's story, a file that grows. A line is held for a moment before it is
printed, so that what happened first is told first, whichever source is the faster.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from pathlib import Path
from typing import Any

from ..console.told import Teller
from ..io import clock
from ..model.ids import CallId
from ..model.records import CallEnded, CallRow
from ..model.terminations import Termination
from . import output

HELD_MS = 300
LOOK_S = 0.1
UNTIMED = " " * 9
_WORDS = {
    ("told", "answered"): "answers",
    ("told", "said"): "says “{text}”",
    ("told", "beeped"): "gives a tone of {text}",
    ("told", "pressed"): "presses {text}",
    ("told", "refused"): "refuses: {text}",
    ("told", "hung_up"): "hangs up",
    ("told", "echoes"): "gives back what it hears",
    ("heard", "speech"): "hears somebody speak",
    ("heard", "quiet"): "has heard {seconds} s of speech",
    ("heard", "key"): "hears the key {text}",
    ("heard", "nothing"): "hears nothing",
}


class Tale:
    """Tells the first call that begins after this is made."""

    def __init__(self, follow: Any, story: Path) -> None:
        self._subscription = follow.subscribe()
        self._teller = Teller()
        self._story = story
        self._wall = clock.Wall()
        self._began: int = self._wall(clock.now())
        self._head = b""
        self._read = 0
        self._rest = b""
        self._call: CallId | None = None
        self._start = self._began
        self._lines: list[tuple[int, int, str]] = []
        self._count = itertools.count()

    async def tell(self) -> Termination:
        """Print the call's lines until it has ended; how it ended."""
        printing = asyncio.ensure_future(self._print())
        try:
            while True:
                record = await self._subscription.next()
                if isinstance(record, CallRow) and self._call is None:
                    self._call, self._start = record.call, record.started_at
                for line in self._teller.tell(record):
                    self._tell_line(record, line)
                if isinstance(record, CallEnded) and record.call == self._call:
                    return record.termination
        finally:
            printing.cancel()
            self._subscription.close()
            self._listen()
            self._flush(None)

    def _tell_line(self, record: Any, line: str) -> None:
        if line.startswith(UNTIMED):  # a recording's row says when it began, not when it was done
            at = self._wall(clock.now())
            line = self._time(at) + line[len(UNTIMED) :]
        else:
            at = _at(record) or self._wall(clock.now())
        self._hold(at, line)

    def _time(self, at: int) -> str:
        return f"{(at - self._start) / 1000:+.3f}".rjust(len(UNTIMED))

    def _hold(self, at: int, line: str) -> None:
        heapq.heappush(self._lines, (at, next(self._count), line))

    async def _print(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._listen()
            self._flush(self._wall(clock.now()) - HELD_MS)

    def _flush(self, until: int | None) -> None:
        while self._lines and (until is None or self._lines[0][0] <= until):
            print(heapq.heappop(self._lines)[2], flush=True)

    def _listen(self) -> None:
        """Take what the carrier has told since the last look."""
        try:
            with self._story.open("rb") as file:
                head = file.readline()
                if head != self._head:  # a carrier that was started anew begins its story anew
                    self._head, self._read, self._rest = head, 0, b""
                file.seek(self._read)
                data = file.read()
        except OSError:
            return
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            words = _WORDS.get((told["who"], told["what"]))
            if words is None or told["at"] < self._began:
                continue
            does = words.format(text=told.get("text", ""), seconds=told.get("seconds", 0))
            self._hold(told["at"], output.dim(f"{self._time(told['at'])} ~ the other end {does}"))


def _at(record: Any) -> int | None:
    for name in ("at", "given_at", "done_at", "ended_at", "answered_at", "started_at"):
        if (at := getattr(record, name, None)) is not None:
            return int(at)
    return None
