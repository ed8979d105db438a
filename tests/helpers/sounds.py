"""Sounds made for tests, and what is heard in a file."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def tone(hz: float, seconds: float, rate: int, level: float = 0.5) -> Any:
    """A sine as float samples."""
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def write(path: Path, samples: Any, rate: int, subtype: str = "PCM_16", format: str = "WAV") -> Path:
    """A file with these samples (one column a channel)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), samples, rate, subtype=subtype, format=format)
    return path


def heard(path: Path) -> tuple[float, float, float]:
    """The strongest frequency in Hz, the level (peak of the sine that has this power), and the length in seconds of a prepared file."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hz = float(np.argmax(spectrum) * 8000 / len(samples))
    middle = samples[len(samples) // 10 : -len(samples) // 10]
    return hz, float(np.sqrt(2 * np.mean(middle**2))), len(samples) / 8000
