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


def tones(path: Path, *known: float) -> list[tuple[float, float, float]]:
    """What sounds one after another in a prepared file, by frames of 20 ms: (Hz of one of `known`, or 0 for silence; start and length in
    seconds)."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    clock = np.arange(160) / 8000
    power = np.array([np.abs(frames @ np.exp(-2j * np.pi * hz * clock)) / 80 for hz in known])
    loudest = np.where(power.max(axis=0) > 0.05, np.array(known)[power.argmax(axis=0)], 0.0)
    found: list[tuple[float, float, float]] = []
    for index, hz in enumerate(loudest):
        if found and found[-1][0] == hz:
            found[-1] = (hz, found[-1][1], found[-1][2] + 0.02)
        else:
            found.append((float(hz), index * 0.02, 0.02))
    return [(hz, round(start, 2), round(length, 2)) for hz, start, length in found if length > 0.03]
