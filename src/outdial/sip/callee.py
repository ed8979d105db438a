"""A session that the peer began: ring, accept, reject, CANCEL, the 2xx until its ACK (RFC 3261 §13.3, §9.2).

Theory of operation. The INVITE is answered with 100 at once and put out as `Incoming`; the owner answers with `Ring`, `Accept` or
`Reject`. A 2xx is repeated until its ACK, 64*T1 at most, then BYE. A BYE that the owner wants before the ACK waits for it
(RFC 3261 §15).
"""

from __future__ import annotations

from enum import auto

from ..core import FAULT, IGNORE, Symbol, Table
from .dialog import Dialog
from .headers import parse_cseq, tag_of
from .message import Request, Response
from .respond import ALLOW, SUPPORTED
from .route_set import contact_of, route_set
from .session import Session, Stack, own_text
from .transaction import Input as TxInput
from .transaction import Transaction
from .uri import bracketed
from .values import AckBody, Address, ByeReceived, Headers


class State(Symbol):
    ALERTING = auto()
    ANSWERED = auto()
    BYE_KEPT = auto()
    TALKING = auto()
    HANGING_UP = auto()
    OVER = auto()


RING_AGAIN = 60.0
"""RFC 3261 §13.3.1.1: proxies give up after three minutes without a provisional response."""


class Input(Symbol):
    RING = auto()
    RING_AGAIN = auto()
    ACCEPT = auto()
    REJECT = auto()
    BYE = auto()
    ACK = auto()
    REPEAT = auto()
    NO_ACK = auto()
    PEER_CANCEL = auto()
    PEER_BYE = auto()
    QUIET = auto()
    LOST = auto()


def dialog_of_invite(request: Request, local_tag: str, source: Address) -> Dialog:
    """The dialog that an INVITE to us makes (RFC 3261 §12.1.1). Raises `RemoteProtocolError` where Contact or Record-Route is broken."""
    remote = request.get("from")
    return Dialog(
        call_id=request.get("call-id"),
        local=f"{request.get('to')};tag={local_tag}",
        local_tag=local_tag,
        remote=remote,
        remote_tag=tag_of(remote, "From"),
        # A peer of RFC 2543 may leave Contact out.
        target=contact_of(request) or f"sip:{bracketed(source.host)}:{source.port}",
        routes=route_set(request, reverse=False),
        local_cseq=0,
        remote_cseq=parse_cseq(request.get("cseq"))[0],
        fallback=source,
    )


_TIMERS = {"again": Input.REPEAT, "no ack": Input.NO_ACK, "ring": Input.RING_AGAIN}


