"""The one core that knows all calls: it takes requests, hands each event to the leg or call that it is about, and owns what concerns all
of them: quotas, the drain, the state of engine, machine, trunk, store and functions.

In: `model.requests`, `sip.values` session events, `model.media` events, results of `model.work`, `model.invocations` results and
`FunctionState`; at the start `Unfinished` calls and `RecordingRow`s that are still to be delivered. Out: answers to requests, commands to
SIP and to the engine, work, `Invoke`, `Note`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import Deadline
from ..model import media, work
from ..model.ids import CallId, FunctionName, Ids, Wall
from ..model.invocations import BadReply, FunctionState, InvocationFailed, Replied
from ..model.records import RecordingRow, Unfinished
from ..model.requests import Drain, Drained, PlaceCall, Refused, UpdateCall
from ..model.settings import CallSettings
from ..sip import values as sip
from . import recovery
from .call import Call
from .call_arrows import CallInput, no_call
from .creation import Creation
from .deliveries import Deliveries
from .events import Handler
from .gate import Moment, judge
from .leg import Leg
from .load import Load
from .new_call import e164
from .shared import Shared
from .termination import Cause

HANGUPS_S = 5.0
"""How long a drain waits for the HANGUPs after the last call was ended (DESIGN 3.1)."""

RECOVERY_WAIT_S = 20.0
"""How long the events of an earlier run's calls wait for a word of their function, at the start."""


