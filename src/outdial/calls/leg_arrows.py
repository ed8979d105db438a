"""Every arrow of a leg: its states, what can happen to it, and what is done then. `leg` is the leg itself."""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING, Any

from ..core import FAULT, IGNORE, Symbol, Table
from ..model.ids import LegId
from ..model.records import LegInvite
from ..model.terminations import Termination
from ..sip.values import (
    Accepted,
    AckBody,
    Acknowledge,
    Bye,
    ByeReceived,
    Cancel,
    Go,
    Held,
    InfoReceived,
    Offered,
    Over,
    Provisional,
)
from .termination import Cause, because, of_session

if TYPE_CHECKING:
    from .leg import Leg


class LegState(Symbol):
    """Where a leg stands."""

    CALLING = auto()
    RINGING = auto()
    ANSWERING = auto()
    """A usable 2xx has come; its ACK waits for the commit."""
    UP = auto()
    ENDED = auto()
    """It is decided why it ended; SIP is not through with it yet."""
    OVER = auto()


class LegInput(Symbol):
    """What can happen to a leg."""

    HELD = auto()
    """An INVITE again: after a challenge, or to a next target."""
    INVITE_KEPT = auto()
    PROGRESS = auto()
    RINGS = auto()
    ANSWER = auto()
    BAD_ANSWER = auto()
    OTHER_ANSWER = auto()
    """A 2xx that is not wanted: a crossing or a losing fork."""
    KEPT = auto()
    OFFER = auto()
    ACK_BODY = auto()
    INFO = auto()
    BYE = auto()
    OVER = auto()
    RING_LIMIT = auto()
    TOO_LONG = auto()
    END = auto()
    """We end it: the application, the handler's fault, the engine's death, a drain."""
    GIVEN_UP = auto()
    """It has ended, and SIP or the engine never said its last word: a fault of ours that must not keep the call open for ever."""


def keep_invite(leg: Leg, held: Held, now: float) -> None:
    record = leg_invite(leg.id, held, leg.media.offer)
    leg.shared.save_and_hold((leg.id, "invite"), leg.call.id, (record,), now, lambda at: leg.step(LegInput.INVITE_KEPT, None, at))


def go(leg: Leg, _: Any, now: float) -> None:
    leg.shared.put(Go(session=leg.id))


def early_media(leg: Leg, provisional: Provisional, now: float) -> None:
    leg.media.on_early_answer(provisional.tag, provisional.body, provisional.source.host)


def tell_ringing(leg: Leg, _: Any, now: float) -> None:
    leg.call.on_ringing(leg, now)


def keep_dialog(leg: Leg, accepted: Accepted, now: float) -> None:
    leg.shared.stop_timer((leg.id, "ring"))
    record = leg.answered_by(accepted, now)
    leg.shared.save_and_hold((leg.id, "answer"), leg.call.id, (record,), now, lambda at: leg.step(LegInput.KEPT, None, at))


def acknowledge(leg: Leg, _: Any, now: float) -> None:
    leg.shared.stop_timer((leg.id, "answer"))
    leg.shared.put(Acknowledge(session=leg.id, fork=leg.fork))


def tell_answered(leg: Leg, _: Any, now: float) -> None:
    leg.status = "Connected"
    leg.call.on_answered(leg, now)


def limit_length(leg: Leg, _: Any, now: float) -> None:
    leg.shared.set_timer((leg.id, "max_call"), now + leg.shared.settings.max_call_s, lambda at: leg.step(LegInput.TOO_LONG, None, at))


def answer_offer(leg: Leg, offered: Offered, now: float) -> None:
    leg.media.on_offer(offered.method, offered.body)


def judge_ack(leg: Leg, ack: AckBody, now: float) -> None:
    leg.media.on_ack_answer(ack.body)


def press(leg: Leg, info: InfoReceived, now: float) -> None:
    leg.media.on_info(info.content_type, info.body)


