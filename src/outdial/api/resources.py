"""What the API asks of the store. `store` implements these on SQLite; `tests/helpers/resources.py` in memory.

Reads are plain functions that answer from memory, on the event loop's thread, in microseconds. Writes are coroutines that return once
the row is committed (and from then on reads see it); they raise `StoreRefused` of `model` where the database does not take it.
Where a `repeat` is given, it is written in the same commit as what it made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..model.ids import ApplicationId, CallId, KeyId
from ..model.records import RepeatRow
from ..model.requests import RepeatKey
from ..model.resources import ApplicationRow, CallHistory, CallSummary, KeyRow, NumberRow, OrderRow, Position


class Applications(Protocol):
    def get(self, application: ApplicationId, /) -> ApplicationRow | None: ...

    def list(self, after: Position | None = None, limit: int = 100) -> Sequence[ApplicationRow]:
        """Those after `after`, by (created_at, id), at most `limit`."""

    async def create(self, row: ApplicationRow, repeat: RepeatRow | None = None) -> None: ...

    async def update(self, row: ApplicationRow) -> None:
        """Replace the row of that id."""

    async def delete(self, application: ApplicationId, /) -> bool:
        """False where there was none."""


class Numbers(Protocol):
    def get(self, e164: str, /) -> NumberRow | None:
        """By its number with the plus sign; those in the deletion queue too (`deleted_at` says so)."""

    def list(self, after: Position | None = None, limit: int = 100) -> Sequence[NumberRow]:
        """Those after `after`, by (created_at, e164), at most `limit`; those in the deletion queue too."""

    async def put(self, row: NumberRow) -> None:
        """Add the number, or replace its row."""

    async def delete(self, e164: str, /) -> bool:
        """Forget the row at once; False where there was none."""


class Orders(Protocol):
    def get(self, order: str, /) -> OrderRow | None: ...
    def list(self, after: Position | None = None, limit: int = 100) -> Sequence[OrderRow]: ...

    async def create(self, row: OrderRow, numbers: Sequence[NumberRow], repeat: RepeatRow | None = None) -> None:
        """The order, the numbers it acquired (added or replaced) and the repeat: one commit."""


class Keys(Protocol):
    def get(self, key: KeyId, /) -> KeyRow | None: ...
    def secret(self, key: KeyId, /) -> str | None:
        """The secret of an active key."""

    def list(self) -> Sequence[KeyRow]: ...
    async def create(self, row: KeyRow) -> None: ...
    async def delete(self, key: KeyId, /) -> bool: ...


class Repeats(Protocol):
    def get(self, repeat: RepeatKey, /) -> tuple[int, bytes] | None:
        """(status, body) of the outcome that is stored for it, kept 15 minutes at least, across restarts too."""


class Calls(Protocol):
    """Calls read back, off the loop: newest first."""

    async def list(self, before: Position | None = None, limit: int = 100) -> Sequence[CallSummary]:
        """Those started before `before`, by (started_at, call) falling, at most `limit`."""

    async def get(self, call: CallId, /) -> CallHistory | None: ...


class Resources(Protocol):
    @property
    def applications(self) -> Applications: ...
    @property
    def numbers(self) -> Numbers: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def repeats(self) -> Repeats: ...
    @property
    def calls(self) -> Calls: ...

    def owned_countries(self) -> tuple[str, ...]:
        """Countries of the numbers owned (not those in the deletion queue), sorted, each once."""
