"""Statements compiled once: how each record is written by the driver's cursor, without the expression layer in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement, delete, insert, update

from .mapping import Mapping

Make = Callable[[str], ClauseElement]
"""A statement for a dialect's name; its parameters are `p_NAME`."""
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""`ON CONFLICT` is the same text in both, but SQLAlchemy has it by dialect."""


class Cursor(Protocol):
    """What we use of a driver's cursor."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """How one type of record is written."""

    record: type[msgspec.Struct]
    names: tuple[str, ...]
    values: Callable[[Any], Sequence[Any]]
    """The parameters, in the order of `names`."""
    makes: tuple[Make, ...]


def _parameters(names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(f"p_{name}") for name in names}


R = TypeVar("R", bound=msgspec.Struct)


def inserts(mapping: Mapping[R]) -> Write:
    """A record that is written once: a second one with its key is an error."""
    return inserts_row(mapping.type, mapping.table, names=mapping.names, values=mapping.values)


def insert_statement(table: Table, names: Iterable[str]) -> ClauseElement:
    """An insert of these columns."""
    return insert(table).values(_parameters(names))


def inserts_row(record: type[msgspec.Struct], table: Table, *, names: tuple[str, ...], values: Callable[[Any], Sequence[Any]]) -> Write:
    """The same for a record whose fields are not the columns."""
    statement = insert_statement(table, names)
    return Write(record=record, names=names, values=values, makes=(lambda _: statement,))


def replaces(mapping: Mapping[R]) -> Write:
    """A record that may be written again: the later one replaces."""
    table = mapping.table
    keys = [column.name for column in table.primary_key]

    def make(dialect: str) -> ClauseElement:
        statement = _INSERT[dialect](table).values(_parameters(mapping.names))
        changed = {name: statement.excluded[name] for name in mapping.names if name not in keys}
        replacing: ClauseElement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        return replacing

    return Write(record=mapping.type, names=mapping.names, values=mapping.values, makes=(make,))


def updates(
    record: type[msgspec.Struct],
    table: Table,
    *,
    keys: tuple[str, ...],
    values: Callable[[Any], Sequence[Any]],
    changes: tuple[str, ...],
) -> Write:
    """A record that changes some columns of a row that is there; `values` gives the keys, then the changes."""
    statement = update(table).values(_parameters(changes))
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(f"p_{key}"))
    return Write(record=record, names=keys + changes, values=values, makes=(lambda _: statement,))


def changes(mapping: Mapping[R], *keys: str) -> Write:
    """A record all of whose fields but `keys` are changes to a row that is there."""
    others = tuple(name for name in mapping.names if name not in keys)
    pick = itemgetter(*(mapping.names.index(name) for name in keys + others))
    return updates(mapping.type, mapping.table, keys=keys, changes=others, values=lambda record: pick(mapping.values(record)))


def deletes(record: type[msgspec.Struct], table: Table, key: str) -> Write:
    """A record of one field that takes the row of that key away."""
    statement = delete(table).where(table.c[key] == bindparam(f"p_{key}"))
    return Write(record=record, names=(key,), values=msgspec.structs.astuple, makes=(lambda _: statement,))


Pick = Callable[[Sequence[Any]], Sequence[Any]]
Part = tuple[str, Pick | None]
"""A statement's text, and how its parameters are picked from the row (None: they are the row)."""
Compiled = tuple[Callable[[Any], Sequence[Any]], tuple[Part, ...]]


class Statements:
    """All writes, compiled for one dialect."""

    def __init__(self, dialect: Dialect, writes: Iterable[Write]) -> None:
        self._writes: dict[type, Compiled] = {}
        for write in writes:
            parts = tuple(_compile(make(dialect.name), write.names, dialect) for make in write.makes)
            self._writes[write.record] = (write.values, parts)

    def __contains__(self, record: type) -> bool:
        return record in self._writes

    def run(self, cursor: Cursor, record: msgspec.Struct) -> None:
        """Write one record. Raises what the driver raises, `KeyError` for a type that no table knows."""
        values, parts = self._writes[type(record)]
        row = values(record)
        for sql, pick in parts:
            cursor.execute(sql, row if pick is None else pick(row))


def _compile(statement: ClauseElement, names: tuple[str, ...], dialect: Dialect) -> Part:
    compiled = statement.compile(dialect=dialect)
    order = [names.index(name.removeprefix("p_")) for name in compiled.positiontup]  # type: ignore[attr-defined]
    if order == list(range(len(names))):
        return str(compiled), None
    if len(order) == 1:
        (only,) = order
        return str(compiled), lambda row: (row[only],)
    return str(compiled), itemgetter(*order)
