"""How an object of this room obeys its table: look up the row, take the state, do the steps in order."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from ..core import Fault, Ignore, Table


class Machine:
    """Something with a state and a total table. Steps are functions of (self, item, now)."""

    table: ClassVar[Table]
    state: Enum

    def step(self, given: Enum, item: Any, now: float) -> None:
        """Take one input. What the table calls a fault changes nothing and is told to `faulty`."""
        row = self.table[self.state][given]
        if isinstance(row, Ignore):
            return
        if isinstance(row, Fault):
            self.faulty(given, row.reason, now)
            return
        self.state, steps = row
        for do in steps:
            do(self, item, now)

    def faulty(self, given: Enum, reason: str, now: float) -> None:
        """An input came that this state excludes: our bug or a neighbour's; say so and go on."""
        raise NotImplementedError
