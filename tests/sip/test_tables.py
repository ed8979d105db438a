"""The tables are total, and every row that waits for a timer names one that is armed somewhere."""

from __future__ import annotations

from enum import Enum

import pytest

from outdial.core import FAULT, Table, draw, missing
from outdial.sip import callee, renegotiation
from outdial.sip import caller_table as caller
from outdial.sip import transaction as tx
from outdial.sip.timers import ROWS, Timers

S = tx.State
MACHINES: list[tuple[str, Table, tuple[Enum, ...], tuple[Enum, ...]]] = [
    (
        "INVITE client",
        tx.INVITE_CLIENT,
        (S.CALLING, S.PROCEEDING, S.COMPLETED, S.ACCEPTED, S.TERMINATED),
        tx.INVITE_CLIENT_INPUTS,
    ),
    ("non-INVITE client", tx.NON_INVITE_CLIENT, (S.TRYING, S.PROCEEDING, S.COMPLETED, S.TERMINATED), tx.NON_INVITE_CLIENT_INPUTS),
    (
        "INVITE server",
        tx.INVITE_SERVER,
        (S.PROCEEDING, S.COMPLETED, S.CONFIRMED, S.ACCEPTED, S.TERMINATED),
        tx.INVITE_SERVER_INPUTS,
    ),
    ("non-INVITE server", tx.NON_INVITE_SERVER, (S.TRYING, S.PROCEEDING, S.COMPLETED, S.TERMINATED), tx.NON_INVITE_SERVER_INPUTS),
    ("caller", caller.CALLER, tuple(caller.State), tuple(caller.Input)),
    ("callee", callee.CALLEE, tuple(callee.State), tuple(callee.Input)),
    ("renegotiation", renegotiation.RENEGOTIATION, tuple(renegotiation.State), tuple(renegotiation.Input)),
]


@pytest.mark.parametrize(("name", "table", "states", "inputs"), MACHINES, ids=[name for name, *_ in MACHINES])
def test_a_table_is_total(name: str, table: Table, states: tuple[Enum, ...], inputs: tuple[Enum, ...]) -> None:
    assert missing(table, states, inputs) == []
    assert set(table) == set(states)
    assert all(set(rows) == set(inputs) for rows in table.values())


@pytest.mark.parametrize(("name", "table", "states", "inputs"), MACHINES, ids=[name for name, *_ in MACHINES])
def test_every_state_is_reached_and_left(name: str, table: Table, states: tuple[Enum, ...], inputs: tuple[Enum, ...]) -> None:
    steps = [(state, row[0]) for state, rows in table.items() for row in rows.values() if isinstance(row, tuple)]
    first, last = states[0], states[-1]
    assert {target for _, target in steps} >= set(states) - {first}
    assert {state for state, target in steps if state is not target} >= set(states) - {last}
    assert "stateDiagram" in draw(table)


def test_a_step_out_of_a_fault_is_a_bug_of_ours() -> None:
    assert tx.INVITE_CLIENT[S.CALLING][tx.Input.TIMER_D] is FAULT


def test_the_timers_have_the_values_of_the_rfc() -> None:
    """RFC 3261 appendix A, table 4: T1 500 ms, T2 4 s, T4 5 s, B/F/H 64*T1, D over 32 s."""
    timers = Timers()
    assert (timers.t1, timers.t2, timers.t4, timers.patience, timers.d) == (0.5, 4.0, 5.0, 32.0, 32.0)
    assert [row.name for row in ROWS] == list("ABDEFGHIJKLM")
