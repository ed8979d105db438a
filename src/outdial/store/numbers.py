"""The inventory of telephone numbers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..model.resources import NumberRow
from . import schema
from .mapping import Mapping
from .shelf import Commit, Shelf
from .statements import deletes, replaces


class NumberGone(msgspec.Struct, frozen=True, kw_only=True):
    e164: str


NUMBER = Mapping(NumberRow, schema.numbers)
WRITES = (replaces(NUMBER, appends=False), deletes(NumberGone, schema.numbers, "e164"))


class Numbers(Shelf[NumberRow]):
    """All numbers, those in the deletion queue too (`deleted_at` says so)."""

    def __init__(self, rows: list[NumberRow], commit: Commit) -> None:
        super().__init__(rows, commit, lambda row: row.e164)
        self._countries: tuple[str, ...] | None = None

    async def put(self, row: NumberRow) -> None:
        """Add the number, or replace its row."""
        await self._put(row)

    async def delete(self, e164: str, /) -> bool:
        """Forget the row at once; False where there was none."""
        return await self._take(e164, NumberGone(e164=e164))

    def owned_countries(self) -> tuple[str, ...]:
        """Countries of the numbers owned (not those in the deletion queue), sorted, each once."""
        if self._countries is None:
            self._countries = tuple(sorted({row.country for row in self._rows.values() if row.deleted_at is None}))
        return self._countries

    def acquired(self, rows: Sequence[NumberRow]) -> None:
        """An order that has been committed brought these."""
        for row in rows:
            self._keep(row)

    def _keep(self, row: NumberRow) -> None:
        super()._keep(row)
        self._countries = None

    def _drop(self, key: str) -> None:
        super()._drop(key)
        self._countries = None
