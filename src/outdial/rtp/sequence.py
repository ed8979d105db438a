"""What sequence numbers and timestamps of one source tell: lost, repeated, late, jitter (RFC 3550 §6.4.1, A.1, A.3, A.8).

Theory of operation. The 48 numbers up to the highest are remembered as bits, so that a repeat is told from a packet that was overtaken.
A number far from the highest is believed when the next one follows it (A.1: a restarted source); then counting starts anew from there.
"""

from __future__ import annotations

from enum import Enum

_WINDOW = (1 << 48) - 1
_MAX_AHEAD = 3000
"""RFC 3550 A.1 MAX_DROPOUT: a greater step forward is a jump."""


_UNLIKELY = 80000
"""Ten seconds: timestamps that jumped or wrapped say nothing about the network."""


class Arrival(Enum):
    """How a packet stands to those before it."""

    NEXT = "next"
    EARLIER = "earlier"
    """Overtaken by others, and not seen yet."""
    REPEATED = "repeated"
    JUMPED = "jumped"
    """Far from what was expected, and not confirmed by a follower."""


_NEXT = Arrival.NEXT


class Reception:
    """The receiver's account of one SSRC."""

    __slots__ = ("_base", "_before", "_here", "_jump", "_lost_before", "_seen", "_transit", "duplicates", "extended", "jitter")

    def __init__(self, sequence: int) -> None:
        self._base = sequence
        self.extended = sequence - 1
        """The highest sequence number with its cycles."""
        self._seen = 0
        self._jump = -1
        self._transit: float | None = None
        self._here = 0
        self._before = 0
        self._lost_before = 0
        self.duplicates = 0
        self.jitter = 0.0
        """In timestamp units."""

    def arrive(self, sequence: int) -> Arrival:
        """Take the next packet's sequence number."""
        ahead = (sequence - self.extended) & 0xFFFF
        if 0 < ahead < _MAX_AHEAD:
            self.extended += ahead
            self._seen = ((self._seen << (ahead if ahead < 48 else 48)) | 1) & _WINDOW
            self._here += 1
            return _NEXT
        behind = -ahead & 0xFFFF
        if behind < 48:
            if self._seen >> behind & 1:
                self.duplicates += 1
                return Arrival.REPEATED
            self._seen |= 1 << behind
            self._base = min(self._base, self.extended - behind)
            self._here += 1
            return Arrival.EARLIER
        if sequence == self._jump:
            self._lost_before = self.lost
            self._before += self._here
            self._base, self.extended, self._seen, self._here, self._jump = sequence, sequence, 1, 1, -1
            return _NEXT
        self._jump = (sequence + 1) & 0xFFFF
        return Arrival.JUMPED

    def time(self, arrived: float, timestamp: int) -> None:
        """Update the jitter estimate (RFC 3550 A.8); `arrived` in timestamp units of the local clock."""
        transit = arrived - timestamp
        before = self._transit
        self._transit = transit
        if before is not None:
            difference = transit - before
            if -_UNLIKELY < difference < _UNLIKELY:
                self.jitter += ((difference if difference > 0 else -difference) - self.jitter) / 16

    @property
    def received(self) -> int:
        """Packets received, repeats not counted."""
        return self._before + self._here

    @property
    def lost(self) -> int:
        """Packets that never came (RFC 3550 A.3); repeats are not counted as received."""
        return self._lost_before + self.extended - self._base + 1 - self._here

    @property
    def expected(self) -> int:
        """Packets that the source sent, as its numbers say."""
        return self.received + self.lost
