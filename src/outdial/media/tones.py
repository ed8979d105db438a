"""Digits heard in the audio itself (DTMF, ITU-T Q.23, Q.24), by the Goertzel transform of its eight frequencies.

Theory of operation. A window of 205 samples moves by 10 ms. It shows a digit when one low and one high frequency stand out: loud enough,
far above their neighbours, neither much weaker than the other, and together nearly all that is heard (speech has more in it). Two windows
in a row with the same digit are a press; four without it end it. So 40 ms are always heard and 20 ms never (Q.24).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rtp.telephone_event import DIGITS
from .g711 import Samples

_LOW = (697, 770, 852, 941)
_HIGH = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
_WINDOW = 205
_HOP = 80
_SHARE = 0.75
"""Of the window's energy, in the pair."""
_ABOVE = 6.3
"""8 dB above the others of its group."""
_TWIST = 6.3
"""Q.24 wants 4 and 8 dB; either way here, since lines differ."""
_FLOOR = 40.0**2 / 2
"""Mean square of a tone of amplitude 40: some -55 dBm0."""

_TIMES = np.arange(_WINDOW) / 8000
_OFF = (0.988, 1.0, 1.012)
"""A tone may be off by 1.5 % (Q.24), more than a window's resolution: each frequency is looked for at three places."""
_PLACES = np.outer(np.array(_LOW + _HIGH), np.array(_OFF)).ravel()
_BASIS = np.exp(-2j * np.pi * np.outer(_TIMES, _PLACES)) * np.sqrt(2) / _WINDOW
_BREAK = 4
"""Windows without the digit that end a press: a break of 10 ms spoils three, one of 30 ms at least four (Q.24)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A digit began, at `start` samples of the stream's clock."""

    digit: str
    start: int


class ToneDetector:
    """Fed with everything that arrives, in order."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, dtype=np.int16)
        self._last = ""
        self._current = ""
        self._missing = 0

    @property
    def current(self) -> str:
        """The digit that sounds now, or nothing."""
        return self._current

    def feed(self, samples: Samples, start: int) -> list[Heard]:
        """Take samples that begin at `start` on the stream's clock; gives the digits that began."""
        audio = np.concatenate([self._rest, samples])
        first = start - len(self._rest)
        count = (len(audio) - _WINDOW) // _HOP + 1
        if count <= 0:
            self._rest = audio
            return []
        self._rest = audio[count * _HOP :]
        if not self._current and not self._last and int(np.abs(audio).max()) < 40:
            return []
        windows = np.lib.stride_tricks.sliding_window_view(audio, _WINDOW)[: count * _HOP : _HOP].astype(np.float64)
        power = (np.abs(windows @ _BASIS) ** 2).reshape(count, 8, len(_OFF)).max(axis=2)
        total = (windows**2).mean(axis=1)
        out = []
        for index in range(count):
            digit = _digit(power[index], float(total[index]))
            if digit and digit == self._last and digit != self._current:
                self._current = digit
                out.append(Heard(digit=digit, start=max(0, first + (index - 1) * _HOP)))
            self._missing = 0 if digit == self._current else self._missing + 1
            if self._missing >= _BREAK:
                self._current = ""
            self._last = digit
        return out


def _digit(power: np.ndarray[tuple[int], np.dtype[np.float64]], total: float) -> str:
    if total < _FLOOR:
        return ""
    low, high = power[:4], power[4:]
    row, column = int(low.argmax()), int(high.argmax())
    a, b = float(low[row]), float(high[column])
    if a + b < _SHARE * total or a > _TWIST * b or b > _TWIST * a:
        return ""
    if np.partition(low, 2)[2] * _ABOVE > a or np.partition(high, 2)[2] * _ABOVE > b:
        return ""
    return _KEYS[row][column]


def tone(digit: str, start: int, count: int, amplitude: float = 5000.0) -> Samples:
    """`count` samples of a digit's two tones, from sample `start` of its sound."""
    row = next(index for index, keys in enumerate(_KEYS) if digit in keys)
    low, high = _LOW[row], _HIGH[_KEYS[row].index(digit)]
    times = np.arange(start, start + count) / 8000
    return np.rint(amplitude * (np.sin(2 * np.pi * low * times) + np.sin(2 * np.pi * high * times))).astype(np.int16)


assert set("".join(_KEYS)) == set(DIGITS)
