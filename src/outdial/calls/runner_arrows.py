"""Every arrow of a list of actions. `runner` is what runs it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import auto
from typing import TYPE_CHECKING, Any

from ..actions.values import (
    Interrupt,
    Kind,
    Running,
)
from ..core import FAULT, IGNORE, Symbol, Table
from ..model.actions import Action
from ..model.ids import CommandId, LegId, RecordingId, Token
from ..model.records import RecordingRow

if TYPE_CHECKING:
    from .runner import Runner


class RunnerState(Symbol):
    """Where the list stands."""

    IDLE = auto()
    RUNNING = auto()
    INTERRUPTING = auto()
    """The action was told to stop; the new list waits for its last word."""
    WAITING = auto()
    """The report of a mid-list action is not answered yet; the rest of the list waits."""


class RunnerInput(Symbol):
    """What can happen to the list."""

    LIST = auto()
    INTERRUPTING_LIST = auto()
    """An update's list, while an action runs that can be interrupted."""
    BEGUN = auto()
    NO_CHANGE = auto()
    """The report was answered without actions."""
    DONE = auto()
    """The action ended, and the list goes on."""
    REPORTED = auto()
    """The action ended with a report that the rest of its list waits for."""
    DROPPED = auto()
    """The action's leg has gone, and it has nothing to report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of a list."""

    action: Action
    leg: LegId
    """The leg of the invocation that asked for it."""
    list: int
    last: bool


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """The action that runs."""

    step: Step
    kind: Kind
    running: Running
    commands: set[CommandId] = field(default_factory=set)
    delivery: Token | None = None
    """Of a `Deliver` without result yet."""
    recordings: dict[RecordingId, RecordingRow] = field(default_factory=dict)


def take(runner: Runner, steps: deque[Step], now: float) -> None:
    runner.pending = steps


def start(runner: Runner, _: Any, now: float) -> None:
    runner.start_next(now)


def interrupt(runner: Runner, _: Any, now: float) -> None:
    runner.tell(Interrupt(), now)


_S, _I = RunnerState, RunnerInput
_NOTHING = IGNORE("nothing runs")

RUNNER: Table = {
    _S.IDLE: {
        _I.LIST: (_S.IDLE, (take, start)),
        _I.INTERRUPTING_LIST: FAULT,
        _I.BEGUN: (_S.RUNNING, ()),
        _I.NO_CHANGE: IGNORE("nothing waits"),
        _I.DONE: FAULT,
        _I.REPORTED: FAULT,
        _I.DROPPED: FAULT,
    },
    _S.RUNNING: {
        _I.LIST: (_S.RUNNING, (take,)),
        _I.INTERRUPTING_LIST: (_S.INTERRUPTING, (take, interrupt)),
        _I.BEGUN: FAULT,
        _I.NO_CHANGE: IGNORE("the list goes on as it is"),
        _I.DONE: (_S.IDLE, (start,)),
        _I.REPORTED: (_S.WAITING, ()),
        _I.DROPPED: (_S.IDLE, (start,)),
    },
    _S.INTERRUPTING: {
        _I.LIST: (_S.INTERRUPTING, (take,)),
        _I.INTERRUPTING_LIST: (_S.INTERRUPTING, (take,)),
        _I.BEGUN: FAULT,
        _I.NO_CHANGE: IGNORE("the new list starts when the action has stopped"),
        _I.DONE: (_S.IDLE, (start,)),
        _I.REPORTED: FAULT,
        _I.DROPPED: (_S.IDLE, (start,)),
    },
    _S.WAITING: {
        _I.LIST: (_S.IDLE, (take, start)),
        _I.INTERRUPTING_LIST: FAULT,
        _I.BEGUN: FAULT,
        _I.NO_CHANGE: (_S.IDLE, (start,)),
        _I.DONE: _NOTHING,
        _I.REPORTED: _NOTHING,
        _I.DROPPED: _NOTHING,
    },
}
"""Every arrow of a call's list of actions."""
