"""One child process as a table.

Theory of operation. A child runs from when it is first wanted. One that dies is started again at once, the second time after 1 s, and
after three deaths within a minute it rests 30 s. An end that we made is no death, but for a child that never became ready: it is ended
and counts as dead.
"""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING

from ..core import IGNORE, Backoff, Symbol, Table
from .values import Child as Name

if TYPE_CHECKING:
    from .children import Children

DELAYS_S = (0.0, 1.0, 30.0)
WINDOW_S = 60.0


class ChildPhase(Symbol):
    ABSENT = auto()
    STARTING = auto()
    READY = auto()
    RESTING = auto()
    """It died; its next start is due."""
    STUCK = auto()
    """It did not become ready and is being ended."""
    ENDING = auto()
    """We end it."""
    RETURNING = auto()
    """We end it, and it is wanted again once it has gone."""


class ChildInput(Symbol):
    WANTED = auto()
    UNWANTED = auto()
    READY = auto()
    EXITED = auto()
    LATE = auto()
    """Not ready within its time."""
    RESTED = auto()


class Child:
    """The state of one child; what happens to it is decided by `CHILD` and done by `Children`."""

    __slots__ = ("backoff", "detail", "name", "phase", "start_at")

    def __init__(self, name: Name) -> None:
        self.name = name
        self.phase = ChildPhase.ABSENT
        self.backoff = Backoff(DELAYS_S, WINDOW_S)
        self.start_at = 0.0
        self.detail = ""


def _start(children: Children, child: Child, now: float) -> None:
    children.start(child, now)


def _ready(children: Children, child: Child, now: float) -> None:
    children.cancel(child)


def _end(children: Children, child: Child, now: float) -> None:
    children.end(child)


def _rest(children: Children, child: Child, now: float) -> None:
    children.rest(child, now)


def _forget(children: Children, child: Child, now: float) -> None:
    children.cancel(child)


_P, _I = ChildPhase, ChildInput
_RUNS = IGNORE("it runs already")
_NO_PROCESS = IGNORE("there is no process of it: a late word of an earlier one")
_UNTIMED = IGNORE("a timer of an earlier phase")
_NOT_WANTED = IGNORE("it is not wanted anyway")
_ENDED_SOON = IGNORE("it is being ended")

CHILD: Table = {
    _P.ABSENT: {
        _I.WANTED: (_P.STARTING, (_start,)),
        _I.UNWANTED: _NOT_WANTED,
        _I.READY: _NO_PROCESS,
        _I.EXITED: _NO_PROCESS,
        _I.LATE: _UNTIMED,
        _I.RESTED: _UNTIMED,
    },
    _P.STARTING: {
        _I.WANTED: _RUNS,
        _I.UNWANTED: (_P.ENDING, (_end,)),
        _I.READY: (_P.READY, (_ready,)),
        _I.EXITED: (_P.RESTING, (_rest,)),
        _I.LATE: (_P.STUCK, (_end,)),
        _I.RESTED: _UNTIMED,
    },
    _P.READY: {
        _I.WANTED: _RUNS,
        _I.UNWANTED: (_P.ENDING, (_end,)),
        _I.READY: _RUNS,
        _I.EXITED: (_P.RESTING, (_rest,)),
        _I.LATE: _UNTIMED,
        _I.RESTED: _UNTIMED,
    },
    _P.RESTING: {
        _I.WANTED: IGNORE("it is started when it has rested"),
        _I.UNWANTED: (_P.ABSENT, (_forget,)),
        _I.READY: _NO_PROCESS,
        _I.EXITED: _NO_PROCESS,
        _I.LATE: _UNTIMED,
        _I.RESTED: (_P.STARTING, (_start,)),
    },
    _P.STUCK: {
        _I.WANTED: IGNORE("it is started again when it has gone"),
        _I.UNWANTED: (_P.ENDING, ()),
        _I.READY: _ENDED_SOON,
        _I.EXITED: (_P.RESTING, (_rest,)),
        _I.LATE: _UNTIMED,
        _I.RESTED: _UNTIMED,
    },
    _P.ENDING: {
        _I.WANTED: (_P.RETURNING, ()),
        _I.UNWANTED: _NOT_WANTED,
        _I.READY: _ENDED_SOON,
        _I.EXITED: (_P.ABSENT, (_forget,)),
        _I.LATE: _UNTIMED,
        _I.RESTED: _UNTIMED,
    },
    _P.RETURNING: {
        _I.WANTED: IGNORE("it comes back when it has gone"),
        _I.UNWANTED: (_P.ENDING, ()),
        _I.READY: _ENDED_SOON,
        _I.EXITED: (_P.STARTING, (_start,)),
        _I.LATE: _UNTIMED,
        _I.RESTED: _UNTIMED,
    },
}
