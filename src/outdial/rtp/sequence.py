"""What sequence numbers and timestamps of one source tell: lost, repeated, late, jitter (RFC 3550 §6.4.1, A.1, A.3, A.8).

Theory of operation. The 48 numbers up to the highest are remembered as bits, so that a repeat is told from a packet that was overtaken.
A number far from the highest is believed when the next one follows it (A.1: a restarted source); then counting starts anew from there.
"""

from __future__ import annotations

from enum import Enum

_WINDOW = (1 << 48) - 1
_MAX_AHEAD = 3000
"""RFC 3550 A.1 MAX_DROPOUT: a greater step forward is a jump."""


class Arrival(Enum):
    """How a packet stands to those before it."""

    NEXT = "next"
    EARLIER = "earlier"
    """Overtaken by others, and not seen yet."""
    REPEATED = "repeated"
    JUMPED = "jumped"
    """Far from what was expected, and not confirmed by a follower."""


class Reception:
    """The receiver's account of one SSRC."""

    __slots__ = ("_base", "_here", "_jump", "_lost_before", "_seen", "_transit", "duplicates", "extended", "jitter", "received")

    def __init__(self, sequence: int) -> None:
        self._base = sequence
        self.extended = sequence - 1
        """The highest sequence number with its cycles."""
        self._seen = 0
        self._jump = -1
        self._transit: float | None = None
        self._here = 0
        self._lost_before = 0
        self.received = 0
        self.duplicates = 0
        self.jitter = 0.0
        """In timestamp units."""

    def arrive(self, sequence: int) -> Arrival:
        """Take the next packet's sequence number."""
        ahead = (sequence - self.extended) & 0xFFFF
        if 0 < ahead < _MAX_AHEAD:
            self.extended += ahead
            self._seen = ((self._seen << min(ahead, 48)) | 1) & _WINDOW
            self.received += 1
            self._here += 1
            return Arrival.NEXT
        behind = (self.extended - sequence) & 0xFFFF
        if behind < 48:
            if self._seen >> behind & 1:
                self.duplicates += 1
                return Arrival.REPEATED
            self._seen |= 1 << behind
            self._base = min(self._base, self.extended - behind)
            self.received += 1
            self._here += 1
            return Arrival.EARLIER
        if sequence == self._jump:
            self._lost_before = self.lost
            self.received += 1
            self._base, self.extended, self._seen, self._here, self._jump = sequence, sequence, 1, 1, -1
            return Arrival.NEXT
        self._jump = (sequence + 1) & 0xFFFF
        return Arrival.JUMPED

    def time(self, arrived: float, timestamp: int) -> None:
        """Update the jitter estimate (RFC 3550 A.8); `arrived` in timestamp units of the local clock."""
        transit = arrived - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < 80000:  # ten seconds: the timestamps jumped or wrapped, which says nothing about the network
                self.jitter += (difference - self.jitter) / 16
        self._transit = transit

    @property
    def lost(self) -> int:
        """Packets that never came (RFC 3550 A.3); repeats are not counted as received."""
        return self._lost_before + self.extended - self._base + 1 - self._here

    @property
    def expected(self) -> int:
        """Packets that the source sent, as its numbers say."""
        return self.received + self.lost
