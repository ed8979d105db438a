"""Prepared prompts and recordings: WAV at 8 kHz, 16 bits, mono. What opens files is a function of the world."""

from __future__ import annotations

import struct
from typing import Protocol

RATE = 8000


class BadPrompt(ValueError):
    """The file is not WAV of 8 kHz, 16 bits, mono; the text says what it is."""


class RecordingFile(Protocol):
    """A file being written. Methods raise `OSError`."""

    def write(self, at: int, data: bytes) -> None:
        """Write `data` at byte `at`."""

    def truncate(self, size: int) -> None:
        """Cut or lengthen to `size` bytes."""

    def close(self) -> None:
        """Nothing more is written."""


class Files(Protocol):
    """Opens files for the engine. Methods raise `OSError`."""

    def prompt(self, path: str) -> bytes | memoryview:
        """The bytes of a prepared file, which never changes (mapped where that is possible)."""

    def recording(self, path: str) -> RecordingFile:
        """A new file, in a folder that exists."""


def wav_header(samples: int) -> bytes:
    """The 44 octets before that many 16-bit samples."""
    size = 2 * samples
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size)


def wav_samples(data: bytes | memoryview) -> memoryview:
    """The samples' bytes inside a WAV file. Raises `BadPrompt`."""
    view = memoryview(data)
    if len(view) < 12 or bytes(view[:4]) != b"RIFF" or bytes(view[8:12]) != b"WAVE":
        raise BadPrompt("not a WAV file")
    at, form = 12, None
    while at + 8 <= len(view):
        name, size = bytes(view[at : at + 4]), int.from_bytes(view[at + 4 : at + 8], "little")
        body = view[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            form = struct.unpack_from("<HHIIHH", body)
        elif name == b"data":
            if form is None:
                raise BadPrompt("a WAV file without a format before its data")
            kind, channels, rate, _, _, bits = form
            if kind not in (1, 0xFFFE) or channels != 1 or rate != RATE or bits != 16:
                raise BadPrompt(f"{rate} Hz, {bits} bits, {channels} channels, format {kind}; wanted 8000 Hz, 16 bits, mono PCM")
            return body[: len(body) // 2 * 2]
        at += 8 + size + size % 2
    raise BadPrompt("a WAV file without data")
