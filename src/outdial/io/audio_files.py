"""Prepares a prompt once: any PCM WAV becomes 8 kHz, 16-bit, mono (reference 10.1). Runs in a thread, in pieces, within a time limit."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

from . import clock, wav
from .objects import MOST_BYTES

TOO_LONG_S: Final = 7200
RATES: Final = (4000, 192_000)
TIME_LIMIT_S: Final = 10.0
_BLOCK_S: Final = 5
_PCM: Final = {"PCM_U8", "PCM_16", "PCM_24", "PCM_32"}


class AudioRefused(Exception):
    """A file cannot be a prompt: `reason` is `format`, `too_large`, `too_long` or `engine`, `detail` a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def prepare(source: Path, to: Path, name: str, time_limit_s: float = TIME_LIMIT_S) -> int:
    """Write `to` from `source` (called `name` in messages); the number of samples. Blocks: call it in a thread.
    `to` is there whole or not at all. Raises `AudioRefused`."""
    size = source.stat().st_size
    if size > MOST_BYTES:
        raise AudioRefused("too_large", f"{name} has {size:,} bytes, the most is {MOST_BYTES:,} (50 MB, as Amazon's service)")
    with source.open("rb") as file:
        start = file.read(12)
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        raise AudioRefused("format", f"{name} is not a WAV file ({_kind(start)}); convert it to PCM WAV, 8 kHz, 16-bit, mono")
    to.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=to.parent, prefix=f"{to.stem}.part-")
    try:
        with os.fdopen(handle, "wb") as out:
            samples = _convert(source, out, name, clock.now() + time_limit_s)
        os.chmod(part, 0o644)
        os.replace(part, to)
    except BaseException:
        os.unlink(part)
        raise
    return samples


def _kind(start: bytes) -> str:
    if start[:3] == b"ID3" or (len(start) > 1 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0):
        return "it looks like MP3"
    for magic, kind in ((b"OggS", "Ogg"), (b"fLaC", "FLAC"), (b"RF64", "RF64"), (b".snd", "AU"), (b"RIFF", "another RIFF format")):
        if start.startswith(magic):
            return f"it looks like {kind}"
    return "it is empty" if not start else f"it begins with {start[:4]!r}"


def _convert(source: Path, out: Any, name: str, until: float) -> int:
    import numpy as np
    import soundfile

    try:
        sound = soundfile.SoundFile(str(source))
    except soundfile.LibsndfileError as error:
        raise AudioRefused("format", f"{name} is not a WAV file that can be read ({error.error_string})") from None
    with sound:
        if sound.format not in {"WAV", "WAVEX"} or sound.subtype not in _PCM:
            what = soundfile.available_subtypes().get(sound.subtype, sound.subtype)
            raise AudioRefused("format", f"{name} holds {what}; only uncompressed PCM of 8, 16, 24 or 32 bits can be played")
        if sound.channels not in (1, 2):
            raise AudioRefused("format", f"{name} has {sound.channels} channels; one or two can be played")
        if not RATES[0] <= sound.samplerate <= RATES[1]:
            raise AudioRefused("format", f"{name} has {sound.samplerate} samples a second; {RATES[0]} to {RATES[1]} can be played")
        seconds = sound.frames / sound.samplerate
        if seconds >= TOO_LONG_S:
            raise AudioRefused("too_long", f"{name} lasts {seconds / 60:.0f} minutes; the most is just under {TOO_LONG_S // 60}")
        if sound.frames == 0:
            raise AudioRefused("format", f"{name} holds no sound")
        exact = sound.samplerate == wav.RATE and sound.subtype == "PCM_16" and sound.channels == 1
        resample = None
        if not exact and sound.samplerate != wav.RATE:
            import soxr

            resample = soxr.ResampleStream(sound.samplerate, wav.RATE, 1, dtype="float32", quality="HQ")
        out.write(wav.header(0))
        samples = 0
        left = sound.frames
        while left > 0:
            if clock.now() > until:
                raise AudioRefused("too_long", f"{name} took too long to prepare")
            if exact:
                piece = sound.read(wav.RATE * _BLOCK_S, dtype="int16")
                left = left - len(piece) if len(piece) else 0
            else:
                block = sound.read(sound.samplerate * _BLOCK_S, dtype="float32", always_2d=True)
                left = left - len(block) if len(block) else 0
                mono = block.mean(axis=1, dtype="float32") if block.shape[1] > 1 else block[:, 0]
                if resample is not None:
                    mono = resample.resample_chunk(mono, last=left <= 0)
                piece = np.clip(np.rint(mono * 32768.0), -32768, 32767).astype("<i2")
            out.write(piece.astype("<i2", copy=False).tobytes())
            samples += len(piece)
        out.seek(0)
        out.write(wav.header(samples))
    return samples
