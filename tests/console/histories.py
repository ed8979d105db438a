"""Made-up calls, read back from a store, for the renderings."""

from __future__ import annotations

from collections.abc import Sequence

from helpers import call_records as made
from outdial.model.ids import CallId, Token
from outdial.model.records import Record
from outdial.model.resources import CallHistory, CallSummary
from outdial.model.work import Save
from outdial.store import MemoryPort, read


def history(units: Sequence[tuple[Record, ...]], call: CallId = made.CALL) -> CallHistory:
    port = MemoryPort()
    for unit in units:
        port.put(Save(token=Token(0), unit=unit), 0.0)
    with port.read() as connection:
        found = read.history(connection, call)
    port.close()
    assert found is not None
    return found


def summaries(units: Sequence[tuple[Record, ...]]) -> list[CallSummary]:
    port = MemoryPort()
    for unit in units:
        port.put(Save(token=Token(0), unit=unit), 0.0)
    with port.read() as connection:
        found = read.listed(connection)
    port.close()
    return found
