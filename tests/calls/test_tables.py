"""Every state machine of the room is total, and the page that draws them draws these."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import pytest

from outdial.calls.call_arrows import CALL, CallInput, CallState
from outdial.calls.creation_arrows import CREATION, CreationInput, CreationState
from outdial.calls.leg_arrows import LEG, LegInput, LegState
from outdial.calls.runner_arrows import RUNNER, RunnerInput, RunnerState
from outdial.core import Table, draw, missing

TABLES = [
    (CREATION, CreationState, CreationInput),
    (LEG, LegState, LegInput),
    (CALL, CallState, CallInput),
    (RUNNER, RunnerState, RunnerInput),
]
PAGE = Path(__file__).parent.parent.parent / "docs" / "calls.md"


@pytest.mark.parametrize(("table", "states", "inputs"), TABLES, ids=lambda it: getattr(it, "__name__", ""))
def test_every_state_has_a_row_for_every_input(table: Table, states: type[Enum], inputs: type[Enum]) -> None:
    assert missing(table, states, inputs) == []


@pytest.mark.parametrize("table", [row[0] for row in TABLES], ids=["creation", "leg", "call", "list"])
def test_the_page_draws_the_tables_as_they_are(table: Table) -> None:
    assert draw(table) in PAGE.read_text(), f"docs/calls.md wants this drawing:\n{draw(table)}"
