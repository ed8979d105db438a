"""A recording: what arrives, on the stream's sample clock, in a WAV file that is valid at every moment.

Theory of operation. Samples are gathered for half a second, then written together with the header that counts them: the header is never
ahead of what was written. A recording that ends on a digit is cut where that digit began.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..model.media import Record
from .files import RecordingFile, wav_header
from .g711 import Samples

_GATHER = 4000
_FRAME = 160


class Recorder:
    """One Record command. Methods that write raise `OSError`."""

    def __init__(self, command: Record, file: RecordingFile, start: int) -> None:
        self.command = command
        self.path = command.path
        self.start = start
        """The first sample of the file on the stream's clock."""
        self._file = file
        self._pending: list[Samples] = []
        self._gathered = 0
        self._written = 0
        self.over = False
        """Takes no more samples."""
        self.peak = 0
        self.quiet = 0
        """Samples of silence in a row, up to what was fed."""
        self._rest = np.zeros(0, dtype=np.int16)
        self._limit = None if command.limit_ms is None else command.limit_ms * 8
        self._silence = None if command.silence_ms is None else command.silence_ms * 8
        file.write(0, wav_header(0))

    @property
    def samples(self) -> int:
        """Samples fed so far."""
        return self._written + self._gathered

    @property
    def needs_frames(self) -> bool:
        """Must be fed each 20 ms, since silence ends it."""
        return self._silence is not None

    @property
    def ends_at(self) -> int:
        """The sample of the stream's clock at which the limit is reached."""
        return 1 << 62 if self._limit is None else self.start + self._limit

    def feed(self, samples: Samples) -> Literal["", "limit", "silence"]:
        """Take the next samples; gives why the recording is over, or nothing."""
        why: Literal["", "limit", "silence"] = ""
        if self._limit is not None and self.samples + len(samples) >= self._limit:
            samples = samples[: self._limit - self.samples]
            why = "limit"
        if self._silence is not None and self._hear(samples):
            why = "silence"
        self._pending.append(samples)
        self._gathered += len(samples)
        if self._gathered >= _GATHER:
            self.flush()
        return why

    def flush(self) -> None:
        """Write what was gathered, and the header that counts it."""
        if not self._gathered:
            return
        audio = np.concatenate(self._pending)
        self._pending.clear()
        self._gathered = 0
        self._file.write(44 + 2 * self._written, audio.astype("<i2", copy=False).tobytes())
        self._written += len(audio)
        self._file.write(0, wav_header(self._written))
        self.peak = max(self.peak, int(audio.max()), -int(audio.min()))

    def finish(self, cut: int | None = None) -> None:
        """Write the rest, cut at sample `cut` of the stream's clock where given, and close."""
        try:
            self.flush()
            if cut is not None and cut - self.start < self._written:
                self._written = max(0, cut - self.start)
                self._file.write(0, wav_header(self._written))
                self._file.truncate(44 + 2 * self._written)
        finally:
            self._file.close()

    def _hear(self, samples: Samples) -> bool:
        audio = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(audio) // _FRAME * _FRAME
        self._rest = audio[whole:]
        if whole:
            levels = np.abs(audio[:whole].astype(np.int32)).reshape(-1, _FRAME).mean(axis=1)
            for level in levels:
                self.quiet = self.quiet + _FRAME if level < self.command.silence_threshold else 0
                if self._silence is not None and self.quiet >= self._silence:
                    return True
        return False
