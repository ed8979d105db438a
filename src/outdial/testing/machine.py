"""What stands in the place of a part of the machine that died."""

from __future__ import annotations

from typing import Any

from ..core import Deadline


class Dead:
    """A core in the place of one that died: nothing is answered."""

    def receive(self, item: Any, now: float) -> None:
        """Nobody hears it."""

    def handle_timer(self, now: float) -> None:
        """Nothing is due."""

    def next_output(self) -> Any | None:
        return None

    def next_deadline(self) -> Deadline | None:
        return None
