"""When something that died may be started again: the same rule for handler workers and for the node's other children."""

from __future__ import annotations


class Backoff:
    """Counts deaths within a sliding window; the n-th delays the next start by the n-th of `delays` (beyond their end: by the last)."""

    def __init__(self, delays: tuple[float, ...], window_s: float) -> None:
        self._delays = delays
        self._window = window_s
        self._deaths: list[float] = []

    def died(self, now: float) -> float:
        """Note a death and return the moment at which the next start is allowed (monotonic seconds)."""
        self._deaths = [at for at in self._deaths if now - at < self._window][-len(self._delays) :]
        self._deaths.append(now)
        return now + self._delays[min(len(self._deaths), len(self._delays)) - 1]

    def worked(self) -> None:
        """Forget the deaths: it has shown that it works."""
        self._deaths.clear()

    @property
    def deaths(self) -> int:
        """Deaths that are remembered, at most as many as there are delays."""
        return len(self._deaths)
