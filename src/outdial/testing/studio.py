"""Prompts, patterns and deliveries in virtual time: done at once, from plain folders."""

from __future__ import annotations

import hashlib
import shutil
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..io.patterns import PatternRefused, search
from ..io.wav import repair
from ..model import work

RATE = 8000


def tone(path: Path, hertz: float, seconds: float, level: float = 0.25) -> Path:
    """Write a tone: 8 kHz, 16-bit, mono."""
    data = _sine(hertz, seconds, level)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(data)
    return path


@lru_cache(maxsize=256)
def _sine(hertz: float, seconds: float, level: float) -> bytes:
    clock = np.arange(round(RATE * seconds))
    return bytes(np.round(32767 * level * np.sin(2 * np.pi * hertz * clock / RATE)).astype("<i2").tobytes())


def pitch_of(text: str) -> float:
    """The pitch of the tone that stands for these words."""
    return 300 + int(hashlib.sha256(text.encode()).hexdigest()[:4], 16) % 1000


class Studio:
    """Answers `model.work` requests at once. Objects are files under FOLDER/buckets, as in a node's data folder,
    8 kHz mono already; speech is a tone whose pitch stands for the words and whose length grows with them (50 ms a character)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fail_deliveries = False
        self.spoken: list[str] = []

    def object(self, bucket: str, key: str) -> Path:
        """Where an object lies."""
        return self._folder / "buckets" / bucket / key

    def do(self, item: work.Work) -> work.WorkResult:
        match item:
            case work.Prompt(source=work.ObjectSource(bucket=bucket, key=key)):
                path = self.object(bucket, key)
                if not path.is_file():
                    return work.WorkFailed(token=item.token, reason="not_found", detail=f"{bucket}/{key} does not exist")
                return self._ready(item, path)
            case work.Prompt(source=work.SpeechSource(text=text)):
                self.spoken.append(text)
                name = hashlib.sha256(text.encode()).hexdigest()
                path = self._folder / "speech" / f"{name}.wav"
                if not path.is_file():
                    tone(path, pitch_of(text), max(0.2, 0.05 * len(text)))
                return self._ready(item, path)
            case work.Match():
                try:
                    return work.Matched(token=item.token, yes=search(item.pattern, item.texts))
                except PatternRefused as refused:
                    return work.WorkFailed(token=item.token, reason=refused.reason, detail=refused.detail)
            case work.Deliver():
                if self.fail_deliveries:
                    return work.WorkFailed(token=item.token, reason="unreachable", detail="the bucket cannot be reached")
                target = self.object(item.bucket, item.key)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(item.path, target)
                return work.Delivered(token=item.token)
            case work.Repair():
                try:
                    return work.Repaired(token=item.token, samples=repair(Path(item.path)))
                except FileNotFoundError:
                    return work.WorkFailed(token=item.token, reason="not_found", detail=f"{item.path} is not there")
            case _:
                raise TypeError(f"no studio does {type(item).__name__}")

    def _ready(self, item: work.Prompt, path: Path) -> work.PromptReady:
        with wave.open(str(path), "rb") as file:
            return work.PromptReady(token=item.token, path=str(path), samples=file.getnframes())
