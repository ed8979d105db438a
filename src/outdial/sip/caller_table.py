"""The calling session as a table: states, what happens, and the steps (see `caller` for the theory)."""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING

from ..core import FAULT, IGNORE, Symbol, Table
from .bodies import sdp_of
from .headers import tag_of
from .transaction import INVITE_CLIENT
from .transaction import Input as TxInput
from .transaction import State as TxState
from .values import Held, Provisional

if TYPE_CHECKING:
    from .caller import Caller


MOST_FORKS = 32
"""2xx of one INVITE that get ACK and BYE. A peer that invents To tags makes us send, and keep, no more than that: each BYE is repeated up
to ten times, to an address that the peer names."""


class State(Symbol):
    RESOLVING = auto()
    HELD = auto()
    CALLING = auto()
    PROCEEDING = auto()
    CANCEL_KEPT = auto()
    CANCELLING = auto()
    TALKING = auto()
    HANGING_UP = auto()
    OVER = auto()


class Input(Symbol):
    TARGETS = auto()
    NO_TARGETS = auto()
    GO = auto()
    PROVISIONAL = auto()
    SUCCESS = auto()
    CHALLENGE = auto()
    FAIL_OVER = auto()
    FAILURE = auto()
    CANCEL = auto()
    PEER_BYE = auto()
    QUIET = auto()
    LOST = auto()
    ABANDON = auto()
    UNKNOWN = auto()
    """481 to the CANCEL of an earlier run's INVITE: the far side has no such call."""


# --- steps ---


def _hold(call: Caller, now: float) -> None:
    call.build()
    call.stack.emit(Held(session=call.session, invite=call.data, source=call.stack.local, destination=call.targets[call.at_target]))


def _launch(call: Caller, now: float) -> None:
    assert call.invite is not None
    call.tx = call.stack.client(INVITE_CLIENT, TxState.CALLING, call.invite, call.targets[call.at_target], call, now, data=call.data)


def _next_target(call: Caller, now: float) -> None:
    call.at_target += 1


def _next_cseq(call: Caller, now: float) -> None:
    # RFC 3261 §22.2: the request is sent anew with credentials and the next CSeq.
    call.cseq += 1


def _report_provisional(call: Caller, now: float) -> None:
    response = call.response
    assert response is not None
    if response.status != 100:
        call.rang = True
        tag = tag_of(response.get("to"), "To")
        call.rung_by(tag, response)
        call.stack.emit(
            Provisional(
                session=call.session,
                status=response.status,
                tag=tag,
                body=sdp_of(response) or b"",
                source=call.source,
            )
        )


def _win(call: Caller, now: float) -> None:
    fork = call.winner = call.new_fork()
    fork.wanted = True
    call.report_fork(fork)


def _success_again(call: Caller, now: float) -> None:
    """A repeat of a 2xx gets its ACK again; another fork's gets ACK and BYE, up to `MOST_FORKS`."""
    fork = call.known_fork()
    if fork is not None:
        call.acknowledge_again(fork)
    elif len(call.forks) < MOST_FORKS:
        _lose(call, now)


def _lose(call: Caller, now: float) -> None:
    call.stack.disarm_session(call, "cancel")
    fork = call.new_fork()
    if not call.over:
        call.report_fork(fork)
    call.acknowledge(fork, b"", now)
    call.send_bye(fork.dialog, now)


def _end_as_answered(call: Caller, now: float) -> None:
    """The INVITE ended with a refusal, or with none in time."""
    call.stack.disarm_session(call, "cancel")
    response = call.response
    if response is None:
        status, phrase = call.failure
        call.end = ("network", status, phrase, "")
    else:
        cancelled = call.cancelled and response.status == 487
        call.end = ("us" if cancelled else "peer", response.status, response.phrase, response.get("reason"))


def _end_unsent(call: Caller, now: float) -> None:
    call.end = ("us", 487, "cancelled before it left", "")


def _end_unresolved(call: Caller, now: float) -> None:
    call.end = ("network", *call.failure, "")


def _end_abandoned(call: Caller, now: float) -> None:
    call.end = ("us", 408, "no final response to CANCEL", "")
    if call.tx is not None:
        call.tx.take(TxInput.ABANDON, now)


def _end_unknown(call: Caller, now: float) -> None:
    # Its INVITE's transaction stays: a 2xx that is on its way all the same gets ACK and BYE (RFC 3261 §9.1).
    call.stack.disarm_session(call, "cancel")
    call.end = ("us", 481, "the far side knows nothing of the call", "")


def _cancel(call: Caller, now: float) -> None:
    call.send_cancel(now)


def _note_cancelled(call: Caller, now: float) -> None:
    call.cancelled = True


def _bye_winner(call: Caller, now: float) -> None:
    winner = call.winner
    assert winner is not None
    if winner.body is None:
        call.acknowledge(winner, b"", now)
    call.send_bye(winner.dialog, now)


def _ack_winner(call: Caller, now: float) -> None:
    # The peer hung up before our ACK left: it repeats its 2xx until it has one.
    if call.winner is not None and call.winner.body is None:
        call.acknowledge(call.winner, b"", now)


def _finish(call: Caller, now: float) -> None:
    call.finish(now)


def _report_bye(call: Caller, now: float) -> None:
    call.report_bye(now)


_STALE = IGNORE("of an INVITE that has been given up for the one that is held")
_EARLY = IGNORE("a callee may not BYE an early dialog, RFC 3261 §15; the INVITE's final response decides")
_LATE_GO = IGNORE("it has left, or was cancelled before")
_SOON = IGNORE("the CANCEL is on its way, or waits for a provisional")

