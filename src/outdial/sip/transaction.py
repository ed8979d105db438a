"""The four transactions of RFC 3261 §17, with the Accepted states of RFC 6026, as total tables.

Theory of operation. A transaction is one request and its responses between two hops. It repeats what may have been lost, absorbs what
comes twice, and tells its *user* (a session) what happened; it never looks at a dialog. A client transaction is found by the branch of
the topmost Via and CSeq's method, a server transaction by branch, sent-by and method (an ACK to a refusal finds its INVITE).

Each arrow of the RFC's figures is a row of a table here: (state, what happened) to (next state, steps). `Transaction.take` is the only
place where a state changes. Steps act through the `Host` (the endpoint): send, arm a timer, forget. A 2xx to an INVITE is not repeated
here but by the session (RFC 3261 §13.3.1.4); in ACCEPTED the transaction only keeps the branch known for 64*T1.
"""

from __future__ import annotations

from enum import auto
from typing import Protocol

from ..core import FAULT, IGNORE, Symbol, Table
from .message import Request, Response
from .respond import METHODS
from .siblings import ack_of_refusal
from .timers import Timers
from .values import Address


class State(Symbol):
    """States of RFC 3261 figures 5 to 8; each machine has its own subset."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(Symbol):
    """What happens to a transaction."""

    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    FINAL = auto()
    REQUEST = auto()
    ACK = auto()
    SEND_PROVISIONAL = auto()
    SEND_SUCCESS = auto()
    SEND_FAILURE = auto()
    SEND_FINAL = auto()
    TRANSPORT_ERROR = auto()
    ABANDON = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_J = auto()
    TIMER_K = auto()
    TIMER_L = auto()
    TIMER_M = auto()


class User(Protocol):
    """Who is told what a transaction of his meets."""

    session: str

    def on_response(self, transaction: Transaction, response: Response, source: Address, now: float) -> None: ...
    def on_failed(self, transaction: Transaction, status: int, detail: str, now: float) -> None: ...


class Host(Protocol):
    """What a transaction needs of the endpoint."""

    timers: Timers

    def send(self, data: bytes, destination: Address, session: str) -> None: ...
    def arm(self, transaction: Transaction, timer: Input, at: float) -> None: ...
    def disarm(self, transaction: Transaction, *timers: Input) -> None: ...
    def forget(self, transaction: Transaction) -> None: ...
    def answered(self, transaction: Transaction) -> None: ...


_EMPTY = {method: Request(method=method, uri="", headers=()) for method in METHODS}


class Transaction:
    """One transaction of any of the four kinds; `table` says which."""

    __slots__ = (
        "ack",
        "data",
        "destination",
        "detail",
        "host",
        "interval",
        "key",
        "merge",
        "reliable",
        "request",
        "response",
        "source",
        "state",
        "table",
        "user",
        "vias",
    )

    def __init__(
        self, host: Host, table: Table, state: State, key: tuple[str, ...], user: User | None, request: Request, destination: Address
    ) -> None:
        self.host = host
        self.table = table
        self.state = state
        self.key = key
        self.user = user
        self.request = request
        self.destination = destination
        """Where we send: the request of a client, the responses of a server."""
        self.reliable = destination.transport != "udp"
        self.data = b""
        """What is sent again: the request of a client, the last response of a server."""
        self.ack = b""
        self.interval = 0.0
        self.response: Response | None = None
        self.source = destination
        self.detail = ""
        self.merge: tuple[str, str, int] | None = None
        self.vias: tuple[str, ...] = ()
        """Server: the Via values that its responses carry."""

    @property
    def session(self) -> str:
        return self.user.session if self.user is not None else ""

    def take(self, item: Input, now: float) -> None:
        """Let one thing happen."""
        row = self.table[self.state][item]
        if isinstance(row, tuple):
            self.state = row[0]  # type: ignore[assignment]
            for step in row[1]:
                step(self, now)
        elif row is FAULT:
            raise AssertionError(f"{item.name} in {self.state.name}")

    def receive(self, response: Response, source: Address, now: float) -> None:
        """Client: a response arrived."""
        status = response.status
        if status < 200:
            item = Input.PROVISIONAL
        elif self.table is not INVITE_CLIENT:
            item = Input.FINAL
        else:
            item = Input.SUCCESS if status < 300 else Input.FAILURE
        self.response, self.source = response, source
        self.take(item, now)
        self.response = None

    def fail(self, detail: str, now: float) -> None:
        """Client: sending failed."""
        self.detail = detail
        self.take(Input.TRANSPORT_ERROR, now)

    def slim(self, *, keep_response: bool = False) -> None:
        """Let go of what only matters until the final response: thousands of these linger for 64*T1."""
        self.request = _EMPTY.get(self.request.method, self.request)
        if not keep_response:
            self.data = b""

    def respond(self, status: int, data: bytes, now: float) -> None:
        """Server: send a response (unless the table says that the time for it has passed)."""
        self.data, before = data, self.data
        if status < 200:
            item = Input.SEND_PROVISIONAL
        elif self.table is not INVITE_SERVER:
            item = Input.SEND_FINAL
        else:
            item = Input.SEND_SUCCESS if status < 300 else Input.SEND_FAILURE
        if not isinstance(self.table[self.state][item], tuple):
            self.data = before
        self.take(item, now)


# --- steps ---


def _send(tx: Transaction, now: float) -> None:
    tx.host.send(tx.data, tx.destination, tx.session)


def _send_if_any(tx: Transaction, now: float) -> None:
    if tx.data:
        tx.host.send(tx.data, tx.destination, tx.session)


def _send_ack(tx: Transaction, now: float) -> None:
    if not tx.ack and tx.response is not None:
        tx.ack = ack_of_refusal(tx.request, tx.response)
    tx.host.send(tx.ack, tx.destination, tx.session)


def _repeat_a(tx: Transaction, now: float) -> None:
    tx.interval *= 2
    tx.host.arm(tx, Input.TIMER_A, now + tx.interval)


def _repeat_e(tx: Transaction, now: float) -> None:
    tx.interval = min(2 * tx.interval, tx.host.timers.t2)
    tx.host.arm(tx, Input.TIMER_E, now + tx.interval)


def _repeat_e_slowly(tx: Transaction, now: float) -> None:
    tx.interval = tx.host.timers.t2
    tx.host.arm(tx, Input.TIMER_E, now + tx.interval)


def _repeat_g(tx: Transaction, now: float) -> None:
    tx.interval = min(2 * tx.interval, tx.host.timers.t2)
    tx.host.arm(tx, Input.TIMER_G, now + tx.interval)


def _start_g_h(tx: Transaction, now: float) -> None:
    if not tx.reliable:
        tx.interval = tx.host.timers.t1
        tx.host.arm(tx, Input.TIMER_G, now + tx.interval)
    tx.host.arm(tx, Input.TIMER_H, now + tx.host.timers.patience)


def _start_d(tx: Transaction, now: float) -> None:
    tx.host.arm(tx, Input.TIMER_D, now + (0.0 if tx.reliable else tx.host.timers.d))


def _start_i(tx: Transaction, now: float) -> None:
    tx.host.arm(tx, Input.TIMER_I, now + (0.0 if tx.reliable else tx.host.timers.t4))


def _start_j(tx: Transaction, now: float) -> None:
    tx.slim(keep_response=True)
    tx.host.arm(tx, Input.TIMER_J, now + (0.0 if tx.reliable else tx.host.timers.patience))


def _start_k(tx: Transaction, now: float) -> None:
    tx.data = b""
    tx.host.arm(tx, Input.TIMER_K, now + (0.0 if tx.reliable else tx.host.timers.t4))


def _start_l(tx: Transaction, now: float) -> None:
    tx.host.arm(tx, Input.TIMER_L, now + tx.host.timers.patience)


def _start_m(tx: Transaction, now: float) -> None:
    tx.data = b""
    tx.host.arm(tx, Input.TIMER_M, now + tx.host.timers.patience)


def _stop_a_b(tx: Transaction, now: float) -> None:
    tx.host.disarm(tx, Input.TIMER_A, Input.TIMER_B)
    tx.host.answered(tx)


def _stop_e_f(tx: Transaction, now: float) -> None:
    tx.host.disarm(tx, Input.TIMER_E, Input.TIMER_F)
    tx.host.answered(tx)


def _stop_g_h(tx: Transaction, now: float) -> None:
    tx.host.disarm(tx, Input.TIMER_G, Input.TIMER_H)


def _answered(tx: Transaction, now: float) -> None:
    tx.host.answered(tx)


def _pass_up(tx: Transaction, now: float) -> None:
    if tx.user is not None and tx.response is not None:
        tx.user.on_response(tx, tx.response, tx.source, now)


def _timed_out(tx: Transaction, now: float) -> None:
    if tx.user is not None:
        tx.user.on_failed(tx, 408, "no answer", now)


def _not_sent(tx: Transaction, now: float) -> None:
    if tx.user is not None:
        tx.user.on_failed(tx, 503, tx.detail, now)


def _forget(tx: Transaction, now: float) -> None:
    tx.host.forget(tx)


_GONE = IGNORE("the transaction is forgotten: nothing finds it")
_DONE = IGNORE("the final response has been passed up")

INVITE_CLIENT_INPUTS = (
    Input.PROVISIONAL,
    Input.SUCCESS,
    Input.FAILURE,
    Input.TRANSPORT_ERROR,
    Input.ABANDON,
    Input.TIMER_A,
    Input.TIMER_B,
    Input.TIMER_D,
    Input.TIMER_M,
)
# INVITE client transaction: RFC 3261 §17.1.1 figure 5, with Accepted from RFC 6026 §7.2.
INVITE_CLIENT: Table = {
    State.CALLING: {
        Input.TIMER_A: (State.CALLING, (_send, _repeat_a)),
        Input.TIMER_B: (State.TERMINATED, (_stop_a_b, _forget, _timed_out)),
        Input.TRANSPORT_ERROR: (State.TERMINATED, (_stop_a_b, _forget, _not_sent)),
        Input.PROVISIONAL: (State.PROCEEDING, (_stop_a_b, _pass_up)),
        Input.SUCCESS: (State.ACCEPTED, (_stop_a_b, _start_m, _pass_up)),
        Input.FAILURE: (State.COMPLETED, (_stop_a_b, _send_ack, _start_d, _pass_up)),
        Input.ABANDON: (State.TERMINATED, (_stop_a_b, _forget)),
        Input.TIMER_D: FAULT,
        Input.TIMER_M: FAULT,
    },
    State.PROCEEDING: {
        Input.PROVISIONAL: (State.PROCEEDING, (_pass_up,)),
        Input.SUCCESS: (State.ACCEPTED, (_start_m, _pass_up)),
        Input.FAILURE: (State.COMPLETED, (_send_ack, _start_d, _pass_up)),
        # 64*T1 after a CANCEL that brought no final response, RFC 3261 §9.1; without CANCEL the ring limit of the user decides.
        Input.ABANDON: (State.TERMINATED, (_forget,)),
        Input.TRANSPORT_ERROR: IGNORE("nothing is being sent; the peer has answered before"),
        Input.TIMER_A: FAULT,
        Input.TIMER_B: FAULT,
        Input.TIMER_D: FAULT,
        Input.TIMER_M: FAULT,
    },
    State.COMPLETED: {
        Input.FAILURE: (State.COMPLETED, (_send_ack,)),
        Input.TIMER_D: (State.TERMINATED, (_forget,)),
        Input.TRANSPORT_ERROR: IGNORE("the user has its answer; the ACK is sent again with the next repeat"),
        Input.PROVISIONAL: _DONE,
        Input.SUCCESS: _DONE,
        Input.ABANDON: _DONE,
        Input.TIMER_A: FAULT,
        Input.TIMER_B: FAULT,
        Input.TIMER_M: FAULT,
    },
    State.ACCEPTED: {
        Input.SUCCESS: (State.ACCEPTED, (_pass_up,)),
        Input.TIMER_M: (State.TERMINATED, (_forget,)),
        Input.TRANSPORT_ERROR: IGNORE("nothing is being sent"),
        Input.PROVISIONAL: _DONE,
        Input.FAILURE: IGNORE("another fork's refusal after a 2xx; a proxy forwards none"),
        Input.ABANDON: _DONE,
        Input.TIMER_A: FAULT,
        Input.TIMER_B: FAULT,
        Input.TIMER_D: FAULT,
    },
    State.TERMINATED: dict.fromkeys(INVITE_CLIENT_INPUTS, _GONE),
}

NON_INVITE_CLIENT_INPUTS = (
    Input.PROVISIONAL,
    Input.FINAL,
    Input.TRANSPORT_ERROR,
    Input.TIMER_E,
    Input.TIMER_F,
    Input.TIMER_K,
)
# Non-INVITE client transaction: RFC 3261 §17.1.2 figure 6.
NON_INVITE_CLIENT: Table = {
    State.TRYING: {
        Input.TIMER_E: (State.TRYING, (_send, _repeat_e)),
        Input.TIMER_F: (State.TERMINATED, (_stop_e_f, _forget, _timed_out)),
        Input.TRANSPORT_ERROR: (State.TERMINATED, (_stop_e_f, _forget, _not_sent)),
        Input.PROVISIONAL: (State.PROCEEDING, (_answered, _pass_up)),
        Input.FINAL: (State.COMPLETED, (_stop_e_f, _start_k, _pass_up)),
        Input.TIMER_K: FAULT,
    },
    State.PROCEEDING: {
        Input.TIMER_E: (State.PROCEEDING, (_send, _repeat_e_slowly)),
        Input.TIMER_F: (State.TERMINATED, (_stop_e_f, _forget, _timed_out)),
        Input.TRANSPORT_ERROR: IGNORE("the peer has answered before; timer F ends it"),
        Input.PROVISIONAL: (State.PROCEEDING, (_pass_up,)),
        Input.FINAL: (State.COMPLETED, (_stop_e_f, _start_k, _pass_up)),
        Input.TIMER_K: FAULT,
    },
    State.COMPLETED: {
        Input.TIMER_K: (State.TERMINATED, (_forget,)),
        Input.PROVISIONAL: _DONE,
        Input.FINAL: _DONE,
        Input.TRANSPORT_ERROR: IGNORE("nothing is being sent"),
        Input.TIMER_E: FAULT,
        Input.TIMER_F: FAULT,
    },
    State.TERMINATED: dict.fromkeys(NON_INVITE_CLIENT_INPUTS, _GONE),
}

INVITE_SERVER_INPUTS = (
    Input.REQUEST,
    Input.ACK,
    Input.SEND_PROVISIONAL,
    Input.SEND_SUCCESS,
    Input.SEND_FAILURE,
    Input.TIMER_G,
    Input.TIMER_H,
    Input.TIMER_I,
    Input.TIMER_L,
)
_ANSWERED = IGNORE("a final response has been sent")
# INVITE server transaction: RFC 3261 §17.2.1 figure 7, with Accepted from RFC 6026 §7.1. A transport error has no row: a final response
# is sent again by timer G or the peer's repeat, and timer H ends it.
INVITE_SERVER: Table = {
    State.PROCEEDING: {
        Input.REQUEST: (State.PROCEEDING, (_send_if_any,)),
        Input.SEND_PROVISIONAL: (State.PROCEEDING, (_send,)),
        Input.SEND_SUCCESS: (State.ACCEPTED, (_send, _start_l)),
        Input.SEND_FAILURE: (State.COMPLETED, (_send, _start_g_h)),
        Input.ACK: IGNORE("nothing has been answered that could be acknowledged"),
        Input.TIMER_G: FAULT,
        Input.TIMER_H: FAULT,
        Input.TIMER_I: FAULT,
        Input.TIMER_L: FAULT,
    },
    State.COMPLETED: {
        Input.REQUEST: (State.COMPLETED, (_send,)),
        Input.TIMER_G: (State.COMPLETED, (_send, _repeat_g)),
        Input.TIMER_H: (State.TERMINATED, (_stop_g_h, _forget)),
        Input.ACK: (State.CONFIRMED, (_stop_g_h, _start_i)),
        Input.SEND_PROVISIONAL: _ANSWERED,
        Input.SEND_SUCCESS: _ANSWERED,
        Input.SEND_FAILURE: _ANSWERED,
        Input.TIMER_I: FAULT,
        Input.TIMER_L: FAULT,
    },
    State.CONFIRMED: {
        Input.TIMER_I: (State.TERMINATED, (_forget,)),
        Input.REQUEST: IGNORE("an INVITE that its own ACK has overtaken"),
        Input.ACK: IGNORE("a repeat"),
        Input.SEND_PROVISIONAL: _ANSWERED,
        Input.SEND_SUCCESS: _ANSWERED,
        Input.SEND_FAILURE: _ANSWERED,
        Input.TIMER_G: FAULT,
        Input.TIMER_H: FAULT,
        Input.TIMER_L: FAULT,
    },
    State.ACCEPTED: {
        Input.REQUEST: IGNORE("the session repeats the 2xx until its ACK, RFC 6026 §7.1"),
        Input.SEND_SUCCESS: (State.ACCEPTED, (_send,)),
        Input.ACK: IGNORE("the ACK of a 2xx has a branch of its own and finds the dialog; one with the INVITE's branch does too"),
        Input.TIMER_L: (State.TERMINATED, (_forget,)),
        Input.SEND_PROVISIONAL: _ANSWERED,
        Input.SEND_FAILURE: _ANSWERED,
        Input.TIMER_G: FAULT,
        Input.TIMER_H: FAULT,
        Input.TIMER_I: FAULT,
    },
    State.TERMINATED: dict.fromkeys(INVITE_SERVER_INPUTS, _GONE),
}

NON_INVITE_SERVER_INPUTS = (Input.REQUEST, Input.SEND_PROVISIONAL, Input.SEND_FINAL, Input.TIMER_J)
# Non-INVITE server transaction: RFC 3261 §17.2.2 figure 8.
NON_INVITE_SERVER: Table = {
    State.TRYING: {
        Input.REQUEST: IGNORE("nothing has been answered yet"),
        Input.SEND_PROVISIONAL: (State.PROCEEDING, (_send,)),
        Input.SEND_FINAL: (State.COMPLETED, (_send, _start_j)),
        Input.TIMER_J: FAULT,
    },
    State.PROCEEDING: {
        Input.REQUEST: (State.PROCEEDING, (_send,)),
        Input.SEND_PROVISIONAL: (State.PROCEEDING, (_send,)),
        Input.SEND_FINAL: (State.COMPLETED, (_send, _start_j)),
        Input.TIMER_J: FAULT,
    },
    State.COMPLETED: {
        Input.REQUEST: (State.COMPLETED, (_send,)),
        Input.SEND_PROVISIONAL: _ANSWERED,
        Input.SEND_FINAL: _ANSWERED,
        Input.TIMER_J: (State.TERMINATED, (_forget,)),
    },
    State.TERMINATED: dict.fromkeys(NON_INVITE_SERVER_INPUTS, _GONE),
}


# --- starting one ---


def start_client(tx: Transaction, now: float, *, repeating: bool = True) -> None:
    """Send the request and arm its timers; `repeating` is false for an INVITE of an earlier run, which is never sent again."""
    host = tx.host
    invite = tx.table is INVITE_CLIENT
    if repeating:
        host.send(tx.data, tx.destination, tx.session)
        if not tx.reliable:
            tx.interval = host.timers.t1
            host.arm(tx, Input.TIMER_A if invite else Input.TIMER_E, now + tx.interval)
    host.arm(tx, Input.TIMER_B if invite else Input.TIMER_F, now + host.timers.patience)
