"""Reading back: the list of calls, one call whole; as the values that were saved. Works on a stopped node's folder too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, create_engine, event, or_, select
from sqlalchemy.pool import QueuePool

from ..model.ids import CallId
from ..model.records import LegRow
from ..model.resources import CallHistory, CallSummary, Position
from . import database, schema
from .calls import CALL, CALL_END, DIALOG, LEG_END
from .cdrs import CDR
from .events import DONE, EVENT, INVOCATION, NOTE, OUTPUT
from .mapping import Mapping, from_json
from .recordings import RECORDING
from .sip_messages import MESSAGE

Reading = Callable[[], AbstractContextManager[Connection]]
"""Gives a connection for reading, for one `with`."""

T = TypeVar("T")


def engine(path: str | Path) -> Engine:
    """Read-only connections of the readers' own. What one `with` reads is of one moment: a call is never seen half ended."""
    made = create_engine("sqlite://", creator=lambda: database.connect_reader(path), poolclass=QueuePool, pool_size=2, max_overflow=2)
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return made


def reading(path: str | Path) -> Reading:
    """Readings of one database file; each may be used from any thread."""
    return engine(path).connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which calls `listed` is asked for; what is None does not matter."""

    reason: str | None = None
    number: str | None = None
    """Called, or called from."""
    application: str | None = None
    in_progress: bool | None = None
    since: int | None = None
    """Epoch milliseconds of the start."""
    until: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row of `calls` must satisfy."""
        row, end = schema.calls.c, schema.call_ends.c
        asked = {
            "reason": end.reason == self.reason,
            "number": or_(row.to == self.number, row.from_ == self.number),
            "application": row.application == self.application,
            "in_progress": end.call.is_(None) if self.in_progress else end.call.is_not(None),
            "since": row.started_at >= (self.since or 0),
            "until": row.started_at < (self.until or 0),
        }
        return [condition for name, condition in asked.items() if getattr(self, name) is not None]


EVERY = Filter()


def listed(connection: Connection, before: Position | None = None, limit: int = 100, which: Filter = EVERY) -> list[CallSummary]:
    """Calls started before `before`, by (started_at, call) falling, at most `limit`."""
    table = schema.calls
    width = len(CALL.names)
    ends, cdrs = schema.call_ends, schema.cdrs
    query = (
        select(*CALL.columns, ends.c.ended_at, *CDR.columns)
        .outerjoin_from(table, ends, ends.c.call == table.c.call)
        .outerjoin(cdrs, cdrs.c.call == table.c.call)
    )
    if before is not None:
        at, call = before
        query = query.where(or_(table.c.started_at < at, and_(table.c.started_at == at, table.c.call < call)))
    query = query.where(*which.conditions()).order_by(table.c.started_at.desc(), table.c.call.desc()).limit(limit)
    summaries = []
    for row in connection.execute(query):
        cells = tuple(row)
        cdr = None if cells[width + 1] is None else CDR.record(cells[width + 1 :])
        summaries.append(CallSummary(call=CALL.record(cells[:width]), state="in_progress" if cells[width] is None else "ended", cdr=cdr))
    return summaries


def history(connection: Connection, call: CallId) -> CallHistory | None:
    """All that is on record about one call; None where there is none."""
    row = connection.execute(select(*CALL.columns).where(schema.calls.c.call == call)).first()
    if row is None:
        return None

    def of_call(mapping: Mapping[Any], *order: str) -> tuple[Any, ...]:
        columns = mapping.table.c
        query: Select[Any] = select(*mapping.columns).where(columns.call == call).order_by(*(columns[name] for name in order))
        return tuple(mapping.record(found) for found in connection.execute(query))

    def of_legs(mapping: Mapping[Any], order: str) -> tuple[Any, ...]:
        own = select(schema.legs.c.leg).where(schema.legs.c.call == call)
        query = select(*mapping.columns).where(mapping.table.c.leg.in_(own)).order_by(mapping.table.c[order])
        return tuple(mapping.record(found) for found in connection.execute(query))

    ends, cdrs = of_call(CALL_END), of_call(CDR)
    return CallHistory(
        call=CALL.record(row),
        ended=ends[0] if ends else None,
        legs=leg_rows(connection, call),
        dialogs=of_legs(DIALOG, "answered_at"),
        legs_ended=of_legs(LEG_END, "ended_at"),
        events=of_call(EVENT, "number"),
        invocations=of_call(INVOCATION, "sequence"),
        outcomes=of_call(DONE, "sequence"),
        recordings=of_call(RECORDING, "started_at", "recording"),
        sip=of_call(MESSAGE, "id"),
        output=of_call(OUTPUT, "id"),
        notes=of_call(NOTE, "id"),
        cdr=cdrs[0] if cdrs else None,
    )


def leg_rows(connection: Connection, call: CallId) -> tuple[LegRow, ...]:
    """The legs of a call, LEG-A first."""
    table = schema.legs
    rows = connection.execute(select(table.c.participant, table.c.trunk).where(table.c.call == call))
    legs = [LegRow(call=call, participant=from_json(LegRow, "participant", row.participant), trunk=row.trunk) for row in rows]
    return tuple(sorted(legs, key=lambda leg: (leg.participant.tag, leg.participant.started_at)))


def find(connection: Connection, beginning: str) -> list[CallId]:
    """Ids of calls that begin so (at most 10): a person types the first few letters."""
    column = schema.calls.c.call
    query = select(column).where(column >= beginning, column < beginning + "\U0010ffff").order_by(column).limit(10)
    return [CallId(row.call) for row in connection.execute(query)]


class Calls:
    """What `api.resources.Calls` asks for: reads on a thread of their own."""

    def __init__(self, read: Reading) -> None:
        self._read = read

    async def list(self, before: Position | None = None, limit: int = 100, which: Filter = EVERY) -> Sequence[CallSummary]:
        """Calls started before `before`, newest first."""
        return await self._run(lambda connection: listed(connection, before, limit, which))

    async def get(self, call: CallId, /) -> CallHistory | None:
        """One call whole."""
        return await self._run(lambda connection: history(connection, call))

    async def _run(self, question: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._ask, question)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        with self._read() as connection:
            return question(connection)


class CallsAtOnce(Calls):
    """The same on the caller's thread: for a database in memory."""

    async def _run(self, question: Callable[[Connection], T]) -> T:
        return self._ask(question)