class Callee(Session):
    """A call to us, from `Incoming` to `Over`."""

    def __init__(self, stack: Stack, session: str, dialog: Dialog, tx: Transaction) -> None:
        super().__init__(stack, session, dialog.local_tag, State.ALERTING)
        self.tx = tx
        self.dialog = dialog
        self.body = b""
        self.status = 180
        self.phrase = ""
        self.headers: Headers = ()
        self.interval = 0.0

    # --- commands ---

    def ring(self, status: int, body: bytes, now: float) -> None:
        self.status, self.body = status, body
        self.feed(Input.RING, now)

    def accept(self, body: bytes, now: float) -> None:
        self.body = body
        self.feed(Input.ACCEPT, now)

    def reject(self, status: int, phrase: str, headers: Headers, now: float) -> None:
        self.status, self.phrase, self.headers = status, phrase, headers
        self.feed(Input.REJECT, now)

    def hang_up(self, reason: str, now: float) -> None:
        if not self.reason:
            self.reason = own_text(reason, "reason")
        self.feed(Input.BYE, now)

    # --- what arrives ---

    def on_ack(self, cseq: int, body: bytes, now: float) -> None:
        """The ACK of a 2xx."""
        if not self.renegotiation.ack(cseq, body, now):
            self.body = body
            self.feed(Input.ACK, now)

    def on_cancel(self, reason: str, now: float) -> None:
        self.peer_reason = reason
        self.feed(Input.PEER_CANCEL, now)

    def on_timer(self, timer: str, now: float) -> None:
        if timer.startswith("re:"):
            self.renegotiation.on_timer(timer[3:], now)
        else:
            self.feed(_TIMERS[timer], now)

    def on_response(self, transaction: Transaction, response: Response, source: Address, now: float) -> None:
        self.on_dialog_response(transaction, self.dialog, response, now)

    def on_failed(self, transaction: Transaction, status: int, detail: str, now: float) -> None:
        self.on_dialog_failed(transaction, status, detail, now)

    # --- what the shared part asks ---

    def dialog_of(self, remote_tag: str, call_id: str) -> Dialog | None:
        dialog = self.dialog
        return dialog if dialog.remote_tag == remote_tag and dialog.call_id == call_id else None

    def talking(self) -> Dialog | None:
        return self.dialog if self.state is State.TALKING else None

    @property
    def ending(self) -> bool:
        return self.state in (State.HANGING_UP, State.OVER)

    def peer_bye(self, now: float) -> None:
        self.feed(Input.PEER_BYE, now)

    def quiet(self, now: float) -> None:
        self.feed(Input.QUIET, now)

    def lost(self, now: float) -> None:
        self.feed(Input.LOST, now)

    def offer_refusal(self) -> int:
        if self.state is State.ALERTING:
            return 500  # RFC 3261 §14.2: the first INVITE has no final response yet
        return 0 if self.state is State.TALKING else 491

    def hang_up_unacknowledged(self, now: float) -> None:
        self.end = ("network", 408, "no ACK came for a re-INVITE", "")
        self.feed(Input.BYE, now)

    def answer(self, status: int, now: float, *, phrase: str = "", headers: Headers = (), body: bytes = b"") -> None:
        """Answer the INVITE."""
        if body:
            headers += (("Content-Type", "application/sdp"),)
        self.stack.answer(self.tx, status, now, phrase=phrase, tag=self.local_tag, headers=headers, body=body)


# --- steps ---


def _ring(call: Callee, now: float) -> None:
    status = call.status if 100 < call.status < 200 else 180
    if call.body and status == 180:
        status = 183
    call.answer(status, now, headers=(("Contact", call.stack.contact), ALLOW, *call.stack.server), body=call.body)
    call.stack.arm_session(call, "ring", now + RING_AGAIN)


def _ring_again(call: Callee, now: float) -> None:
    call.stack.send(call.tx.data, call.tx.destination, call.session)
    call.stack.arm_session(call, "ring", now + RING_AGAIN)


def _stop_ringing(call: Callee, now: float) -> None:
    call.stack.disarm_session(call, "ring")


def _accept(call: Callee, now: float) -> None:
    call.answer(200, now, headers=(("Contact", call.stack.contact), ALLOW, SUPPORTED, *call.stack.server), body=call.body)
    stack = call.stack
    call.interval = stack.timers.t1
    stack.arm_session(call, "again", now + call.interval)
    stack.arm_session(call, "no ack", now + stack.timers.patience)


def _again(call: Callee, now: float) -> None:
    stack = call.stack
    call.tx.take(TxInput.SEND_SUCCESS, now)
    call.interval = min(2 * call.interval, stack.timers.t2)
    stack.arm_session(call, "again", now + call.interval)


def _stop(call: Callee, now: float) -> None:
    call.stack.disarm_session(call, "again")
    call.stack.disarm_session(call, "no ack")
    call.tx.slim()


def _report_ack(call: Callee, now: float) -> None:
    call.stack.emit(AckBody(session=call.session, body=call.body))


def _reject(call: Callee, now: float) -> None:
    status = call.status if 300 <= call.status < 700 else 500
    call.end = ("us", status, call.phrase, "")
    call.answer(status, now, phrase=call.phrase, headers=(*call.headers, *call.stack.server))


def _reject_480(call: Callee, now: float) -> None:
    call.end = ("us", 480, "", "")
    call.answer(480, now, headers=(("Reason", call.reason),) if call.reason else ())


def _cancelled(call: Callee, now: float) -> None:
    call.answer(487, now)
    call.end = ("peer", 487, "", call.peer_reason)
    call.stack.emit(ByeReceived(session=call.session, reason=call.peer_reason, cancelled=True))


def _bye(call: Callee, now: float) -> None:
    call.send_bye(call.dialog, now)


