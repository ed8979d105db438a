"""Outcomes of creates, kept for 15 minutes at least (DESIGN 8), and pruned when a later one is written."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from ..model.records import RepeatRow
from ..model.requests import RepeatKey
from . import schema
from .statements import Write, insert_statement

KEPT_MS = 15 * 60 * 1000
NAMES = ("key", "operation", "path", "body_hash", "invocation", "status", "body", "made_at", "before")


def _values(row: RepeatRow) -> tuple[Any, ...]:
    repeat = row.repeat
    # An hour more than promised: then the clock may be set back a little, and pruning stays rare work.
    before = row.made_at - 4 * KEPT_MS
    return repeat.key, repeat.operation, repeat.path, repeat.body_hash, repeat.invocation, row.status, row.body, row.made_at, before


WRITES = (
    Write(
        record=RepeatRow,
        names=NAMES,
        values=_values,
        make=lambda _: insert_statement(schema.repeats, NAMES[:-1]),
        after=(lambda _: delete(schema.repeats).where(schema.repeats.c.made_at < bindparam("p_before")),),
    ),
)


def load(connection: Connection) -> list[RepeatRow]:
    """All that are on record, oldest first."""
    table = schema.repeats
    rows = connection.execute(select(*(table.c[name] for name in NAMES[:-1])).order_by(table.c.made_at))
    return [
        RepeatRow(
            repeat=RepeatKey(key=row.key, operation=row.operation, path=row.path, body_hash=row.body_hash, invocation=row.invocation),
            status=row.status,
            body=row.body,
            made_at=row.made_at,
        )
        for row in rows
    ]


class Repeats:
    """Outcomes by what makes two requests one; fed by every unit that is committed."""

    def __init__(self, rows: list[RepeatRow]) -> None:
        self._rows: OrderedDict[RepeatKey, RepeatRow] = OrderedDict()
        for row in rows:
            self.keep(row)

    def get(self, repeat: RepeatKey, /) -> tuple[int, bytes] | None:
        """(status, body) of the outcome that is stored for it."""
        row = self._rows.get(repeat)
        return None if row is None else (row.status, row.body)

    def keep(self, row: RepeatRow) -> None:
        """A row that has been committed; what is over age goes."""
        self._rows[row.repeat] = row
        oldest = next(iter(self._rows.values()))
        while oldest.made_at < row.made_at - KEPT_MS:
            del self._rows[oldest.repeat]
            oldest = next(iter(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)
