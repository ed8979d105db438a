"""Statements compiled once: how each record is written by the driver's cursor, without the expression layer in between.

Each call of a driver gives up the interpreter's lock and has to win it back from the node's loop, so that their number counts for more
than their work: rows of one type go in many at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final, Protocol, TypeVar, cast

import msgspec
from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement, delete, insert

from .mapping import Mapping, kept

Make = Callable[[str], ClauseElement]
"""A statement for a dialect's name; its parameters are `p_NAME`."""
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""`ON CONFLICT` is the same text in both, but SQLAlchemy has it by dialect."""
TOGETHER: Final = (64, 16, 4, 1)
"""So many rows go into one statement: few sizes, so that the driver keeps all of them prepared."""


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
    make: Make
    """For each record; where `appends`, an insert."""
    after: tuple[Make, ...] = ()
    """For the last record of several."""
    appends: bool = True
    """Order among other types does not matter: rows may be gathered and go in together."""


def _parameters(names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(f"p_{name}") for name in names}


R = TypeVar("R", bound=msgspec.Struct)


def insert_statement(table: Table, names: Iterable[str]) -> ClauseElement:
    """An insert of these columns."""
    return insert(table).values(_parameters(names))


def inserts(mapping: Mapping[R]) -> Write:
    """A record that is written once: a second one with its key is an error."""
    return inserts_row(mapping.type, mapping.table, names=mapping.names, values=mapping.values)


def inserts_row(record: type[msgspec.Struct], table: Table, *, names: tuple[str, ...], values: Callable[[Any], Sequence[Any]]) -> Write:
    """The same for a record whose fields are not the columns."""
    statement = insert_statement(table, names)
    return Write(record=record, names=names, values=values, make=lambda _: statement)


def replaces(mapping: Mapping[R], *, appends: bool = True) -> Write:
    """A record that may be written again: the later one replaces."""
    table = mapping.table
    keys = [column.name for column in table.primary_key]

    def make(dialect: str) -> ClauseElement:
        statement = _INSERT[dialect](table).values(_parameters(mapping.names))
        changed = {name: statement.excluded[name] for name in mapping.names if name not in keys}
        replacing: ClauseElement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        return replacing

    return Write(record=mapping.type, names=mapping.names, values=mapping.values, make=make, appends=appends)


def deletes(record: type[msgspec.Struct], table: Table, key: str) -> Write:
    """A record of one field that takes the row of that key away."""
    statement = delete(table).where(table.c[key] == bindparam(f"p_{key}"))
    return Write(record=record, names=(key,), values=msgspec.structs.astuple, make=lambda _: statement, appends=False)


Pick = Callable[[Sequence[Any]], Sequence[Any]]


class _Compiled:
    """One write, for one dialect."""

    def __init__(self, write: Write, dialect: Dialect) -> None:
        self.values = write.values
        self.appends = write.appends
        self._sql, self._pick = _compile(write.make(dialect.name), write.names, dialect)
        self._after = [_compile(make(dialect.name), write.names, dialect) for make in write.after]
        self._many = lru_cache(maxsize=None)(self._repeated)

    def run(self, cursor: Cursor, rows: Sequence[Sequence[Any]]) -> None:
        """Write these rows, in order."""
        pick, start = self._pick, 0
        picked = rows if pick is None else [pick(row) for row in rows]
        for size in TOGETHER:
            while len(picked) - start >= size:
                chunk = picked[start : start + size]
                cursor.execute(self._many(size), chunk[0] if size == 1 else tuple(chain.from_iterable(chunk)))
                start += size
        for sql, choose in self._after:
            cursor.execute(sql, rows[-1] if choose is None else choose(rows[-1]))

    def _repeated(self, size: int) -> str:
        """The insert, for `size` rows."""
        if size == 1:
            return self._sql
        head, values, tail = self._sql.partition(" VALUES (")
        one, close, rest = tail.partition(")")
        return head + values + "), (".join([one] * size) + close + rest


class _Keeping:
    """A cursor that binds texts which are no UTF-8 as bytes."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        try:
            return self._cursor.execute(sql, parameters)
        except UnicodeEncodeError:
            return self._cursor.execute(sql, [kept(cell) if not _utf8(cell) else cell for cell in parameters])


def _utf8(cell: Any) -> bool:
    return not isinstance(cell, str) or not any("\ud800" <= letter <= "\udfff" for letter in cell)


class Statements:
    """All writes, compiled for one dialect."""

    def __init__(self, dialect: Dialect, writes: Iterable[Write]) -> None:
        self._writes = {write.record: _Compiled(write, dialect) for write in writes}

    def __contains__(self, record: type) -> bool:
        return record in self._writes

    def run_kept(self, cursor: Cursor, records: Iterable[msgspec.Struct]) -> None:
        """The same for records with texts that are no UTF-8: those go in as bytes."""
        self.run(cast(Cursor, _Keeping(cursor)), records)

    def run(self, cursor: Cursor, records: Iterable[msgspec.Struct]) -> None:
        """Write records as if one after the other. Raises what the driver raises, `KeyError` for a type that no table knows."""
        writes = self._writes
        gathered: dict[_Compiled, list[Sequence[Any]]] = {}
        for record in records:
            write = writes[type(record)]
            if write.appends:
                rows = gathered.get(write)
                if rows is None:
                    rows = gathered[write] = []
                rows.append(write.values(record))
            else:
                _flush(cursor, gathered)
                write.run(cursor, (write.values(record),))
        _flush(cursor, gathered)


def _flush(cursor: Cursor, gathered: dict[_Compiled, list[Sequence[Any]]]) -> None:
    for write, rows in gathered.items():
        write.run(cursor, rows)
    gathered.clear()


def _compile(statement: ClauseElement, names: tuple[str, ...], dialect: Dialect) -> tuple[str, Pick | None]:
    """A statement's text on one line, and how its parameters are picked from the row (None: they are the row)."""
    compiled = statement.compile(dialect=dialect)
    order = [names.index(name.removeprefix("p_")) for name in compiled.positiontup]  # type: ignore[attr-defined]
    sql = " ".join(str(compiled).split())
    if order == list(range(len(names))):
        return sql, None
    if len(order) == 1:
        (only,) = order
        return sql, lambda row: (row[only],)
    return sql, itemgetter(*order)
