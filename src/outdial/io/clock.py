"""The only module that reads a clock."""

from __future__ import annotations

import time


def now() -> float:
    """Monotonic seconds."""
    return time.monotonic()


class Wall:
    """Turns monotonic seconds into wall-clock epoch milliseconds, for records and the API only."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self, at: float) -> int:
        return round((at + self._offset) * 1000)