class Control:
    """Call control: see the module."""

    def __init__(self, ids: Ids, wall: Wall, settings: CallSettings) -> None:
        self.shared = Shared(ids, wall, settings)
        self.deliveries = Deliveries(self.shared)
        self.shared.deliveries = self.deliveries
        self._calls: dict[CallId, Call] = {}
        self._creations: dict[CallId, Creation] = {}
        self._functions: dict[FunctionName, FunctionState] = {}
        self._recovered: dict[FunctionName, list[Call]] = {}
        """Calls of an earlier run whose function has not been heard of yet."""
        self._load = Load()
        self._engine_ready = False
        self._store_refuses: str | None = None
        self._draining = False
        self._ending = False
        """The drain has run out."""
        self._drained = False
        self._receivers: dict[type, Callable[[Any, float], None]] = self._table()

    # --- the four methods ---

    def receive(self, item: Any, now: float) -> None:
        """Take one input; what nobody here knows (any more) is dropped."""
        self._receivers[type(item)](item, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self.shared.fire(now)

    def next_output(self) -> Any | None:
        """The oldest output not yet taken, or None."""
        return self.shared.next_output()

    def next_deadline(self) -> Deadline | None:
        """The earliest timer of all calls, or None."""
        return self.shared.next_deadline()

    def _table(self) -> dict[type, Callable[[Any, float], None]]:
        table: dict[type, Callable[[Any, float], None]] = {
            PlaceCall: self._on_place,
            UpdateCall: self._on_update,
            Drain: self._on_drain,
            media.Ready: self._on_engine_ready,
            media.EngineGone: self._on_engine_gone,
            media.Load: self._load.on_engine,
            work.MachineState: self._load.on_machine,
            work.StoreState: self._on_store,
            FunctionState: self._on_function,
            Unfinished: self._on_unfinished,
            RecordingRow: self._on_recording,
        }
        table |= dict.fromkeys(
            (work.Saved, work.Withdrawn, work.PromptReady, work.Matched, work.Delivered, work.Repaired, work.WorkFailed), self._on_result
        )
        table |= dict.fromkeys((Replied, BadReply, InvocationFailed), self._on_invocation)
        table |= dict.fromkeys(
            (
                sip.Held,
                sip.Provisional,
                sip.Accepted,
                sip.Offered,
                sip.AckBody,
                sip.InfoReceived,
                sip.ByeReceived,
                sip.Over,
            ),
            self._on_sip,
        )
        table[sip.Incoming] = self._on_incoming
        table |= dict.fromkeys(media.StreamEvent.__args__, self._on_stream)
        return table

    # --- requests ---

    def _on_place(self, request: PlaceCall, now: float) -> None:
        shared = self.shared
        moment = Moment(
            draining=self._draining,
            store_refuses=self._store_refuses,
            calls=len(shared.active),
            calls_of_key=shared.active_of_key[request.key],
            trunk_unusable_for=max(0.0, shared.trunk_failed_until - now),
            engine=self._engine_ready,
            overload=self._load.overload(now),
        )
        refusal = judge(request, moment, shared.settings)
        if refusal is not None:
            shared.put(Refused(token=request.token, refusal=refusal))
            return
        application = request.facts.application
        assert application is not None
        state = self._functions.get(application.function)
        broken = None
        if state is None or state.state != "served":
            broken = state or FunctionState(function=application.function, state="unserved", detail=UNSERVED)
        creation = Creation(self, request, now, broken)
        self._creations[creation.call] = creation

    def _on_update(self, update: UpdateCall, now: float) -> None:
        call = self._calls.get(update.call)
        if call is None or call.handler.application != update.application:
            self.shared.put(Refused(token=update.token, refusal=no_call(update.call)))
        else:
            call.step(CallInput.UPDATE, update, now)

    def _on_drain(self, drain: Drain, now: float) -> None:
        self._draining = True
        if not self._ending:
            self.shared.set_timer(("node", "drain"), now + drain.within, self._end_all)
        self._say_drained()

    def _end_all(self, now: float) -> None:
        self._ending = True
        for creation in tuple(self._creations.values()):
            creation.stop(now)
        for call in tuple(self._calls.values()):
            call.end(Cause.SHUTDOWN, SHUT_DOWN, now)
        if not self._drained:
            self.shared.set_timer(("node", "hangups"), now + HANGUPS_S, self._give_up_draining)

    def _give_up_draining(self, now: float) -> None:
        """What is left the next start ends."""
        self._say_drained(whatever_is_left=True)

    def _say_drained(self, whatever_is_left: bool = False) -> None:
        if self._draining and not self._drained and (whatever_is_left or not self.shared.active):
            self._drained = True
            self.shared.stop_timer(("node", "drain"))
            self.shared.stop_timer(("node", "hangups"))
            self.shared.put(Drained())

    # --- what concerns all ---

    def _on_engine_ready(self, ready: media.Ready, now: float) -> None:
        self._engine_ready = True

    def _on_engine_gone(self, gone: media.EngineGone, now: float) -> None:
        self._engine_ready = False
        for owner in tuple(self.shared.owners.values()):
            owner.on_engine_gone(now)

    def _on_store(self, state: work.StoreState, now: float) -> None:
        self._store_refuses = state.detail if state.refusing else None

    def _on_function(self, state: FunctionState, now: float) -> None:
        self._functions[state.function] = state
        for call in self._recovered.pop(state.function, ()):
            call.resume(now)

    def _on_unfinished(self, found: Unfinished, now: float) -> None:
        call = recovery.recover(self, found, now)
        self._calls[call.id] = call
        if call.handler.function not in self._functions:
            # Its worker is being started: what is given before that would fail, and never be given again.
            call.paused = True
            self._recovered.setdefault(call.handler.function, []).append(call)
            self.shared.set_timer((call.id, "recovery"), now + RECOVERY_WAIT_S, call.resume)
        recovery.finish(call, found, now)

    def _on_recording(self, row: RecordingRow, now: float) -> None:
        self.deliveries.take(row, now)

    # --- what concerns one ---

    def _on_result(self, result: Any, now: float) -> None:
        self.shared.on_result(result.token, result, now)

    def _on_sip(self, event: Any, now: float) -> None:
        owner = self.shared.owners.get(event.session)
        if owner is not None:
            owner.on_sip(event, now)

    def _on_incoming(self, incoming: sip.Incoming, now: float) -> None:
        """No rule leads to an application yet: whoever calls is told that there is nobody."""
        self.shared.put(sip.Reject(session=incoming.session, status=404))

    def _on_stream(self, event: Any, now: float) -> None:
        owner = self.shared.owners.get(event.stream)
        if owner is not None:
            owner.on_media(event, now)

    def _on_invocation(self, result: Any, now: float) -> None:
        call = self._calls.get(result.call)
        if call is not None:
            call.on_invocation(result, now)

    # --- from the creations and calls ---

    def make_call(self, creation: Creation, now: float) -> Call:
        """The call that a creation is about to commit."""
        request, application = creation.request, creation.request.facts.application
        assert application is not None
        handler = Handler(
            function=application.function,
            application=application.id,
            account=application.account,
            region=application.region,
            lambda_arn=application.lambda_arn,
        )
        from_, to = e164(request.from_), e164(request.to)
        call = Call(
            self.shared,
            creation.call,
            key=request.key,
            handler=handler,
            from_=from_,
            to=to,
            started_at=request.started_at,
            on_done=self.on_call_done,
        )
        call.legs[creation.leg] = Leg(self.shared, call, creation.leg, creation.media, to=to, from_=from_, started_at=request.started_at)
        return call

    def begin(self, creation: Creation, now: float) -> None:
        """The creation is durable: the call takes over."""
        del self._creations[creation.call]
        call = creation.made
        if call is None:
            self.shared.owners.pop(creation.leg, None)
            self.shared.leave(creation.call)
            self._say_drained()
            return
        self._calls[call.id] = call
        leg = call.leg
        self.shared.owners[leg.id] = leg
        if creation.over is not None:
            leg.on_sip(creation.over, now)
        elif creation.stopped:
            call.end(Cause.SHUTDOWN, SHUT_DOWN, now)
        elif not creation.stream_lost:
            leg.start(now)
        if creation.stream_lost:
            leg.on_engine_gone(now)
        call.proceed(now)

    def forget(self, call: CallId) -> None:
        """A creation came to nothing."""
        self._creations.pop(call, None)
        self._say_drained()

    def on_call_done(self, call: Call, now: float) -> None:
        """A call has its CDR."""
        del self._calls[call.id]
        for leg in call.legs:
            self.shared.owners.pop(leg, None)
        self.shared.leave(call.id)
        self._say_drained()


SHUT_DOWN = "The node was shut down."
UNSERVED = "nothing serves it. Serve it with --function NAME=SPEC, or name it under [function] in the configuration."
