"""Calls and legs: their rows, and what changes in them."""

from __future__ import annotations

from typing import Any

from ..model.records import AttributesRow, CallEnded, CallRow, LegDialog, LegEnded, LegInvite, LegRow
from . import schema
from .mapping import Mapping, as_json
from .statements import changes, inserts, inserts_row, updates

CALL = Mapping(CallRow, schema.calls)
INVITE = Mapping(LegInvite, schema.legs)
DIALOG = Mapping(LegDialog, schema.legs)
ENDED = Mapping(LegEnded, schema.legs)
ATTRIBUTES = Mapping(AttributesRow, schema.calls)


def _leg(row: LegRow) -> tuple[Any, ...]:
    return row.participant.leg, row.call, as_json(row.participant), row.trunk


def _ended(row: CallEnded) -> tuple[Any, ...]:
    return row.call, row.ended_at, row.termination.reason, as_json(row.termination)


WRITES = (
    inserts(CALL),
    updates(CallEnded, schema.calls, keys=("call",), changes=("ended_at", "reason", "termination"), values=_ended),
    changes(ATTRIBUTES, "call"),
    inserts_row(LegRow, schema.legs, names=("leg", "call", "participant", "trunk"), values=_leg),
    changes(INVITE, "leg"),
    changes(DIALOG, "leg"),
    changes(ENDED, "leg"),
)