def note_other_answer(leg: Leg, accepted: Accepted, now: float) -> None:
    leg.shared.note(leg.call.id, "info", "a 2xx that is not wanted was answered with ACK and BYE", fork=accepted.fork)


def cancel(leg: Leg, _: Any, now: float) -> None:
    leg.shared.put(Cancel(session=leg.id))


def bye(leg: Leg, _: Any, now: float) -> None:
    leg.shared.put(Bye(session=leg.id))


def take_unusable_answer(leg: Leg, given: tuple[Accepted, str], now: float) -> None:
    accepted, why = given
    leg.shared.record(leg.answered_by(accepted, now))
    leg.shared.put(Acknowledge(session=leg.id, fork=accepted.fork))
    leg.shared.put(Bye(session=leg.id))
    leg.end(because(Cause.UNUSABLE_ANSWER, answered=False, detail=f"The answer's SDP cannot be used: {why}", sip_status=200), now)


def end_by_bye(leg: Leg, received: ByeReceived, now: float) -> None:
    leg.end(because(Cause.CALLEE_HUNG_UP, answered=leg.answered, sip_reason=received.reason), now)


def end_by_status(leg: Leg, over: Over, now: float) -> None:
    leg.end(of_session(over.who, over.status, over.phrase, over.reason, answered=leg.answered), now)


def end_unanswered(leg: Leg, _: Any, now: float) -> None:
    limit = leg.shared.settings.ring_timeout_s
    leg.end(because(Cause.RING_LIMIT, answered=False, detail=f"Nobody answered within ring_timeout ({limit:g} s)."), now)


def end_too_long(leg: Leg, _: Any, now: float) -> None:
    limit = leg.shared.settings.max_call_s
    leg.end(because(Cause.TOO_LONG, answered=True, detail=f"The call reached max_call ({limit:g} s)."), now)


def end_as_told(leg: Leg, termination: Termination, now: float) -> None:
    leg.end(termination, now)


def be_over(leg: Leg, _: Any, now: float) -> None:
    leg.settle()
    leg.call.on_leg_over(leg, now)


_S, _I = LegState, LegInput
_HAS_ENDED = IGNORE("the first cause has won; SIP ends what is left")
_NOT_UP = IGNORE("nothing listens before the answer")
_ALREADY = IGNORE("the leg has been answered")
_OLD_TIMER = IGNORE("a timer that was stopped")

