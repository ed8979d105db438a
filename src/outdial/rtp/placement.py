"""Puts received audio on the local sample clock by RTP timestamp; gaps are silence (DESIGN 4).

Theory of operation. The first packet ties its timestamp to the local clock: it ends where it arrived. From then on a packet's place is
that tie plus its timestamp's distance, whatever the network did to it. What is read lies `delay` samples behind the clock, so that
packets may be that late. Later ones are dropped; five late ones in a row, or a timestamp over half a second from the clock, tie anew (a
peer that jumped, or whose clock runs slow). A ring of one second holds one octet a sample.
"""

from __future__ import annotations

RING = 8192
_MASK = RING - 1
_AHEAD = 4000
DELAY = 480
"""60 ms: how late a packet may come."""


class Placement:
    """One octet a sample, in the codec of the stream."""

    __slots__ = ("_expected", "_expected_place", "_late_run", "_ring", "_silence", "_tie", "late", "read_to")

    def __init__(self, silence: int, at: int) -> None:
        self._silence = silence
        self._ring = bytearray([silence]) * RING
        self._tie: int | None = None
        self._late_run = 0
        self._expected = -1
        """The timestamp that follows the last packet's, and its place: most packets are the next one."""
        self._expected_place = 0
        self.read_to = at
        """The next sample that `read` gives."""
        self.late = 0

    def where(self, timestamp: int) -> int | None:
        """The place of a timestamp on the local clock, or None before the first packet."""
        if self._tie is None:
            return None
        place = (timestamp + self._tie) & 0xFFFFFFFF
        # timestamps have 32 bits, the clock has more: the nearest candidate to what is read now
        return self.read_to + ((place - self.read_to + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def put(self, timestamp: int, audio: bytes, at: int) -> None:
        """Place a packet that arrived when the clock showed `at`."""
        place = self._expected_place if timestamp == self._expected else self.where(timestamp)
        if place is None or not -_AHEAD < place + len(audio) - at < _AHEAD:
            place = self._anchor(timestamp, at - len(audio))
        elif place < self.read_to:
            self.late += 1
            self._late_run += 1
            if self._late_run < 5:
                return
            place = self._anchor(timestamp, at - len(audio))
        else:
            self._late_run = 0
        self._expected = (timestamp + len(audio)) & 0xFFFFFFFF
        self._expected_place = place + len(audio)
        if place < self.read_to:
            audio = audio[self.read_to - place :]
            place = self.read_to
        count = len(audio)
        if place + count - self.read_to > RING:
            return
        start = place & _MASK
        end = start + count
        if end <= RING:
            self._ring[start:end] = audio
        else:
            cut = RING - start
            self._ring[start:] = audio[:cut]
            self._ring[: end - RING] = audio[cut:]

    def _anchor(self, timestamp: int, place: int) -> int:
        self._tie = place - timestamp
        self._late_run = 0
        return place

    def read(self, upto: int) -> bytes:
        """Everything from `read_to` up to `upto` (exclusive); what did not come is silence."""
        count = upto - self.read_to
        if count <= 0:
            return b""
        if count > RING:  # nobody read for over a second: what the ring does not hold is silence
            body = self._take(RING, self.read_to + RING)
            self.read_to = upto
            return body + bytes([self._silence]) * (count - RING)
        return self._take(count, upto)

    def _take(self, count: int, upto: int) -> bytes:
        ring = self._ring
        start = self.read_to & _MASK
        end = start + count
        quiet = bytes([self._silence])
        if end <= RING:
            out = bytes(ring[start:end])
            ring[start:end] = quiet * count
        else:
            out = bytes(ring[start:]) + bytes(ring[: end - RING])
            ring[start:] = quiet * (RING - start)
            ring[: end - RING] = quiet * (end - RING)
        self.read_to = upto
        return out
