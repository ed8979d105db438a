"""One call: its legs, its events, its list of actions, and what a reply does to them (DESIGN 3.3, reference 6.3).

Theory of operation. Legs, events and actions each have a module of their own; the call joins them. It lives while a leg is alive, closes
while events are still to be given, and is done when the last event has been dealt with, SIP has said `Over` and the engine has given the
ports back: then it writes its CDR, once, and nothing comes after it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..model.events import Answered, DigitsReceived, Event, HungUp, NewOutboundCall, Ringing
from ..model.ids import CallId, KeyId, LegId
from ..model.invocations import BadReply, InvocationFailed, Replied
from ..model.media import Digit
from ..model.participants import Participant
from ..model.records import CallEnded, Cdr, EventRow, LegEnded
from ..model.terminations import Termination
from .call_arrows import CALL, CallInput, CallState
from .ears import Ears
from .events import Events, Handler
from .machine import Machine
from .runner import Runner
from .termination import Cause

if TYPE_CHECKING:
    from .leg import Leg
    from .shared import Shared


TRUNK_REST_S = 5.0
"""How long a trunk counts as unusable after a transport error (DESIGN 3.2)."""


class Call(Machine):
    """A call in progress: see the table."""

    table = CALL

    def __init__(
        self,
        shared: Shared,
        call: CallId,
        *,
        key: KeyId,
        handler: Handler,
        from_: str,
        to: str,
        started_at: int,
        on_done: Callable[[Call, float], None],
    ) -> None:
        self.state: Enum = CallState.LIVE
        self.shared = shared
        self.id = call
        self.key = key
        self.handler = handler
        self.from_ = from_
        self.to = to
        self.started_at = started_at
        self.legs: dict[LegId, Leg] = {}
        self.events = Events(shared, call, handler)
        self.runner = Runner(shared, self)
        self.ears = Ears(shared, self)
        self.bad_replies = 0
        self.paused = False
        """Its events wait: after a restart, until something is known of the function."""
        self.verdict: Termination | None = None
        """What the CDR says in place of leg A's own termination (a restart)."""
        self._on_done = on_done
        self._hung_up: set[LegId] = set()
        """Legs whose HANGUP is queued."""

    @property
    def leg(self) -> Leg:
        """Leg A."""
        return next(iter(self.legs.values()))

    @property
    def alive(self) -> bool:
        """A leg is alive."""
        return self.state is CallState.LIVE

    def participants(self) -> tuple[Participant, ...]:
        """Every leg as it is now, leg A first."""
        return tuple(leg.participant() for leg in self.legs.values())

    # --- events ---

    def tell(self, event: Event, leg: LegId, now: float) -> int:
        """Something happened that the handler is to be told of; says the event's number."""
        row = self.queue(event, leg, now)
        self.shared.record(row)
        return row.number

    def queue(self, event: Event, leg: LegId, now: float) -> EventRow:
        """The same, where the caller commits the record."""
        return self.events.happened(event, leg, self.participants(), now)

    def first_event(self, arguments: dict[str, str] | None, now: float) -> EventRow:
        """NEW_OUTBOUND_CALL, which stands in the commit of the call itself."""
        return self.queue(NewOutboundCall(arguments=arguments), self.leg.id, now)

    def proceed(self, now: float) -> None:
        """Give the next event, if none is under way; where there is none left, see whether the call is done."""
        if self.paused:
            return
        limit = self.shared.settings.max_invocations
        if self.events.given is None and self.events.waiting and limit is not None and self.events.sequence >= limit:
            self._use_up(limit, now)
        if self.events.given is None and self.events.waiting:
            self.events.give(self.alive)
        self.finish_if_done(now)

    def resume(self, now: float) -> None:
        """Give what has waited."""
        self.shared.stop_timer((self.id, "recovery"))
        if self.paused:
            self.paused = False
            self.proceed(now)

    def _use_up(self, limit: int, now: float) -> None:
        """The next invocation would be one too many: the call ends, and only its HANGUPs are still given."""
        if dropped := self.events.drop_waiting(keep=(HungUp,)):
            self.shared.note(self.id, "warning", "events were dropped: the call has used up its invocations", events=dropped, limit=limit)
        self.end(Cause.HANDLER_FAILED, f"The call has used up its {limit:,} invocations.", now)

    def finish_if_done(self, now: float) -> None:
        """Write the CDR once everything has been dealt with."""
        if self.alive or not self.events.idle or len(self._hung_up) < len(self.legs) or not all(leg.done for leg in self.legs.values()):
            return
        self.step(CallInput.ALL_DEALT_WITH, None, now)

    # --- from the handler ---

    def on_invocation(self, result: Replied | BadReply | InvocationFailed, now: float) -> None:
        """Take what came of the invocation under way."""
        given = self.events.answered(result.sequence)
        if given is None:
            self.shared.note(self.id, "error", "an answer came to an invocation that is not under way", sequence=result.sequence)
            return
        match result:
            case Replied():
                self.step(CallInput.REPLIED, (given, result), now)
            case BadReply():
                self.step(CallInput.BAD_REPLY, (given, result), now)
            case InvocationFailed():
                self.step(CallInput.FAILED, (given, result), now)

    # --- from the legs ---

    def on_ringing(self, leg: Leg, now: float) -> None:
        self.tell(Ringing(), leg.id, now)
        self.proceed(now)

    def on_answered(self, leg: Leg, now: float) -> None:
        self.tell(Answered(), leg.id, now)
        self.proceed(now)

    def on_leg_ended(self, leg: Leg, now: float) -> None:
        """A leg ended: its HANGUP is queued at once, or after the report of what still runs on it."""
        self.ears.stop(leg.id)
        if not any(other.alive for other in self.legs.values()):
            self.step(CallInput.LAST_LEG_ENDED, None, now)
        if not self.runner.leg_gone(leg.id, now):
            self.hang_up_event(leg, now)

    def hang_up_event(self, leg: Leg, now: float) -> None:
        """Queue a leg's HANGUP. `LegEnded` stands in the same unit, so that a restart knows whether the event exists."""
        if leg.id in self._hung_up or leg.termination is None or leg.ended_at is None:
            return
        self._hung_up.add(leg.id)
        self.shared.record(LegEnded(leg=leg.id, ended_at=leg.ended_at, termination=leg.termination))
        self.tell(HungUp(leg=leg.id, termination=leg.termination), leg.id, now)
        self.proceed(now)

    def hung_up_before(self, leg: Leg) -> None:
        """After a restart: the leg's HANGUP is on record."""
        self._hung_up.add(leg.id)

    def on_leg_over(self, leg: Leg, now: float) -> None:
        self.finish_if_done(now)

    def on_stream_closed(self, leg: Leg, now: float) -> None:
        self.finish_if_done(now)

    def on_stream_lost(self, leg: Leg, now: float) -> None:
        """The engine died after the leg had ended."""
        self.runner.on_engine_gone(now)
        self.finish_if_done(now)

    def on_stream_event(self, leg: Leg, event: Any, now: float) -> None:
        """What the engine says of a stream that is not the leg's own business."""
        if isinstance(event, Digit):
            if not self.runner.owns_digits(leg.id):
                self.ears.hear(leg.id, event, now)
        elif not self.runner.on_media(event, now):
            self.ears.note_stream(event)

    def on_transport_error(self, now: float) -> None:
        """The trunk counts as unusable for a while."""
        self.shared.trunk_failed_until = now + TRUNK_REST_S

    def on_report(self, leg: LegId | None, now: float) -> None:
        """A running action has had its last word: what waited for it may follow."""
        for ended in self.legs.values():
            if not ended.alive and (leg is None or ended.id == leg):
                self.hang_up_event(ended, now)
        self.proceed(now)

    def on_digits(self, leg: LegId, event: DigitsReceived, now: float) -> None:
        """A listener heard what it was armed for."""
        if self.events.waiting >= self.shared.settings.max_events_waiting:
            self.shared.note(self.id, "warning", "digits were heard and not queued: too many events wait", digits=len(event.digits))
            return
        self.tell(event, leg, now)
        self.proceed(now)

    # --- ending ---

    def end(self, cause: Cause, detail: str, now: float) -> None:
        """End every leg that is alive, for this cause."""
        for leg in tuple(self.legs.values()):
            if leg.alive:
                leg.hang_up(cause, detail, now)

    def write_cdr(self, now: float) -> None:
        """The one CDR, and nothing after it."""
        leg = self.leg
        assert leg.termination is not None
        termination = self.verdict or leg.termination
        ended_at = leg.ended_at if leg.ended_at is not None else self.shared.wall(now)
        answered_at = leg.answered_at if leg.termination.answered else None
        statistics = leg.statistics
        self.shared.record(
            Cdr(
                call=self.id,
                application=self.handler.application,
                account=self.handler.account,
                region=self.handler.region,
                from_=self.from_,
                to=self.to,
                leg=leg.id,
                started_at=self.started_at,
                answered_at=answered_at,
                ended_at=ended_at,
                billable_seconds=0 if answered_at is None else max(0, -(-(ended_at - answered_at) // 1000)),
                termination=termination,
                invocations=self.events.sequence,
                packets_sent=statistics.packets_sent if statistics else 0,
                packets_received=statistics.packets_received if statistics else 0,
                lost=statistics.lost if statistics else 0,
                jitter_ms=statistics.jitter_ms if statistics else 0.0,
            ),
            CallEnded(call=self.id, ended_at=ended_at, termination=termination),
        )
        self._on_done(self, now)

    def faulty(self, given: Enum, reason: str, now: float) -> None:
        self.shared.note(self.id, "error", f"{given.name} came to a call that is {self.state.name}: {reason}")
