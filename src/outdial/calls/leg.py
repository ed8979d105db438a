"""One leg of an outbound call: from the INVITE's departure until SIP has said its last word.

Theory of operation. `creation` makes the leg when the call is durable and hands it what it has: the session (our leg's id), the stream's
port, the offer. From then on the leg hears SIP (`sip.values`) and the engine, holds the answer back until the commit that a restart needs
(DESIGN 3.4), and tells its call what the handler must know: ringing, answered, ended. It ends once, for the first cause; after that it only
waits for `Over`. The media of the leg (offer, answer, re-INVITEs, digits by INFO) are `leg_media`'s.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from ..model.ids import LegId
from ..model.media import CloseStream, Done, Failed, NoMedia, StreamStatistics
from ..model.participants import Participant, Status, Tag
from ..model.records import LegDialog
from ..model.terminations import Termination
from ..sip.values import (
    Accepted,
    AckBody,
    ByeReceived,
    Headers,
    Held,
    InfoReceived,
    Offered,
    Over,
    Provisional,
)
from .leg_arrows import LEG, RINGING_STATUSES, LegInput, LegState, go
from .leg_media import LegMedia
from .machine import Machine
from .termination import Cause, because

if TYPE_CHECKING:
    from .call import Call
    from .shared import Shared


SIP_WITHIN_S = 70.0
"""How long SIP and the engine may owe an ended leg their last word. The longest that SIP takes is twice 64*T1: a CANCEL that a 2xx
crosses at the last moment, then a BYE without an answer."""


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
        self.sip_headers: dict[str, str] = {}
        """Headers of the 2xx that the handler may see."""
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
            leg=self.id,
            tag=self.tag,
            to=self.to,
            from_=self.from_,
            direction="Outbound",
            started_at=self.started_at,
            status=self.status,
            sip_headers=self.sip_headers,
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
        self.bound_the_end(now)
        self.call.on_leg_ended(self, now)

    def bound_the_end(self, now: float) -> None:
        """It has ended: whoever owes it a last word owes it for so long and no longer."""
        self.shared.set_timer((self.id, "last word"), now + SIP_WITHIN_S, self._give_up)

    def _give_up(self, now: float) -> None:
        who = " and ".join(
            name for name, owes in (("SIP", self.state is not LegState.OVER), ("the media engine", self.stream_open)) if owes
        )
        self.shared.note(self.call.id, "error", f"{who} never said the last word on this leg", after_s=SIP_WITHIN_S)
        self.stream_open = False
        self.step(LegInput.GIVEN_UP, None, now)

    def answered_by(self, accepted: Accepted, now: float) -> LegDialog:
        """A 2xx has come; what a restart needs to end its dialog."""
        self.answered_at = self.shared.wall(now)
        self.fork = accepted.fork
        self.sip_headers = shown_headers(accepted.headers)
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
        self.settle()
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
        self.settle()
        self.call.on_stream_closed(self, now)

    def settle(self) -> None:
        """Nobody owes it anything any more."""
        if self.done:
            self.shared.stop_timer((self.id, "last word"))


SHOWN_HEADERS = ("user-to-user", "diversion")
MOST_HEADERS = 20
LONGEST_HEADER = 2048


def shown_headers(headers: Headers) -> dict[str, str]:
    """What the handler sees of the headers that were received: custom ones, User-to-User and Diversion, spelt as they came, the first of
    each name (reference 11)."""
    shown: dict[str, str] = {}
    names = set()
    for name, value in headers:
        small = name.lower()
        if (small.startswith("x-") or small in SHOWN_HEADERS) and small not in names and len(value) <= LONGEST_HEADER:
            names.add(small)
            shown[name] = value
            if len(shown) == MOST_HEADERS:
                break
    return shown
