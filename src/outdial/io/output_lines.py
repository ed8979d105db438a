"""What a handler prints, cut into lines within bounds: 8 kB a line, 1 MB an event, the rest counted."""

from __future__ import annotations

MAX_LINE_BYTES = 8 * 1024
MAX_EVENT_BYTES = 1024 * 1024
LEAST_LINE_BYTES = 64
"""What a line counts for at least, so that a million empty lines are bounded too."""


class OutputLines:
    """One of a worker's two streams."""

    def __init__(self) -> None:
        self._part = b""
        self._left = MAX_EVENT_BYTES
        self._cut = False
        """The rest of an over-long line is being skipped."""
        self._tail = 0
        """Bytes of that rest."""
        self.dropped = 0
        """Bytes left out since the last line that was given."""

    @property
    def full(self) -> bool:
        """This event's share is used up: only counting goes on."""
        return self._left <= 0

    def begin(self) -> None:
        """A new event, a new share."""
        self._left = MAX_EVENT_BYTES

    def feed(self, data: bytes) -> list[tuple[str, int]]:
        """Take what was read; give each whole line with the bytes left out before it."""
        lines: list[tuple[str, int]] = []
        pieces = data.split(b"\n")
        for piece in pieces[:-1]:
            self._add(piece)
            self._end(lines)
        self._add(pieces[-1])
        return lines

    def drop(self, count: int) -> None:
        """So many bytes were thrown away unread."""
        self.dropped += count + len(self._part)
        self._part = b""
        self._cut = True

    def finish(self) -> list[tuple[str, int]]:
        """The last line where it has no end, and what was left out after it."""
        lines: list[tuple[str, int]] = []
        if self._part:
            self._end(lines)
        self.dropped += self._tail
        self._tail = 0
        if self.dropped:
            lines.append(("", self.dropped))
            self.dropped = 0
        return lines

    def _add(self, piece: bytes) -> None:
        if not piece:
            return
        if self._cut:
            self._tail += len(piece)
            return
        if self._left <= 0:
            self.dropped += len(piece)
            return
        room = MAX_LINE_BYTES - len(self._part)
        self._part += piece[:room]
        if len(piece) > room:
            self._tail += len(piece) - room
            self._cut = True

    def _end(self, lines: list[tuple[str, int]]) -> None:
        part, self._part, self._cut = self._part, b"", False
        tail, self._tail = self._tail, 0
        if self._left <= 0:
            self.dropped += len(part) + tail + 1
            return
        self._left -= max(len(part), LEAST_LINE_BYTES)
        lines.append((part.rstrip(b"\r").decode("utf-8", "replace"), self.dropped))
        self.dropped = tail
