"""The API's resources in memory: the store's contract written small."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from outdial.model.ids import ApplicationId, CallId, KeyId
from outdial.model.records import RepeatRow
from outdial.model.requests import RepeatKey
from outdial.model.resources import (
    ApplicationRow,
    CallHistory,
    CallSummary,
    KeyRow,
    NumberRow,
    OrderRow,
    Position,
    StoreRefused,
)


class _Placed(Protocol):
    @property
    def position(self) -> Position: ...


R = TypeVar("R", bound=_Placed)


class Switch:
    """A database that can be told to refuse."""

    def __init__(self) -> None:
        self.refusing = False
        self.commits = 0
        self.slow: asyncio.Event | None = None
        """Where one is set, commits wait for it."""

    async def commit(self) -> None:
        self.commits += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.refusing:
            raise StoreRefused("The database is locked")


class _Table(Generic[R]):
    def __init__(self, switch: Switch, repeats: Repeats) -> None:
        self.rows: dict[str, R] = {}
        self.switch = switch
        self._repeats = repeats

    def get(self, key: str, /) -> R | None:
        return self.rows.get(key)

    def list(self, after: Position | None = None, limit: int = 100) -> Sequence[R]:
        ordered = sorted(self.rows.values(), key=lambda row: row.position)
        return [row for row in ordered if after is None or row.position > after][:limit]

    def keep(self, rows: Iterable[tuple[str, R]], repeat: RepeatRow | None = None) -> None:
        self.rows.update(rows)
        if repeat is not None:
            self._repeats.rows[repeat.repeat] = (repeat.status, repeat.body)

    async def delete(self, key: str, /) -> bool:
        await self.switch.commit()
        return self.rows.pop(key, None) is not None


class Applications(_Table[ApplicationRow]):
    async def create(self, row: ApplicationRow, repeat: RepeatRow | None = None) -> None:
        await self.switch.commit()
        self.keep([(row.id, row)], repeat)

    async def update(self, row: ApplicationRow) -> None:
        await self.switch.commit()
        self.keep([(row.id, row)])


class Numbers(_Table[NumberRow]):
    async def put(self, row: NumberRow) -> None:
        await self.switch.commit()
        self.keep([(row.e164, row)])


class Orders(_Table[OrderRow]):
    def __init__(self, switch: Switch, repeats: Repeats, numbers: Numbers) -> None:
        super().__init__(switch, repeats)
        self._numbers = numbers

    async def create(self, row: OrderRow, numbers: Sequence[NumberRow], repeat: RepeatRow | None = None) -> None:
        await self.switch.commit()
        self.keep([(row.id, row)], repeat)
        self._numbers.keep((number.e164, number) for number in numbers)


class Keys:
    def __init__(self) -> None:
        self.rows: dict[KeyId, KeyRow] = {}

    def get(self, key: KeyId, /) -> KeyRow | None:
        return self.rows.get(key)

    def secret(self, key: KeyId, /) -> str | None:
        row = self.rows.get(key)
        return row.secret if row is not None and row.active else None

    def list(self) -> Sequence[KeyRow]:
        return sorted(self.rows.values(), key=lambda row: (row.created_at, row.id))

    async def create(self, row: KeyRow) -> None:
        self.rows[row.id] = row

    async def delete(self, key: KeyId, /) -> bool:
        return self.rows.pop(key, None) is not None


class Repeats:
    def __init__(self) -> None:
        self.rows: dict[RepeatKey, tuple[int, bytes]] = {}

    def get(self, repeat: RepeatKey, /) -> tuple[int, bytes] | None:
        return self.rows.get(repeat)


class Calls:
    def __init__(self) -> None:
        self.rows: dict[CallId, CallHistory] = {}

    async def list(self, before: Position | None = None, limit: int = 100) -> Sequence[CallSummary]:
        lines = [
            CallSummary(call=history.call, state="ended" if history.ended else "in_progress", cdr=history.cdr)
            for history in self.rows.values()
        ]
        lines.sort(key=lambda line: line.position, reverse=True)
        return [line for line in lines if before is None or line.position < before][:limit]

    async def get(self, call: CallId, /) -> CallHistory | None:
        return self.rows.get(call)


class MemoryResources:
    """Satisfies `outdial.api.resources.Resources`."""

    def __init__(self) -> None:
        self.switch = Switch()
        self.repeats = Repeats()
        self.applications = Applications(self.switch, self.repeats)
        self.numbers = Numbers(self.switch, self.repeats)
        self.orders = Orders(self.switch, self.repeats, self.numbers)
        self.keys = Keys()
        self.calls = Calls()

    def owned_countries(self) -> tuple[str, ...]:
        return tuple(sorted({row.country for row in self.numbers.rows.values() if row.deleted_at is None}))

    def application(self, application: str) -> ApplicationRow:
        """For tests: a row that must be there."""
        return self.applications.rows[ApplicationId(application)]
