"""Is it the same sound? Two recordings of one signal, laid on each other and compared sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np

RATE = 8000
FRAME = 160


def sweep(seconds: float, low: float = 300.0, high: float = 3000.0, level: float = 0.4) -> Any:
    """A tone that rises evenly: no two places of it are alike, so that a shift of one sample shows."""
    clock = np.arange(round(seconds * RATE)) / RATE
    return level * np.sin(2 * np.pi * (low * clock + (high - low) * clock**2 / (2 * seconds)))


def place_in(heard: Any, piece: Any) -> int:
    """Where a piece fits best: the first sample of it in `heard`."""
    size = 1 << (len(heard) + len(piece)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    return int(np.argmax(likeness[: max(1, len(heard) - len(piece) + 1)]))


def differing(one: Any, other: Any, level: float = 0.4) -> list[int]:
    """The frames of 20 ms in which two stretches of equal length are not the same; G.711's coarseness is none (RFC 3551 §4.5.14: 38 dB)."""
    size = min(len(one), len(other)) // FRAME * FRAME
    error = (np.asarray(one[:size]) - np.asarray(other[:size])).reshape(-1, FRAME)
    return [int(n) for n in np.flatnonzero(np.abs(error).max(axis=1) > 0.05 * level)]


def followed(heard: Any, piece: Any) -> tuple[int, list[int]]:
    """Go along a piece, frame by frame, from the beginning of what was heard: where it ends there, and the frames that are not there.
    A frame that differs counts as one that is not there, and what comes after it has to follow at once."""
    at, missing = 0, []
    for frame in range(len(piece) // FRAME):
        wanted = piece[frame * FRAME : (frame + 1) * FRAME]
        if len(heard) - at < FRAME or differing(heard[at : at + FRAME], wanted):
            missing.append(frame)
        else:
            at += FRAME
    return at, missing


def longest_run(frames: list[int]) -> int:
    """How many of these follow one another at most."""
    best = run = 0
    before: int | None = None
    for frame in frames:
        run = run + 1 if before is not None and frame == before + 1 else 1
        best, before = max(best, run), frame
    return best
