"""Digits as telephone events (RFC 4733): the payload, what a receiver makes of packets, and what a sender sends.

Theory of operation. One press is one timestamp. Any packet of a press announces it, so a lost start or a lost end changes nothing;
packets of a press that was seen already are repeats, also when they come after the next press began. A press longer than a duration field
holds is sent in segments (RFC 4733 §2.5.1.3): a segment that begins where the last one ended, unended, is the same press. Peers were met
that set the R bit at random, send audio between event packets, and repeat sequence numbers at the end: none of it is looked at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"
"""By event code, 0 to 15 (RFC 4733 §3.2)."""
_PAYLOAD = struct.Struct("!BBH")
_REUSE_S = 2.0
_REUSE_ENDED_S = 0.4
"""A timestamp that comes back after this long (sooner where its end was seen) is a new press: peers were met that replay a recorded one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneEvent:
    """The payload (RFC 4733 §2.3). The R bit is neither kept nor judged."""

    event: int
    end: bool = False
    volume: int = 10
    """Power below 0 dBm0, 0 to 63."""
    duration: int
    """In timestamp units."""


def parse(payload: bytes) -> TelephoneEvent | None:
    """The (first) event of a payload, or None where it is cut off."""
    if len(payload) < 4:
        return None
    event, flags, duration = _PAYLOAD.unpack_from(payload)
    return TelephoneEvent(event=event, end=flags >= 0x80, volume=flags & 0x3F, duration=duration)


def build(event: TelephoneEvent) -> bytes:
    """The payload's four octets, R bit 0."""
    return _PAYLOAD.pack(event.event, event.end << 7 | event.volume, event.duration)


@dataclass(slots=True)
class Pressed:
    """A press as far as it is known."""

    ssrc: int
    timestamp: int
    """Of the newest segment."""
    digit: str
    duration: int
    """In timestamp units, earlier segments included."""
    ended: bool
    last_at: float
    before: int = 0
    """Duration of earlier segments."""


class Presses:
    """Makes presses of event packets."""

    def __init__(self) -> None:
        self._recent: list[Pressed] = []

    @property
    def last(self) -> Pressed | None:
        """The press that began last."""
        return self._recent[-1] if self._recent else None

    def take(self, ssrc: int, timestamp: int, event: TelephoneEvent, now: float) -> Pressed | None:
        """The press that this packet announces, or None: no digit, or a press that is known already."""
        if event.event > 15:
            return None
        for press in self._recent:
            if press.timestamp == timestamp and press.ssrc == ssrc and now - press.last_at < (_REUSE_ENDED_S if press.ended else _REUSE_S):
                press.duration = max(press.duration, press.before + event.duration)
                press.ended = press.ended or event.end
                press.last_at = now
                return None
        digit = DIGITS[event.event]
        last = self.last
        if last is not None and last.ssrc == ssrc and last.digit == digit and not last.ended:
            segment = last.duration - last.before
            if segment and (timestamp - last.timestamp) & 0xFFFFFFFF == segment and now - last.last_at < _REUSE_S:
                last.before, last.timestamp, last.last_at = last.duration, timestamp, now
                last.duration += event.duration
                last.ended = event.end
                return None
        pressed = Pressed(ssrc, timestamp, digit, event.duration, event.end, now)
        self._recent = [*self._recent[-7:], pressed]
        return pressed
