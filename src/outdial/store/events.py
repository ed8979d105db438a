"""What happened in a call: events, invocations, handlers' output, notes."""

from __future__ import annotations

from ..model.records import EventRow, InvocationDone, InvocationRow, NoteRow, OutputRow
from . import schema
from .mapping import Mapping
from .statements import inserts, replaces

EVENT = Mapping(EventRow, schema.events)
INVOCATION = Mapping(InvocationRow, schema.invocations)
DONE = Mapping(InvocationDone, schema.invocation_ends)
OUTPUT = Mapping(OutputRow, schema.outputs)
NOTE = Mapping(NoteRow, schema.notes)

WRITES = (inserts(EVENT), replaces(INVOCATION), replaces(DONE), inserts(OUTPUT), inserts(NOTE))