def _no_ack(call: Callee, now: float) -> None:
    call.end = ("network", 408, "no ACK came for our 200", "")


def _report_bye(call: Callee, now: float) -> None:
    call.report_bye(now)


def _finish(call: Callee, now: float) -> None:
    call.finish(now)


_ANSWERED = IGNORE("it has been answered")
_LATE = IGNORE("it has its final response, RFC 3261 §9.2")
_GONE = IGNORE("it is over")

CALLEE: Table = {
    State.ALERTING: {
        Input.RING: (State.ALERTING, (_ring,)),
        Input.RING_AGAIN: (State.ALERTING, (_ring_again,)),
        Input.ACCEPT: (State.ANSWERED, (_stop_ringing, _accept)),
        Input.REJECT: (State.OVER, (_stop_ringing, _reject, _finish)),
        Input.BYE: (State.OVER, (_stop_ringing, _reject_480, _finish)),
        Input.PEER_CANCEL: (State.OVER, (_stop_ringing, _cancelled, _finish)),
        # RFC 3261 §15: the caller may end an early dialog with BYE; the INVITE still wants its final response.
        Input.PEER_BYE: (State.OVER, (_stop_ringing, _cancelled, _finish)),
        Input.ACK: IGNORE("nothing has been answered that could be acknowledged"),
        Input.REPEAT: FAULT,
        Input.NO_ACK: FAULT,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
    },
    State.ANSWERED: {
        Input.ACK: (State.TALKING, (_stop, _report_ack)),
        Input.REPEAT: (State.ANSWERED, (_again,)),
        Input.NO_ACK: (State.HANGING_UP, (_stop, _no_ack, _bye)),
        Input.BYE: (State.BYE_KEPT, ()),
        Input.PEER_BYE: (State.OVER, (_stop, _report_bye, _finish)),
        Input.PEER_CANCEL: _LATE,
        Input.RING: _ANSWERED,
        Input.RING_AGAIN: FAULT,
        Input.ACCEPT: _ANSWERED,
        Input.REJECT: _ANSWERED,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
    },
    State.BYE_KEPT: {
        Input.ACK: (State.HANGING_UP, (_stop, _bye)),
        Input.REPEAT: (State.BYE_KEPT, (_again,)),
        Input.NO_ACK: (State.HANGING_UP, (_stop, _bye)),
        Input.PEER_BYE: (State.OVER, (_stop, _report_bye, _finish)),
        Input.BYE: IGNORE("it waits for the ACK"),
        Input.PEER_CANCEL: _LATE,
        Input.RING: _ANSWERED,
        Input.RING_AGAIN: FAULT,
        Input.ACCEPT: _ANSWERED,
        Input.REJECT: _ANSWERED,
        Input.QUIET: FAULT,
        Input.LOST: FAULT,
    },
    State.TALKING: {
        Input.BYE: (State.HANGING_UP, (_bye,)),
        Input.PEER_BYE: (State.OVER, (_report_bye, _finish)),
        Input.LOST: (State.HANGING_UP, (_bye,)),
        Input.ACK: IGNORE("a repeat"),
        Input.PEER_CANCEL: _LATE,
        Input.RING: _ANSWERED,
        Input.RING_AGAIN: FAULT,
        Input.ACCEPT: _ANSWERED,
        Input.REJECT: _ANSWERED,
        Input.REPEAT: FAULT,
        Input.NO_ACK: FAULT,
        Input.QUIET: FAULT,
    },
    State.HANGING_UP: {
        Input.QUIET: (State.OVER, (_finish,)),
        Input.PEER_BYE: IGNORE("the two BYEs crossed; ours has its answer coming"),
        Input.ACK: IGNORE("a repeat, or too late"),
        Input.BYE: IGNORE("it is being hung up"),
        Input.LOST: IGNORE("it is being hung up"),
        Input.PEER_CANCEL: _LATE,
        Input.RING: _ANSWERED,
        Input.RING_AGAIN: FAULT,
        Input.ACCEPT: _ANSWERED,
        Input.REJECT: _ANSWERED,
        Input.REPEAT: FAULT,
        Input.NO_ACK: FAULT,
    },
    State.OVER: dict.fromkeys(Input, _GONE),
}
Callee.table = CALLEE
