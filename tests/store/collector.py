"""Waits for what the writer hands over, without sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

PATIENCE_S = 30.0


class Collector:
    """A `deliver` that a test can wait on."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, results: Sequence[Any]) -> None:
        with self._changed:
            self.results += results
            self._changed.notify_all()

    def until(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until the results satisfy `condition`; a test that waits in vain fails."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.results), PATIENCE_S), self.results
            return list(self.results)
