"""One invocation: a call's event on its way to the handler and back, as a table.

Theory of operation. The event's JSON is committed, at most `hold_s` long; then its 20 s begin, and it waits for a worker (or for a free
connection of an HTTP function). It is given; what comes back ends it. A handler that raised or died is given the same bytes once more, one
that is merely slow is not. One clock runs over all of that: a warning after 5 s says which part took the time, after 20 s it is over.
"""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING

from ..core import FAULT, IGNORE, Symbol, Table
from ..model.invocations import Invoke
from ..model.workers import HttpReply, WorkerReply

if TYPE_CHECKING:
    from .invocations import Invocations
    from .worker import Worker


class InvocationState(Symbol):
    COMMITTING = auto()
    WAITING = auto()
    """For a worker."""
    GIVEN = auto()
    ENDED = auto()


class InvocationInput(Symbol):
    COMMITTED = auto()
    HOLD_OVER = auto()
    PLACED = auto()
    """A worker, or a connection, is free for it."""
    REPLIED = auto()
    FAULTED = auto()
    """The handler raised or its process died, and an attempt is left."""
    EXHAUSTED = auto()
    """The same, and none is left."""
    SLOW = auto()
    RESEND = auto()
    OVERDUE = auto()
    REFUSED = auto()
    """Its function cannot be invoked: unserved, broken, or dying again and again."""


class Invocation:
    """The state of one invocation; what happens to it is decided by `INVOCATION` and done by `Invocations`."""

    __slots__ = (
        "attempts", "errors", "given", "given_at", "id", "invoke", "limit_at", "queued_at", "replied_by", "reply", "resend_at", "running",
        "slow_at", "started_at", "state", "taker", "text", "waited",
    )  # fmt: skip

    def __init__(self, number: int, invoke: Invoke, now: float) -> None:
        self.id = number
        self.invoke = invoke
        self.state = InvocationState.COMMITTING
        self.text = ""
        self.started_at = now
        self.given_at: float | None = None
        self.slow_at: float | None = None
        self.resend_at: float | None = None
        self.limit_at = 0.0
        self.queued_at: float | None = None
        """Since when it has stood in a queue for a worker; None where it does not."""
        self.waited = 0.0
        """Seconds spent waiting for a worker, up to the last giving."""
        self.running = 0.0
        """Seconds spent in attempts that are over."""
        self.attempts = 0
        self.errors: list[str] = []
        self.given: dict[int, Worker | None] = {}
        """What is out: the id of each attempt in flight, and its worker (None: HTTP)."""
        self.taker: Worker | None = None
        """The worker that is about to get it (None: HTTP)."""
        self.reply: WorkerReply | HttpReply | None = None
        self.replied_by: Worker | None = None

    def spent(self, now: float) -> tuple[float, float]:
        """Seconds spent waiting for a worker, and seconds spent in the handler."""
        if self.given_at is not None:
            return self.waited, self.running + now - self.given_at
        return max(0.0, now - self.started_at - self.running), self.running

    def what_went_wrong(self, last: str) -> str:
        """The errors of all attempts; `last` may be one of them, or what ended it all."""
        attempts = [f"attempt {number}: {why}" for number, why in enumerate(self.errors, 1)]
        if len(attempts) == 1 and last == self.errors[0]:
            return last
        if last and last not in self.errors:
            attempts.append(last)
        return "\n".join(attempts)


def first_line(text: str) -> str:
    """What of an error goes into a sentence."""
    return text.split("\n", 1)[0][:500]


def _commit_over(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.note_uncommitted(invocation)


def _start_clock(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.start_clock(invocation, now)


def _seek(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.seek(invocation, now)


def _give(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.give(invocation, now)


def _warn(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.warn(invocation, now)


def _judge(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.judge(invocation, now)


def _fail(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.fail(invocation, why, now)


def _give_up(core: Invocations, invocation: Invocation, why: str, now: float) -> None:
    core.give_up(invocation, now)


_S, _I = InvocationState, InvocationInput
_NOT_GIVEN = IGNORE("it is not given yet, or has been taken back")
_LATE_COMMIT = IGNORE("it left without its commit, which has come now")
_ENDED = IGNORE("it has ended: what comes now is late")

INVOCATION: Table = {
    _S.COMMITTING: {
        _I.COMMITTED: (_S.WAITING, (_start_clock, _seek)),
        _I.HOLD_OVER: (_S.WAITING, (_commit_over, _start_clock, _seek)),
        _I.PLACED: FAULT,
        _I.REPLIED: FAULT,
        _I.FAULTED: FAULT,
        _I.EXHAUSTED: FAULT,
        _I.SLOW: FAULT,
        _I.RESEND: FAULT,
        _I.OVERDUE: FAULT,
        _I.REFUSED: IGNORE("judged when it seeks a worker"),
    },
    _S.WAITING: {
        _I.COMMITTED: _LATE_COMMIT,
        _I.HOLD_OVER: FAULT,
        _I.PLACED: (_S.GIVEN, (_give,)),
        _I.REPLIED: _NOT_GIVEN,
        _I.FAULTED: _NOT_GIVEN,
        _I.EXHAUSTED: _NOT_GIVEN,
        _I.SLOW: (_S.WAITING, (_warn,)),
        _I.RESEND: _NOT_GIVEN,
        _I.OVERDUE: (_S.ENDED, (_give_up,)),
        _I.REFUSED: (_S.ENDED, (_fail,)),
    },
    _S.GIVEN: {
        _I.COMMITTED: _LATE_COMMIT,
        _I.HOLD_OVER: FAULT,
        _I.PLACED: (_S.GIVEN, (_give,)),
        _I.REPLIED: (_S.ENDED, (_judge,)),
        _I.FAULTED: (_S.WAITING, (_seek,)),
        _I.EXHAUSTED: (_S.ENDED, (_fail,)),
        _I.SLOW: (_S.GIVEN, (_warn,)),
        _I.RESEND: (_S.GIVEN, (_seek,)),
        _I.OVERDUE: (_S.ENDED, (_give_up,)),
        _I.REFUSED: IGNORE("an attempt is under way and may still answer"),
    },
    _S.ENDED: dict.fromkeys(_I, _ENDED),
}
