"""What is heard at a telephone: RTP packets as stretches of tone and silence, and the same of a file."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..media import g711
from ..model.media import Codec
from ..rtp.packet import HEADER

CODECS: dict[int, Codec] = {0: "PCMU", 8: "PCMA"}
QUIET = 200.0
"""Mean absolute 16-bit sample under which a frame is silence."""
APART_HZ = 25.0
"""Tones nearer than this are one."""


@dataclass(slots=True, kw_only=True)
class Stretch:
    """Some time of one tone (hz) or of silence (0)."""

    hz: float
    seconds: float
    at: float
    """When it began."""
    missing: float = 0.0
    """Seconds of it that never came."""

    def __str__(self) -> str:
        return f"{f'tone {self.hz:.0f}Hz' if self.hz else 'silence'} {self.seconds:.2f}s"


class Hearing:
    """Takes RTP datagrams as they arrive; `stretches` are what sounded until now, in the order of their RTP time."""

    def __init__(self) -> None:
        self._frames: dict[int, tuple[float, int, bytes, int]] = {}
        self.packets = 0
        self.events: list[int] = []
        """Payload types other than audio's, as they came."""

    def hear(self, data: bytes, now: float) -> None:
        """One datagram."""
        _, second, _, timestamp, _ = HEADER.unpack_from(data)
        kind = second & 0x7F
        self.packets += 1
        if kind in CODECS:
            self._frames.setdefault(timestamp, (now, kind, data[12:], len(data) - 12))
        else:
            self.events.append(kind)

    @property
    def stretches(self) -> list[Stretch]:
        """What sounded, a tone across a few lost frames being one."""
        found: list[Stretch] = []
        end: int | None = None
        for timestamp in sorted(self._frames):
            at, kind, payload, samples = self._frames[timestamp]
            hz = pitch(CODECS[kind], payload)
            lost = 0 if end is None else max(0, timestamp - end)
            seconds = samples / 8000
            if found and (found[-1].hz == hz == 0.0 or (hz and found[-1].hz and abs(found[-1].hz - hz) < APART_HZ)) and lost < 8000:
                last = found[-1]
                last.seconds += seconds + lost / 8000
                last.missing += lost / 8000
            else:
                found.append(Stretch(hz=hz, seconds=seconds, at=at))
            end = timestamp + samples
        return [one for one in found if one.hz == 0 or one.seconds > 0.03]

    def tones(self) -> list[Stretch]:
        """The stretches that are tones."""
        return [one for one in self.stretches if one.hz]


@lru_cache(maxsize=65536)
def pitch(codec: Codec, payload: bytes) -> float:
    """The strongest frequency of a frame, 0 where it is silence."""
    if payload.count(payload[:1]) == len(payload):
        return 0.0
    return strongest(g711.decode(codec, payload).astype(np.float64))


def strongest(samples: Any) -> float:
    """The strongest frequency, 0 for silence. Parabolic interpolation between the lines of the spectrum."""
    if len(samples) < 40 or float(np.mean(np.abs(samples))) < QUIET:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1024))
    top = int(np.argmax(spectrum[1:-1])) + 1
    below, here, above = (float(one) for one in np.log(spectrum[top - 1 : top + 2] + 1e-9))
    bend = below - 2 * here + above
    return (top + (0.5 * (below - above) / bend if bend else 0.0)) * 8000 / 1024


def in_file(path: Path) -> list[Stretch]:
    """What sounds in a file (8 kHz, 16-bit, mono), by frames of 20 ms."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    found: list[Stretch] = []
    for index in range(len(samples) // 160):
        hz = strongest(samples[160 * index : 160 * index + 160])
        if found and (found[-1].hz == hz == 0.0 or (hz and found[-1].hz and abs(found[-1].hz - hz) < APART_HZ)):
            found[-1].seconds += 0.02
        else:
            found.append(Stretch(hz=hz, seconds=0.02, at=index * 0.02))
    return [one for one in found if one.hz == 0 or one.seconds > 0.03]
