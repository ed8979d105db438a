"""What a speech engine is to its helper process."""

from __future__ import annotations

from typing import Protocol


class Engine(Protocol):
    """Turns text into sound, one request at a time; blocks while it does."""

    rate: int
    """Samples a second of what it makes."""

    def say(self, voice: str, text: str, *, ssml: bool, most_bytes: int) -> bytes:
        """16-bit mono samples. Raises `SpeechFailed` (`voice`, `too_long`, `engine`)."""
