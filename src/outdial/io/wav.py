"""WAV files as the engine plays and writes them: 8 kHz, 16-bit, mono, behind a header of 44 bytes."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

RATE: Final = 8000
HEADER: Final = 44


class NotWav(ValueError):
    """The file has no header that could be mended."""


def header(samples: int) -> bytes:
    """The header of a file with this many samples."""
    size = min(samples * 2, 0xFFFFFFFF - 36)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", size)


def repair(path: Path) -> int:
    """Write the sizes that a file has into its header, whole samples only; the number of samples. Raises `NotWav`, `OSError`.
    Chunks before `data` are kept; what follows `data` is taken as sound, as in any file that was cut off while it grew."""
    with path.open("r+b") as file:
        length = os.fstat(file.fileno()).st_size
        start = file.read(4096)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:12] != b"WAVE":
            raise NotWav(f"{path} does not begin with a WAV header")
        at, frame = 12, 2
        while at + 8 <= len(start):
            name, size = struct.unpack_from("<4sI", start, at)
            if name == b"fmt " and at + 22 <= len(start):
                frame = max(1, struct.unpack_from("<H", start, at + 20)[0])
            if name == b"data":
                sound = (length - at - 8) // frame * frame
                file.truncate(at + 8 + sound)
                file.seek(at + 4)
                file.write(struct.pack("<I", sound))
                file.seek(4)
                file.write(struct.pack("<I", at + sound))
                file.flush()
                os.fsync(file.fileno())
                return sound // frame
            at += 8 + size + size % 2
    raise NotWav(f"{path} has no data chunk")
