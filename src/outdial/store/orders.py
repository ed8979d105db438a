"""Orders of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.records import RepeatRow
from ..model.resources import NumberRow, OrderRow
from . import schema
from .mapping import Mapping
from .numbers import Numbers
from .shelf import Commit, Shelf
from .statements import inserts

ORDER = Mapping(OrderRow, schema.orders)
WRITES = (inserts(ORDER),)


class Orders(Shelf[OrderRow]):
    """All orders; one brings its numbers into the inventory."""

    def __init__(self, rows: list[OrderRow], commit: Commit, numbers: Numbers) -> None:
        super().__init__(rows, commit, lambda row: row.id)
        self._numbers = numbers

    async def create(self, row: OrderRow, numbers: Sequence[NumberRow], repeat: RepeatRow | None = None) -> None:
        """The order, the numbers it acquired (added or replaced) and the repeat: one commit."""

        def keep() -> None:
            self._keep(row)
            self._numbers.acquired(numbers)

        await self._commit((row, *numbers, *(() if repeat is None else (repeat,))), keep)
