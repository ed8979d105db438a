"""What a restart needs (DESIGN 3.4, 3.5): calls without CDR, recordings not delivered, how far the node's counter went."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from ..model.ids import CallId, LegId
from ..model.records import EventRow, InvocationRow, RecordingRow, Unfinished, UnfinishedLeg
from . import schema
from .calls import CALL, DIALOG, INVITE, LEG_END
from .events import EVENT, INVOCATION
from .mapping import Mapping
from .node import SEQUENCE_BASE
from .read import leg_rows
from .recordings import RECORDING

_PROGRESS: dict[str, Mapping[Any]] = {"invite": INVITE, "dialog": DIALOG, "ended": LEG_END}


def unfinished(connection: Connection) -> list[Unfinished]:
    """Every call that has no CDR, oldest first."""
    table = schema.calls
    kept = schema.attributes
    query = (
        select(*CALL.columns, kept.c.attributes)
        .outerjoin_from(table, schema.cdrs, schema.cdrs.c.call == table.c.call)
        .outerjoin(kept, kept.c.call == table.c.call)
        .where(schema.cdrs.c.call.is_(None))
        .order_by(table.c.started_at, table.c.call)
    )
    return [_call(connection, tuple(row)) for row in connection.execute(query).all()]


def _call(connection: Connection, cells: tuple[Any, ...]) -> Unfinished:
    *row, attributes = cells
    call = CALL.record(row)
    in_flight, events = _events(connection, call.call)
    invocations, happened = schema.invocations, schema.events
    last_number = connection.execute(select(func.max(happened.c.number)).where(happened.c.call == call.call)).scalar()
    last_sequence = connection.execute(select(func.max(invocations.c.sequence)).where(invocations.c.call == call.call)).scalar()
    return Unfinished(
        call=call,
        legs=tuple(
            UnfinishedLeg(participant=leg.participant, trunk=leg.trunk, **_progress(connection, leg.participant.leg))
            for leg in leg_rows(connection, call.call)
        ),
        events=events,
        in_flight=in_flight,
        last_number=last_number or 0,
        last_sequence=last_sequence or 0,
        attributes=attributes or b"",
        recordings=tuple(_recordings(connection, call.call)),
    )


def _events(connection: Connection, call: CallId) -> tuple[InvocationRow | None, tuple[EventRow, ...]]:
    given, ended, happened = schema.invocations, schema.invocation_ends, schema.events
    both = given.outerjoin(ended, and_(ended.c.call == given.c.call, ended.c.sequence == given.c.sequence))
    mine = given.c.call == call
    unanswered = select(*INVOCATION.columns).select_from(both).where(mine, ended.c.call.is_(None)).order_by(given.c.sequence.desc())
    row = connection.execute(unanswered).first()
    dealt_with = select(given.c.number).select_from(both).where(mine, ended.c.call.is_not(None))
    left = select(*EVENT.columns).where(happened.c.call == call, happened.c.number.not_in(dealt_with)).order_by(happened.c.number)
    return (
        None if row is None else INVOCATION.record(row),
        tuple(EVENT.record(found) for found in connection.execute(left)),
    )


def _progress(connection: Connection, leg: LegId) -> dict[str, Any]:
    """How far a leg got."""
    found: dict[str, Any] = {}
    for name, mapping in _PROGRESS.items():
        row = connection.execute(select(*mapping.columns).where(mapping.table.c.leg == leg)).first()
        found[name] = None if row is None else mapping.record(row)
    return found


def _recordings(connection: Connection, call: CallId) -> list[RecordingRow]:
    columns = schema.recordings.c
    query = select(*RECORDING.columns).where(columns.call == call, or_(columns.finished.is_(False), columns.delivered.is_(False)))
    return [RECORDING.record(row) for row in connection.execute(query.order_by(columns.started_at))]


def undelivered(connection: Connection) -> list[RecordingRow]:
    """Every recording that is finished and has not reached its bucket, oldest first."""
    columns = schema.recordings.c
    query = select(*RECORDING.columns).where(columns.delivered.is_(False), columns.finished.is_(True)).order_by(columns.started_at)
    return [RECORDING.record(row) for row in connection.execute(query)]


def sequence_base(connection: Connection) -> int:
    """How far the node's counter has been used; 0 for a new database."""
    columns = schema.node.c
    return connection.execute(select(columns.value).where(columns.name == SEQUENCE_BASE)).scalar() or 0
