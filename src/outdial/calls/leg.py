"""One leg of an outbound call: from the INVITE's departure until SIP has said its last word.

Theory of operation. `creation` makes the leg when the call is durable and hands it what it has: the session (our leg's id), the stream's
port, the offer. From then on the leg hears SIP (`sip.values`) and the engine, holds the answer back until the commit that a restart needs
(DESIGN 3.4), and tells its call what the handler must know: ringing, answered, ended. It ends once, for the first cause; after that it only
waits for `Over`. The media of the leg (offer, answer, re-INVITEs, digits by INFO) are `leg_media`'s.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from ..core import FAULT, IGNORE, Table
from ..model.ids import LegId
from ..model.media import CloseStream, Done, Failed, NoMedia, StreamStatistics
from ..model.participants import Participant, Status, Tag
from ..model.records import LegDialog, LegInvite
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
from .leg_media import LegMedia
from .machine import Machine
from .termination import Cause, because, of_session

if TYPE_CHECKING:
    from .call import Call
    from .shared import Shared


class LegState(Enum):
    """Where a leg stands."""

    CALLING = auto()
    RINGING = auto()
    ANSWERING = auto()
    """A usable 2xx has come; its ACK waits for the commit."""
    UP = auto()
    ENDED = auto()
    """It is decided why it ended; SIP is not through with it yet."""
    OVER = auto()


class LegInput(Enum):
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


def be_over(leg: Leg, over: Over, now: float) -> None:
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
    },
    _S.ENDED: {
        **dict.fromkeys(LegInput, _HAS_ENDED),
        _I.OTHER_ANSWER: (_S.ENDED, (note_other_answer,)),
        _I.OVER: (_S.OVER, (be_over,)),
    },
    _S.OVER: {given: IGNORE("SIP has said its last word") for given in LegInput},
}
"""Every arrow of a leg. The early answer of a 18x is media (RFC 3960), not an event: the handler hears RINGING only."""

RINGING_STATUSES = {180, 183}
"""RINGING once, on the first 180 or 183 (reference 18)."""


class Leg(Machine):
    """A leg of a call: see the table."""

    table = LEG

    def __init__(self, shared: Shared, call: Call, leg: LegId, media: LegMedia | None, *, to: str, from_: str, started_at: int) -> None:
        self.state: Enum = LegState.CALLING
        self.shared = shared
        self.call = call
        self.id = leg
        self._media = media
        self.to = to
        self.from_ = from_
        self.started_at = started_at
        self.tag: Tag = "LEG-A"
        self.status: Status | None = None
        self.answered_at: int | None = None
        self.ended_at: int | None = None
        self.fork = ""
        self.termination: Termination | None = None
        self.statistics: StreamStatistics | None = None
        self.stream_open = media is not None
        self._dialled = False
        """The INVITE has been let go: a name that does not resolve says nothing of the trunk."""
        self._closing: int | None = None

    @property
    def media(self) -> LegMedia:
        """What it agreed on with the far end. A leg that a restart found has none, and is told nothing that asks for it."""
        assert self._media is not None
        return self._media

    @property
    def answered(self) -> bool:
        """A usable 2xx has come."""
        return self.answered_at is not None

    @property
    def alive(self) -> bool:
        """Nothing has ended it yet."""
        return self.termination is None

    @property
    def connected(self) -> bool:
        """Actions may run on it."""
        return self.state is LegState.UP

    @property
    def done(self) -> bool:
        """Neither SIP nor the engine has anything more to say of it."""
        return self.state is LegState.OVER and not self.stream_open

    def participant(self) -> Participant:
        """The leg as an event of this moment shows it."""
        return Participant(
            leg=self.id, tag=self.tag, to=self.to, from_=self.from_, direction="Outbound", started_at=self.started_at, status=self.status
        )

    def start(self, now: float) -> None:
        """The call is durable: let the INVITE leave, and wait for an answer for so long and no longer."""
        self._dialled = True
        go(self, None, now)
        limit = now + self.shared.settings.ring_timeout_s
        self.shared.set_timer((self.id, "ring"), limit, lambda at: self.step(LegInput.RING_LIMIT, None, at))

    def end(self, termination: Termination, now: float) -> None:
        """It is decided: close the stream, tell the call. Called by the table's steps, once."""
        self.termination = termination
        self.ended_at = self.shared.wall(now)
        self.status = "Disconnected"
        for name in ("ring", "max_call", "invite", "answer"):
            self.shared.stop_timer((self.id, name))
        if self.stream_open:
            self._closing = self.shared.order(CloseStream, self.id)
        self.call.on_leg_ended(self, now)

    def answered_by(self, accepted: Accepted, now: float) -> LegDialog:
        """A 2xx has come; what a restart needs to end its dialog."""
        self.answered_at = self.shared.wall(now)
        self.fork = accepted.fork
        return LegDialog(
            leg=self.id,
            answered_at=self.answered_at,
            remote_tag=accepted.remote_tag,
            remote_target=accepted.remote_target,
            routes=accepted.routes,
            answer=accepted.body,
        )

    def on_sip(self, event: Any, now: float) -> None:
        """Take what the endpoint says of this session."""
        match event:
            case Provisional():
                self.step(LegInput.RINGS if event.status in RINGING_STATUSES else LegInput.PROGRESS, event, now)
            case Accepted():
                self._on_accepted(event, now)
            case ByeReceived():
                self.step(LegInput.BYE, event, now)
            case Over():
                if event.who == "network" and event.status != 408 and self.alive and self._dialled:
                    self.call.on_transport_error(now)
                self.step(LegInput.OVER, event, now)
            case Held():
                self.step(LegInput.HELD, event, now)
            case Offered():
                self.step(LegInput.OFFER, event, now)
            case InfoReceived():
                self.step(LegInput.INFO, event, now)
            case AckBody():
                self.step(LegInput.ACK_BODY, event, now)

    def _on_accepted(self, event: Accepted, now: float) -> None:
        if not event.wanted:
            self.step(LegInput.OTHER_ANSWER, event, now)
        elif self.state in (LegState.CALLING, LegState.RINGING):
            why = self.media.on_answer(event.remote_tag, event.body, event.source.host)
            if why is None:
                self.step(LegInput.ANSWER, event, now)
            else:
                self.step(LegInput.BAD_ANSWER, (event, why), now)
        else:
            self.step(LegInput.ANSWER, event, now)

    def on_media(self, event: Any, now: float) -> None:
        """Take what the engine says of this stream; what belongs to an action goes to the call."""
        if isinstance(event, Done | Failed):
            if event.id == self._closing:
                self._closed(event.statistics if isinstance(event, Done) else None, now)
                return
            if event.id in self.media.remotes:
                self.media.remotes.discard(event.id)
                if isinstance(event, Failed):
                    self._refused_by_engine(event, now)
                return
        if isinstance(event, NoMedia) and self.connected:
            self.shared.note(self.call.id, "warning", "nothing has been received from the far end", after_ms=event.ms)
            if self.shared.settings.rtp_timeout_ends:
                self.hang_up(Cause.SILENCE, f"Nothing was received for {event.ms / 1000:g} s, and rtp_timeout_ends is on.", now)
            return
        self.call.on_stream_event(self, event, now)

    def _refused_by_engine(self, failed: Failed, now: float) -> None:
        what = f"The media engine refused the far end's address: {failed.reason} {failed.detail}".rstrip()
        if self.answered:
            self.hang_up(Cause.UNUSABLE_ANSWER if failed.reason == "codec" else Cause.MEDIA_LOST, what, now)
        else:
            self.shared.note(self.call.id, "warning", f"there is no early media: {what}")

    def on_engine_gone(self, now: float) -> None:
        """The engine died: its streams are gone with it."""
        if not self.stream_open:
            return
        self.stream_open = False
        if self.alive:
            self.hang_up(Cause.MEDIA_LOST, "The media engine died.", now)
        self.call.on_stream_lost(self, now)

    def hang_up(self, cause: Cause, detail: str, now: float, code: int | None = None) -> None:
        """End it from our side, where nothing has ended it yet."""
        self.step(LegInput.END, because(cause, answered=self.answered, detail=detail, hangup_code=code), now)

    def faulty(self, given: Enum, reason: str, now: float) -> None:
        self.shared.note(self.call.id, "error", f"{given.name} came to a leg that is {self.state.name}: {reason}")

    def _closed(self, statistics: StreamStatistics | None, now: float) -> None:
        self._closing = None
        self.stream_open = False
        self.statistics = statistics
        self.call.on_stream_closed(self, now)


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
