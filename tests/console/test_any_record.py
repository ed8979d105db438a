"""Whatever part of a call is on record, in whatever order it came: the renderings stand, keep their width, and say the same each time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import call_records as made
from outdial.console.call_list import call_list
from outdial.console.call_story import call_story
from outdial.console.ladder import ladder
from outdial.console.told import Teller
from outdial.model.records import LegInvite, Record, RecordingRow, RepeatRow, SequenceBase

from .histories import history, summaries

RECORDS = [
    record
    for unit in made.life()
    for record in unit
    if not isinstance(record, LegInvite | RecordingRow | RepeatRow | SequenceBase)
][1:]  # fmt: skip
ODD = made.sip("received", "SIP/2.0 999 \x00\x1b[2J \u202e ünïcode " + "x" * 300 + "\n\n", made.START)


@given(st.lists(st.sampled_from(range(len(RECORDS))), unique=True), st.integers(40, 200), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_part_of_a_call(chosen: list[int], width: int, full: bool) -> None:
    units: list[tuple[Record, ...]] = [(made.call_row(),), *((RECORDS[i],) for i in chosen), (ODD,)]
    found = history(units)
    for text in (ladder(found, width=width, full=full), call_story(found, width=width, full=full)):
        lines = text.splitlines()
        assert max(map(len, lines)) <= width
        assert all(line.isprintable() for line in lines)
    assert ladder(found, width=width, full=full) == ladder(history(units), width=width, full=full)
    assert max(map(len, call_list(summaries(units), width=width, full=full).splitlines())) <= width
    teller = Teller(full=full, messages=True)
    assert all(line.isprintable() for unit in units for record in unit for line in teller.tell(record))
