"""What the node says of itself: it learns as an observer of the pump."""

from __future__ import annotations

from typing import Any

from helpers import call_records as made
from outdial.children.values import Child, ChildState
from outdial.config import load
from outdial.model.ids import Token
from outdial.model.records import CallEnded, CallRow, Unfinished
from outdial.model.work import Save
from outdial.node.report import Report


def report() -> Report:
    def child(name: Child) -> ChildState:
        return ChildState(child=name)

    return Report(load({}), {}, metrics=lambda: b"", child=child, pids=dict, end=lambda within: None)


def see(seen: Report, *values: Any) -> Report:
    for value in values:
        assert seen.wants(type(value))
        seen("world", "calls", value, 0.0)
    return seen


def test_calls_of_an_earlier_run_count_until_they_have_ended() -> None:
    row = made.created()[0]
    assert isinstance(row, CallRow)
    seen = see(report(), Unfinished(call=row, legs=(), events=()))
    assert seen.status()["calls"] == 1
    ended = CallEnded(call=row.call, ended_at=1, termination=made.COMPLETED)
    assert see(seen, Save(token=Token(0), unit=(ended,))).status()["calls"] == 0