CALLER: Table = {
    State.RESOLVING: {
        Input.TARGETS: (State.HELD, (_hold,)),
        Input.NO_TARGETS: (State.OVER, (_end_unresolved, _finish)),
        Input.GO: IGNORE("nothing is held yet"),
        Input.CANCEL: (State.OVER, (_end_unsent, _finish)),
        Input.PROVISIONAL: FAULT,
        Input.SUCCESS: FAULT,
        Input.CHALLENGE: FAULT,
        Input.FAIL_OVER: FAULT,
        Input.FAILURE: FAULT,
        Input.PEER_BYE: FAULT,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: FAULT,
    },
    State.HELD: {
        Input.GO: (State.CALLING, (_launch,)),
        Input.CANCEL: (State.OVER, (_end_unsent, _finish)),
        Input.PROVISIONAL: _STALE,
        Input.SUCCESS: _STALE,
        Input.CHALLENGE: _STALE,
        Input.FAIL_OVER: _STALE,
        Input.FAILURE: _STALE,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.PEER_BYE: _EARLY,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: FAULT,
    },
    State.CALLING: {
        Input.PROVISIONAL: (State.PROCEEDING, (_report_provisional,)),
        Input.SUCCESS: (State.TALKING, (_win,)),
        Input.CHALLENGE: (State.HELD, (_next_cseq, _hold)),
        Input.FAIL_OVER: (State.HELD, (_next_target, _hold)),
        Input.FAILURE: (State.OVER, (_end_as_answered, _finish)),
        Input.CANCEL: (State.CANCEL_KEPT, (_note_cancelled,)),
        Input.GO: _LATE_GO,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.PEER_BYE: _EARLY,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: FAULT,
    },
    State.PROCEEDING: {
        Input.PROVISIONAL: (State.PROCEEDING, (_report_provisional,)),
        Input.SUCCESS: (State.TALKING, (_win,)),
        Input.CHALLENGE: (State.HELD, (_next_cseq, _hold)),
        Input.FAIL_OVER: (State.HELD, (_next_target, _hold)),
        Input.FAILURE: (State.OVER, (_end_as_answered, _finish)),
        Input.CANCEL: (State.CANCELLING, (_note_cancelled, _cancel)),
        Input.GO: _LATE_GO,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.PEER_BYE: _EARLY,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: FAULT,
    },
    State.CANCEL_KEPT: {
        Input.PROVISIONAL: (State.CANCELLING, (_cancel,)),
        Input.SUCCESS: (State.HANGING_UP, (_lose,)),
        Input.CHALLENGE: FAULT,
        Input.FAIL_OVER: (State.OVER, (_end_as_answered, _finish)),
        Input.FAILURE: (State.OVER, (_end_as_answered, _finish)),
        Input.CANCEL: _SOON,
        Input.GO: _LATE_GO,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.PEER_BYE: _EARLY,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: FAULT,
    },
    State.CANCELLING: {
        Input.SUCCESS: (State.HANGING_UP, (_lose,)),
        Input.FAIL_OVER: (State.OVER, (_end_as_answered, _finish)),
        Input.FAILURE: (State.OVER, (_end_as_answered, _finish)),
        Input.ABANDON: (State.OVER, (_end_abandoned, _finish)),
        Input.PROVISIONAL: IGNORE("it is being cancelled"),
        Input.CANCEL: _SOON,
        Input.GO: _LATE_GO,
        Input.CHALLENGE: FAULT,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.PEER_BYE: _EARLY,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
        Input.UNKNOWN: (State.OVER, (_end_unknown, _finish)),
    },
    State.TALKING: {
        Input.SUCCESS: (State.TALKING, (_success_again,)),
        Input.CANCEL: (State.HANGING_UP, (_bye_winner,)),
        Input.PEER_BYE: (State.OVER, (_ack_winner, _report_bye, _finish)),
        Input.QUIET: IGNORE("that was a losing fork's BYE"),
        Input.LOST: (State.HANGING_UP, (_bye_winner,)),
        Input.GO: _LATE_GO,
        Input.PROVISIONAL: FAULT,
        Input.CHALLENGE: FAULT,
        Input.FAIL_OVER: FAULT,
        Input.FAILURE: FAULT,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: FAULT,
    },
    State.HANGING_UP: {
        Input.SUCCESS: (State.HANGING_UP, (_success_again,)),
        Input.QUIET: (State.OVER, (_finish,)),
        Input.PEER_BYE: IGNORE("the two BYEs crossed; ours has its answer coming"),
        Input.CANCEL: IGNORE("it is being hung up"),
        Input.LOST: IGNORE("it is being hung up"),
        Input.GO: _LATE_GO,
        Input.FAILURE: IGNORE("the INVITE of an earlier run has had its 2xx"),
        Input.FAIL_OVER: FAULT,
        Input.PROVISIONAL: FAULT,
        Input.CHALLENGE: FAULT,
        Input.TARGETS: FAULT,
        Input.NO_TARGETS: FAULT,
        Input.ABANDON: FAULT,
        Input.UNKNOWN: IGNORE("its 2xx has come all the same"),
    },
    State.OVER: {
        # Forks that answer late, and repeats of a 2xx whose ACK was lost: the INVITE's transaction still knows us for 64*T1.
        Input.SUCCESS: (State.OVER, (_success_again,)),
        **dict.fromkeys(
            (
                Input.TARGETS,
                Input.NO_TARGETS,
                Input.GO,
                Input.PROVISIONAL,
                Input.CHALLENGE,
                Input.FAIL_OVER,
                Input.FAILURE,
                Input.CANCEL,
                Input.PEER_BYE,
                Input.QUIET,
                Input.LOST,
                Input.ABANDON,
                Input.UNKNOWN,
            ),
            IGNORE("it is over"),
        ),
    },
}
