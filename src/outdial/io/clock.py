"""The only module that reads a clock."""

from __future__ import annotations

import time


def now() -> float:
    """Monotonic seconds."""
    return time.monotonic()


class Wall:
    """Turns monotonic seconds into wall-clock epoch milliseconds, for records and the API only.

    The two clocks are compared at each use: the monotonic one stands still while a laptop sleeps.
    """

    def __call__(self, at: float) -> int:
        return round((time.time() - time.monotonic() + at) * 1000)
