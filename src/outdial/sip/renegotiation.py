"""Re-INVITE and UPDATE of the peer inside a session (RFC 3261 §14.2, RFC 3311 §5.2). We send none ourselves.

Theory of operation. One request at a time is `Offered` to the owner, who answers `Accept` or `Reject`. A 2xx to a re-INVITE is repeated
until its ACK. A second request before that gets 500 with Retry-After while the first has no final response (§14.2), and 491 while
our 2xx, which may hold an offer of ours, waits for its ACK.
"""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING

from ..core import FAULT, IGNORE, Symbol, Table
from .bodies import sdp_of
from .dialog import Dialog
from .errors import RemoteProtocolError
from .headers import parse_cseq
from .respond import ALLOW, SUPPORTED
from .route_set import check_target, contact_of
from .transaction import Input as TxInput
from .transaction import Transaction
from .values import AckBody, Headers, Offered

if TYPE_CHECKING:
    from .session import Session


class State(Symbol):
    IDLE = auto()
    OFFERED = auto()
    UNACKED = auto()


class Input(Symbol):
    REQUEST = auto()
    ACCEPT_INVITE = auto()
    ACCEPT_UPDATE = auto()
    REJECT = auto()
    ACK = auto()
    REPEAT = auto()
    NO_ACK = auto()
    CANCEL = auto()
    STOP = auto()


class Renegotiation:
    """The one offer of the peer that may be open inside a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = State.IDLE
        self.tx: Transaction | None = None
        """The request that is offered or was answered."""
        self.second: Transaction | None = None
        """One that came while it was."""
        self.cseq = -1
        self.body = b""
        self.status = 200
        self.phrase = ""
        self.headers: Headers = ()
        self.interval = 0.0

    def feed(self, item: Input, now: float) -> None:
        row = RENEGOTIATION[self.state][item]
        if isinstance(row, tuple):
            self.state = row[0]  # type: ignore[assignment]
            for step in row[1]:
                step(self, now)
        elif row is FAULT:
            raise AssertionError(f"{item.name} in {self.state.name}")

    def request(self, tx: Transaction, dialog: Dialog, now: float) -> None:
        """A re-INVITE or UPDATE came in order."""
        stack = self.session.stack
        if tx.request.method == "UPDATE" and not tx.request.body:
            # A target refresh and nothing else.
            if self.refresh(tx, dialog, now):
                stack.answer(tx, 200, now, headers=(("Contact", stack.contact), ALLOW, SUPPORTED))
            return
        if refusal := self.session.offer_refusal():
            stack.answer(tx, refusal, now, headers=(("Retry-After", "5"),) if refusal == 500 else ())
            return
        if self.state is State.IDLE:
            if not self.refresh(tx, dialog, now):
                return
            self.tx = tx
        else:
            self.second = tx
        self.feed(Input.REQUEST, now)

    def refresh(self, tx: Transaction, dialog: Dialog, now: float) -> bool:
        """Take over the peer's new Contact (RFC 3261 §12.2.2); false where it was unusable and the request has been refused."""
        try:
            if target := contact_of(tx.request):
                check_target(target)
                if target != dialog.target:
                    dialog.target = target
                    dialog.destination = None
        except RemoteProtocolError as error:
            self.session.stack.answer(tx, 400, now, phrase=f"Bad Request ({error.detail})")
            return False
        return True

    @property
    def open(self) -> bool:
        """Whether the owner has an offer to answer."""
        return self.state is State.OFFERED

    def accept(self, body: bytes, now: float) -> None:
        assert self.tx is not None
        self.body = body
        self.feed(Input.ACCEPT_INVITE if self.tx.request.method == "INVITE" else Input.ACCEPT_UPDATE, now)

    def reject(self, status: int, phrase: str, headers: Headers, now: float) -> None:
        self.status, self.phrase, self.headers = status, phrase, headers
        self.feed(Input.REJECT, now)

    def cancelled(self, tx: Transaction, now: float) -> None:
        """A CANCEL came for this re-INVITE."""
        if tx is self.tx:
            self.feed(Input.CANCEL, now)

    def ack(self, cseq: int, body: bytes, now: float) -> bool:
        """Whether an ACK was for our 2xx to a re-INVITE."""
        if self.state is not State.UNACKED or cseq != self.cseq:
            return False
        self.body = body
        self.feed(Input.ACK, now)
        return True

    def on_timer(self, timer: str, now: float) -> None:
        self.feed(Input.REPEAT if timer == "again" else Input.NO_ACK, now)

    def stop(self, now: float) -> None:
        """The session is over."""
        self.feed(Input.STOP, now)


