"""One handler worker: a process of its own, one event at a time, as a table.

Theory of operation. A worker is started, loads its handler, and then is idle or busy with one event. It ends because it died (its own
doing: that counts, and backs off) or because we ended it (time-out, reload, idle for long: no death). A reload lets a busy worker finish
its event first.
"""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING

from ..core import FAULT, IGNORE, Symbol, Table
from ..model.ids import CallId, WorkerId
from ..model.records import OutputRow

if TYPE_CHECKING:
    from .invocation import Invocation
    from .pool import Pool


class WorkerState(Symbol):
    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    RETIRING = auto()
    """Busy with its last event: the function was reloaded."""
    ENDING = auto()
    """Told to end; it has not exited yet."""
    GONE = auto()


class WorkerInput(Symbol):
    LOADED = auto()
    BROKEN = auto()
    """The handler could not be loaded, or not within its time."""
    TAKEN = auto()
    """An event is given to it."""
    ANSWERED = auto()
    KILLED = auto()
    """It overran its time with an event."""
    RETIRED = auto()
    EXPIRED = auto()
    """Idle for long, and not the only one."""
    OVERGROWN = auto()
    EXITED = auto()


class Worker:
    """The state of one worker; what happens to it is decided by `WORKER` and done by its `Pool`."""

    __slots__ = ("attempt", "call", "dropped_late", "id", "invocation", "log_stream", "output", "pool", "sequence", "since", "state")

    def __init__(self, worker: WorkerId, pool: Pool, log_stream: str) -> None:
        self.id = worker
        self.pool = pool
        self.state = WorkerState.STARTING
        self.log_stream = log_stream
        self.invocation: Invocation | None = None
        self.attempt = 0
        """The id of the event that it is busy with."""
        self.since = 0.0
        """When it got that event."""
        self.call: CallId | None = None
        """The call whose event it has, or had last: whom its output belongs to."""
        self.sequence = 0
        self.output: list[OutputRow] = []
        self.dropped_late = False


def _offer(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.offer(worker, now)


def _works(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.loaded(worker, now)


def _kill(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.kill(worker)


def _broken(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.not_loaded(worker, why, now)


def _died(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.died(worker, why, now)


def _fault(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.fault(worker, why, now)


def _forget(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.forget(worker, now)


def _replace(pool: Pool, worker: Worker, why: str, now: float) -> None:
    pool.replenish(now)


_S, _I = WorkerState, WorkerInput
_UNASKED = IGNORE("nothing was given to it: a late or second answer")
_ONCE = IGNORE("it has said so before")
_NOT_IDLE = IGNORE("it is not idle")
_BEING_ENDED = IGNORE("it is being ended")
_GONE = IGNORE("it has gone")

WORKER: Table = {
    _S.STARTING: {
        _I.LOADED: (_S.IDLE, (_works, _offer)),
        _I.BROKEN: (_S.ENDING, (_kill, _broken)),
        _I.TAKEN: FAULT,
        _I.ANSWERED: _UNASKED,
        _I.KILLED: FAULT,
        _I.RETIRED: (_S.ENDING, (_kill,)),
        _I.EXPIRED: _NOT_IDLE,
        _I.OVERGROWN: (_S.ENDING, (_kill, _broken)),
        _I.EXITED: (_S.GONE, (_forget, _broken)),
    },
    _S.IDLE: {
        _I.LOADED: _ONCE,
        _I.BROKEN: _ONCE,
        _I.TAKEN: (_S.BUSY, ()),
        _I.ANSWERED: _UNASKED,
        _I.KILLED: FAULT,
        _I.RETIRED: (_S.ENDING, (_kill,)),
        _I.EXPIRED: (_S.ENDING, (_kill,)),
        _I.OVERGROWN: (_S.ENDING, (_kill, _died)),
        _I.EXITED: (_S.GONE, (_forget, _died)),
    },
    _S.BUSY: {
        _I.LOADED: _ONCE,
        _I.BROKEN: _ONCE,
        _I.TAKEN: FAULT,
        _I.ANSWERED: (_S.IDLE, (_offer,)),
        _I.KILLED: (_S.ENDING, (_kill, _replace)),
        _I.RETIRED: (_S.RETIRING, ()),
        _I.EXPIRED: _NOT_IDLE,
        _I.OVERGROWN: (_S.ENDING, (_kill, _died, _fault)),
        _I.EXITED: (_S.GONE, (_forget, _died, _fault)),
    },
    _S.RETIRING: {
        _I.LOADED: _ONCE,
        _I.BROKEN: _ONCE,
        _I.TAKEN: FAULT,
        _I.ANSWERED: (_S.ENDING, (_kill,)),
        _I.KILLED: (_S.ENDING, (_kill,)),
        _I.RETIRED: IGNORE("it is old already"),
        _I.EXPIRED: _NOT_IDLE,
        _I.OVERGROWN: (_S.ENDING, (_kill, _fault)),
        _I.EXITED: (_S.GONE, (_forget, _fault)),
    },
    _S.ENDING: {
        _I.LOADED: _BEING_ENDED,
        _I.BROKEN: _BEING_ENDED,
        _I.TAKEN: FAULT,
        _I.ANSWERED: _BEING_ENDED,
        _I.KILLED: _BEING_ENDED,
        _I.RETIRED: _BEING_ENDED,
        _I.EXPIRED: _BEING_ENDED,
        _I.OVERGROWN: _BEING_ENDED,
        _I.EXITED: (_S.GONE, (_forget,)),
    },
    _S.GONE: dict.fromkeys(_I, _GONE),
}
