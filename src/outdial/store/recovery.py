"""What a restart needs (DESIGN 3.4, 3.5): calls without CDR, recordings not delivered, how far the node's counter went.

One query a table for all calls together: a node that died with thousands of calls is to be listening again within a second or two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, except_, func, select

from ..model.ids import CallId
from ..model.records import EventRow, InvocationRow, LegDialog, LegEnded, LegInvite, LegRow, RecordingRow, Unfinished, UnfinishedLeg
from . import schema
from .calls import ATTRIBUTES, CALL, DIALOG, INVITE, LEG_END
from .events import EVENT, INVOCATION
from .mapping import Mapping, from_json
from .node import SEQUENCE_BASE
from .recordings import RECORDING

TOGETHER: Final = 500
"""Calls that one query asks for: SQLite takes a bounded number of parameters."""


def unfinished(connection: Connection) -> list[Unfinished]:
    """Every call that has no CDR, oldest first."""
    without = except_(select(schema.calls.c.call), select(schema.cdrs.c.call))
    ids = [CallId(row.call) for row in connection.execute(without)]
    found = [call for i in range(0, len(ids), TOGETHER) for call in _together(connection, ids[i : i + TOGETHER])]
    return sorted(found, key=lambda unfinished: (unfinished.call.started_at, unfinished.call.call))


def _together(connection: Connection, ids: list[CallId]) -> list[Unfinished]:
    found = _Found(connection, ids)
    query = select(*CALL.columns).where(schema.calls.c.call.in_(ids))
    calls = [CALL.record(row) for row in connection.execute(query)]
    return [
        Unfinished(
            call=call,
            legs=tuple(found.legs[call.call]),
            events=tuple(found.events[call.call]),
            in_flight=found.in_flight.get(call.call),
            last_number=found.last_number.get(call.call, 0),
            last_sequence=found.last_sequence.get(call.call, 0),
            attributes=found.attributes.get(call.call, b""),
            recordings=tuple(found.recordings[call.call]),
        )
        for call in calls
    ]


class _Found:
    """What is on record about some calls, by call."""

    def __init__(self, connection: Connection, ids: list[CallId]) -> None:
        self._connection = connection
        self._ids = ids
        self.legs: dict[CallId, list[UnfinishedLeg]] = defaultdict(list)
        self.events: dict[CallId, list[EventRow]] = defaultdict(list)
        self.recordings: dict[CallId, list[RecordingRow]] = defaultdict(list)
        self.in_flight: dict[CallId, InvocationRow] = {}
        self._read_legs()
        self._read_events()
        columns = schema.recordings.c
        waiting = select(*RECORDING.columns).where(columns.call.in_(self._ids), columns.delivered.is_(False), columns.path != "")
        for recording in self._records(RECORDING, waiting.order_by(columns.started_at)):
            self.recordings[recording.call].append(recording)
        kept = select(*ATTRIBUTES.columns).where(schema.attributes.c.call.in_(self._ids))
        self.attributes = {row.call: row.attributes for row in self._records(ATTRIBUTES, kept)}
        self.last_number = self._last(schema.events, "number")
        self.last_sequence = self._last(schema.invocations, "sequence")

    def _read_legs(self) -> None:
        table = schema.legs
        mine = select(table.c.leg).where(table.c.call.in_(self._ids))

        def by_leg(mapping: Mapping[Any]) -> Callable[[str], Any]:
            query = select(*mapping.columns).where(mapping.table.c.leg.in_(mine))
            return {row.leg: row for row in self._records(mapping, query)}.get

        invite: Callable[[str], LegInvite | None] = by_leg(INVITE)
        dialog: Callable[[str], LegDialog | None] = by_leg(DIALOG)
        ended: Callable[[str], LegEnded | None] = by_leg(LEG_END)
        query = select(table.c.leg, table.c.call, table.c.participant, table.c.trunk).where(table.c.call.in_(self._ids))
        for row in self._connection.execute(query):
            participant = from_json(LegRow, "participant", row.participant)
            leg = UnfinishedLeg(
                participant=participant, trunk=row.trunk, invite=invite(row.leg), dialog=dialog(row.leg), ended=ended(row.leg)
            )
            self.legs[CallId(row.call)].append(leg)
        for legs in self.legs.values():
            legs.sort(key=lambda leg: (leg.participant.tag, leg.participant.started_at))

    def _read_events(self) -> None:
        given, ended, happened = schema.invocations, schema.invocation_ends, schema.events
        answered = and_(ended.c.call == given.c.call, ended.c.sequence == given.c.sequence)
        unanswered = select(*INVOCATION.columns).select_from(given.outerjoin(ended, answered))
        unanswered = unanswered.where(given.c.call.in_(self._ids), ended.c.call.is_(None)).order_by(given.c.sequence)
        for invocation in self._records(INVOCATION, unanswered):
            self.in_flight[invocation.call] = invocation
        dealt_with = select(given.c.call).select_from(given.join(ended, answered))
        dealt_with = dealt_with.where(given.c.call == happened.c.call, given.c.number == happened.c.number)
        left = select(*EVENT.columns).where(happened.c.call.in_(self._ids), ~dealt_with.exists()).order_by(happened.c.number)
        for event in self._records(EVENT, left):
            self.events[event.call].append(event)

    def _records(self, mapping: Mapping[Any], query: Select[Any]) -> list[Any]:
        return [mapping.record(row) for row in self._connection.execute(query)]

    def _last(self, table: Any, column: str) -> dict[CallId, int]:
        query = select(table.c.call, func.max(table.c[column])).where(table.c.call.in_(self._ids)).group_by(table.c.call)
        return {CallId(call): last for call, last in self._connection.execute(query)}


def undelivered(connection: Connection) -> list[RecordingRow]:
    """Every recording that has not reached its bucket, finished or not, oldest first; without those whose file is lost."""
    columns = schema.recordings.c
    query = select(*RECORDING.columns).where(columns.delivered.is_(False), columns.path != "").order_by(columns.started_at)
    return [RECORDING.record(row) for row in connection.execute(query)]


def sequence_base(connection: Connection) -> int:
    """How far the node's counter has been used; 0 for a new database."""
    columns = schema.node.c
    return connection.execute(select(columns.value).where(columns.name == SEQUENCE_BASE)).scalar() or 0
