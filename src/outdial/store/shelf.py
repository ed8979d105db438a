"""Rows kept in memory and written through: the node is the only writer of its database, so that reading needs no query."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from ..model.resources import Position

Commit = Callable[[tuple[msgspec.Struct, ...], Callable[[], None]], Awaitable[None]]
"""Write these rows in one synced commit; then, on the caller's loop, call the second (also where nobody awaits any more). Raises
`StoreRefused`, and then nothing of them comes later."""


class Placed(Protocol):
    """A row that lists are ordered by."""

    @property
    def position(self) -> Position: ...


P = TypeVar("P", bound=Placed)


class Shelf(Generic[P]):
    """Rows of one kind: by id, and in the order (created_at, id)."""

    def __init__(self, rows: Sequence[P], commit: Commit, key: Callable[[P], str]) -> None:
        self._commit = commit
        self._key = key
        self._rows = {key(row): row for row in rows}
        self._order = sorted(row.position for row in rows)

    def get(self, key: str, /) -> P | None:
        """The row of that id, or None."""
        return self._rows.get(key)

    def list(self, after: Position | None = None, limit: int = 100) -> Sequence[P]:
        """Those after `after`, by (created_at, id), at most `limit`."""
        start = 0 if after is None else bisect_right(self._order, after)
        return [self._rows[key] for _, key in self._order[start : start + limit]]

    def __len__(self) -> int:
        return len(self._rows)

    async def _put(self, row: P, *others: msgspec.Struct | None) -> None:
        rows: tuple[Any, ...] = (row, *(other for other in others if other is not None))
        await self._commit(rows, lambda: self._keep(row))

    def _keep(self, row: P) -> None:
        key = self._key(row)
        self._drop(key)
        self._rows[key] = row
        insort(self._order, row.position)

    async def _take(self, key: str, gone: msgspec.Struct) -> bool:
        if key not in self._rows:
            return False
        await self._commit((gone,), lambda: self._drop(key))
        return True

    def _drop(self, key: str) -> None:
        old = self._rows.pop(key, None)
        if old is not None:
            self._order.remove(old.position)