LEG: Table = {
    _S.CALLING: {
        _I.HELD: (_S.CALLING, (keep_invite,)),
        _I.INVITE_KEPT: (_S.CALLING, (go,)),
        _I.PROGRESS: (_S.CALLING, (early_media,)),
        _I.RINGS: (_S.RINGING, (early_media, tell_ringing)),
        _I.ANSWER: (_S.ANSWERING, (keep_dialog,)),
        _I.BAD_ANSWER: (_S.ENDED, (take_unusable_answer,)),
        _I.OTHER_ANSWER: (_S.CALLING, (note_other_answer,)),
        _I.KEPT: FAULT,
        _I.OFFER: (_S.CALLING, (answer_offer,)),
        _I.ACK_BODY: FAULT,
        _I.INFO: _NOT_UP,
        _I.BYE: (_S.ENDED, (end_by_bye,)),
        _I.OVER: (_S.OVER, (end_by_status, be_over)),
        _I.RING_LIMIT: (_S.ENDED, (cancel, end_unanswered)),
        _I.TOO_LONG: FAULT,
        _I.END: (_S.ENDED, (cancel, end_as_told)),
        _I.GIVEN_UP: FAULT,
    },
    _S.RINGING: {
        _I.HELD: (_S.RINGING, (keep_invite,)),
        _I.INVITE_KEPT: (_S.RINGING, (go,)),
        _I.PROGRESS: (_S.RINGING, (early_media,)),
        _I.RINGS: (_S.RINGING, (early_media,)),
        _I.ANSWER: (_S.ANSWERING, (keep_dialog,)),
        _I.BAD_ANSWER: (_S.ENDED, (take_unusable_answer,)),
        _I.OTHER_ANSWER: (_S.RINGING, (note_other_answer,)),
        _I.KEPT: FAULT,
        _I.OFFER: (_S.RINGING, (answer_offer,)),
        _I.ACK_BODY: FAULT,
        _I.INFO: _NOT_UP,
        _I.BYE: (_S.ENDED, (end_by_bye,)),
        _I.OVER: (_S.OVER, (end_by_status, be_over)),
        _I.RING_LIMIT: (_S.ENDED, (cancel, end_unanswered)),
        _I.TOO_LONG: FAULT,
        _I.END: (_S.ENDED, (cancel, end_as_told)),
        _I.GIVEN_UP: FAULT,
    },
    _S.ANSWERING: {
        _I.HELD: _ALREADY,
        _I.INVITE_KEPT: _ALREADY,
        _I.PROGRESS: _ALREADY,
        _I.RINGS: _ALREADY,
        _I.ANSWER: _ALREADY,
        _I.BAD_ANSWER: _ALREADY,
        _I.OTHER_ANSWER: (_S.ANSWERING, (note_other_answer,)),
        _I.KEPT: (_S.UP, (acknowledge, limit_length, tell_answered)),
        _I.OFFER: (_S.ANSWERING, (answer_offer,)),
        _I.ACK_BODY: (_S.ANSWERING, (judge_ack,)),
        _I.INFO: _NOT_UP,
        _I.BYE: (_S.ENDED, (acknowledge, tell_answered, end_by_bye)),
        _I.OVER: (_S.OVER, (end_by_status, be_over)),
        _I.RING_LIMIT: _OLD_TIMER,
        _I.TOO_LONG: FAULT,
        _I.END: (_S.ENDED, (acknowledge, bye, end_as_told)),
        _I.GIVEN_UP: FAULT,
    },
    _S.UP: {
        _I.HELD: _ALREADY,
        _I.INVITE_KEPT: _ALREADY,
        _I.PROGRESS: _ALREADY,
        _I.RINGS: _ALREADY,
        _I.ANSWER: _ALREADY,
        _I.BAD_ANSWER: _ALREADY,
        _I.OTHER_ANSWER: (_S.UP, (note_other_answer,)),
        _I.KEPT: FAULT,
        _I.OFFER: (_S.UP, (answer_offer,)),
        _I.ACK_BODY: (_S.UP, (judge_ack,)),
        _I.INFO: (_S.UP, (press,)),
        _I.BYE: (_S.ENDED, (end_by_bye,)),
        _I.OVER: (_S.OVER, (end_by_status, be_over)),
        _I.RING_LIMIT: _OLD_TIMER,
        _I.TOO_LONG: (_S.ENDED, (bye, end_too_long)),
        _I.END: (_S.ENDED, (bye, end_as_told)),
        _I.GIVEN_UP: FAULT,
    },
    _S.ENDED: {
        **dict.fromkeys(LegInput, _HAS_ENDED),
        _I.OTHER_ANSWER: (_S.ENDED, (note_other_answer,)),
        _I.OVER: (_S.OVER, (be_over,)),
        _I.GIVEN_UP: (_S.OVER, (be_over,)),
    },
    _S.OVER: {
        **{given: IGNORE("SIP has said its last word") for given in LegInput},
        _I.GIVEN_UP: (_S.OVER, (be_over,)),
    },
}
"""Every arrow of a leg. The early answer of a 18x is media (RFC 3960), not an event: the handler hears RINGING only."""

RINGING_STATUSES = {180, 183}
"""RINGING once, on the first 180 or 183 (reference 18)."""


def leg_invite(leg: LegId, held: Held, offer: bytes) -> LegInvite:
    """What a restart needs to CANCEL this INVITE."""
    return LegInvite(
        leg=leg,
        invite=held.invite,
        transport=held.source.transport,
        source=str(held.source),
        destination=str(held.destination),
        offer=offer,
    )