def _offer(re: Renegotiation, now: float) -> None:
    assert re.tx is not None
    method = re.tx.request.method
    if method == "INVITE":
        re.session.stack.answer(re.tx, 100, now)
    re.session.stack.emit(
        Offered(session=re.session.session, method="INVITE" if method == "INVITE" else "UPDATE", body=sdp_of(re.tx.request) or b"")
    )


def _refuse_second(re: Renegotiation, now: float) -> None:
    assert re.second is not None
    re.session.stack.answer(re.second, 500, now, headers=(("Retry-After", "5"),))
    re.second = None


def _refuse_glare(re: Renegotiation, now: float) -> None:
    assert re.second is not None
    re.session.stack.answer(re.second, 491, now)
    re.second = None


def _answer_200(re: Renegotiation, now: float) -> None:
    assert re.tx is not None
    stack = re.session.stack
    headers: Headers = (("Contact", stack.contact), ALLOW, SUPPORTED)
    if re.body:
        headers += (("Content-Type", "application/sdp"),)
    stack.answer(re.tx, 200, now, headers=headers, body=re.body)


def _repeat_until_ack(re: Renegotiation, now: float) -> None:
    assert re.tx is not None
    stack = re.session.stack
    re.cseq = parse_cseq(re.tx.request.get("cseq"))[0]
    re.interval = stack.timers.t1
    stack.arm_session(re.session, "re:again", now + re.interval)
    stack.arm_session(re.session, "re:no ack", now + stack.timers.patience)


def _again(re: Renegotiation, now: float) -> None:
    assert re.tx is not None
    stack = re.session.stack
    re.tx.take(TxInput.SEND_SUCCESS, now)
    re.interval = min(2 * re.interval, stack.timers.t2)
    stack.arm_session(re.session, "re:again", now + re.interval)


def _stop_timers(re: Renegotiation, now: float) -> None:
    re.session.stack.disarm_session(re.session, "re:again")
    re.session.stack.disarm_session(re.session, "re:no ack")
    if re.tx is not None:
        re.tx.slim()


def _report_ack(re: Renegotiation, now: float) -> None:
    re.session.stack.emit(AckBody(session=re.session.session, body=re.body))


def _answer_refusal(re: Renegotiation, now: float) -> None:
    assert re.tx is not None
    re.session.stack.answer(re.tx, re.status, now, phrase=re.phrase, headers=re.headers)


def _answer_487(re: Renegotiation, now: float) -> None:
    assert re.tx is not None
    re.session.stack.answer(re.tx, 487, now)


def _hang_up(re: Renegotiation, now: float) -> None:
    re.session.hang_up_unacknowledged(now)


def _clear(re: Renegotiation, now: float) -> None:
    re.tx = None


_NOTHING = IGNORE("nothing is offered: the peer cancelled it, or hung up")
_ANSWERED = IGNORE("it has been answered")

RENEGOTIATION: Table = {
    State.IDLE: {
        Input.REQUEST: (State.OFFERED, (_offer,)),
        Input.ACCEPT_INVITE: _NOTHING,
        Input.ACCEPT_UPDATE: _NOTHING,
        Input.REJECT: _NOTHING,
        Input.ACK: IGNORE("a repeat"),
        Input.REPEAT: FAULT,
        Input.NO_ACK: FAULT,
        Input.CANCEL: IGNORE("it has its final response"),
        Input.STOP: (State.IDLE, ()),
    },
    State.OFFERED: {
        Input.REQUEST: (State.OFFERED, (_refuse_second,)),
        Input.ACCEPT_INVITE: (State.UNACKED, (_answer_200, _repeat_until_ack)),
        Input.ACCEPT_UPDATE: (State.IDLE, (_answer_200, _clear)),
        Input.REJECT: (State.IDLE, (_answer_refusal, _clear)),
        Input.ACK: IGNORE("an ACK of something older"),
        Input.REPEAT: FAULT,
        Input.NO_ACK: FAULT,
        Input.CANCEL: (State.IDLE, (_answer_487, _clear)),
        # RFC 3261 §15.1.2: what is pending when a BYE comes gets 487.
        Input.STOP: (State.IDLE, (_answer_487, _clear)),
    },
    State.UNACKED: {
        Input.REQUEST: (State.UNACKED, (_refuse_glare,)),
        Input.ACCEPT_INVITE: _ANSWERED,
        Input.ACCEPT_UPDATE: _ANSWERED,
        Input.REJECT: _ANSWERED,
        Input.ACK: (State.IDLE, (_stop_timers, _report_ack, _clear)),
        Input.REPEAT: (State.UNACKED, (_again,)),
        Input.NO_ACK: (State.IDLE, (_stop_timers, _clear, _hang_up)),
        Input.CANCEL: _ANSWERED,
        Input.STOP: (State.IDLE, (_stop_timers, _clear)),
    },
}
