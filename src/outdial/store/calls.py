"""Calls and legs: what is known when they begin, on the way, and at their end."""

from __future__ import annotations

from typing import Any

from ..model.records import AttributesRow, CallEnded, CallRow, LegDialog, LegEnded, LegInvite, LegRow
from . import schema
from .mapping import Mapping, as_json
from .statements import inserts, inserts_row, replaces

CALL = Mapping(CallRow, schema.calls)
CALL_END = Mapping(CallEnded, schema.call_ends)
ATTRIBUTES = Mapping(AttributesRow, schema.attributes)
INVITE = Mapping(LegInvite, schema.leg_invites)
DIALOG = Mapping(LegDialog, schema.leg_dialogs)
LEG_END = Mapping(LegEnded, schema.leg_ends)


def _leg(row: LegRow) -> tuple[Any, ...]:
    return row.participant.leg, row.call, as_json(row.participant), row.trunk


def _ended(row: CallEnded) -> tuple[Any, ...]:
    return row.call, row.ended_at, as_json(row.termination), row.termination.reason


WRITES = (
    inserts(CALL),
    inserts_row(CallEnded, schema.call_ends, names=("call", "ended_at", "termination", "reason"), values=_ended),
    replaces(ATTRIBUTES),
    inserts_row(LegRow, schema.legs, names=("leg", "call", "participant", "trunk"), values=_leg),
    replaces(INVITE),
    replaces(DIALOG),
    replaces(LEG_END),
)
