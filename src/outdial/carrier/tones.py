"""Tones as prepared files: 8 kHz, 16-bit, mono WAV. A prompt of the bucket `tones` names one by its key."""

from __future__ import annotations

import array
import math
import re
import struct
import sys

from ..model.work import ObjectSource

BUCKET = "tones"
RATE = 8000
LEVEL = 0.25
"""Of full scale: some -15 dBm0, a usual level of tones on a line."""
EDGE = 40
"""Samples of rise and fall, so that nothing clicks."""
_KEY = re.compile(r"(\d{2,4})hz-(\d{1,6})ms\.wav")


def source(hertz: int, ms: int) -> ObjectSource:
    """The prompt that stands for this tone."""
    return ObjectSource(bucket=BUCKET, key=f"{hertz}hz-{ms}ms.wav")


def wav(key: str) -> bytes | None:
    """The file that a key names, or None where it names no tone."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    hertz, count = int(found[1]), int(found[2]) * RATE // 1000
    step = 2 * math.pi * hertz / RATE
    samples = array.array("h", (round(32767 * LEVEL * min(1.0, n / EDGE, (count - n) / EDGE) * math.sin(step * n)) for n in range(count)))
    if sys.byteorder == "big":
        samples.byteswap()
    data = samples.tobytes()
    return struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", len(data)) + data
