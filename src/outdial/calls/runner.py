"""The list of actions of one call: strictly in order, one at a time (reference 6.3, DESIGN 3.3 "Lists").

Theory of operation. A reply's actions become the list. An action runs until it has reported; what it reports is told to the handler where
the action reports in mid-list, where it was its list's last, or where it failed. While the report of a mid-list action waits or is in
flight, the rest of its list waits. A new list replaces what is pending, waits for what runs, and only an update's interrupts it. When a leg
goes, what runs on it is dropped, but for an action that reports all the same (RecordAudio).
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..actions.table import TABLE as ACTIONS
from ..actions.values import (
    ArmListener,
    Context,
    FailedAs,
    Finished,
    HangUp,
    Interrupted,
    Kind,
    LegFacts,
    LegGone,
)
from ..model.actions import Action
from ..model.events import ActionFailed, ActionInterrupted, ActionSucceeded
from ..model.ids import LegId
from ..model.media import EngineGone, Record, Speech
from ..model.media import Silence as SilenceHeard
from ..model.records import RecordingRow
from ..model.work import Deliver, Match, Note, Prompt, Repair
from .machine import Machine
from .runner_arrows import RUNNER, Run, RunnerInput, RunnerState, Step
from .termination import Cause

if TYPE_CHECKING:
    from .call import Call
    from .shared import Shared

Report = Finished | FailedAs | Interrupted
HANGUP = "Hangup"


class Runner(Machine):
    """The list of a call, and the action that runs: see the table."""

    table = RUNNER

    def __init__(self, shared: Shared, call: Call) -> None:
        self.state: Enum = RunnerState.IDLE
        self.pending: deque[Step] = deque()
        self._shared = shared
        self._call = call
        self._run: Run | None = None
        self._report: int | None = None
        """Number of the event whose reply the rest of the list waits for."""
        self._lists = 0
        self._recordings = 0
        self._draining = False

    # --- from the call ---

    def replace(self, actions: tuple[Action, ...], leg: LegId, interrupts: bool, now: float) -> None:
        """A reply's list takes the place of what is pending."""
        self._lists += 1
        last = len(actions) - 1
        steps = deque(Step(action=action, leg=leg, list=self._lists, last=i == last) for i, action in enumerate(actions))
        run = self._run
        interrupting = interrupts and run is not None and run.kind.interruptible
        self.step(RunnerInput.INTERRUPTING_LIST if interrupting else RunnerInput.LIST, steps, now)

    def go_on(self, number: int, now: float) -> None:
        """Event `number` was answered without actions."""
        if number == self._report:
            self.step(RunnerInput.NO_CHANGE, None, now)

    def wait_for(self, number: int, instead: int) -> None:
        """The reply to event `number` could not be used: the rest of the list waits for the reply to the complaint."""
        if number == self._report:
            self._report = instead

    def owns_digits(self, leg: LegId) -> bool:
        """The leg's listener is to hear nothing."""
        return self._run is not None and self._run.kind.owns_digits and self._run.running.leg == leg

    def leg_gone(self, leg: LegId, now: float) -> bool:
        """A leg has ended; whether a report is still to come before its HANGUP."""
        run = self._run
        if run is None or self._draining or run.running.leg != leg:
            return False
        if run.kind.reports_when_leg_goes:
            self.tell(LegGone(), now)
            return self._run is run
        self._run = None
        self._shared.stop_timer((self._call.id, "action"))
        self.step(RunnerInput.DROPPED, None, now)
        return False

    def on_engine_gone(self, now: float) -> None:
        """The engine died: what still runs will hear nothing more of it."""
        if self._run is not None:
            self.tell(EngineGone(), now)

    def on_media(self, event: Any, now: float) -> bool:
        """What the engine says; whether it belonged to the action that runs."""
        run = self._run
        if run is None:
            return False
        if isinstance(event, SilenceHeard | Speech):
            mine = run.running.leg == event.stream
        else:
            mine = getattr(event, "id", None) in run.commands
        if mine:
            self.tell(event, now)
        return mine

    # --- the action that runs ---

    def tell(self, item: Any, now: float) -> None:
        """Give the running action an input, and take what comes of it."""
        run = self._run
        if run is not None:
            run.running.receive(item, now)
            self._drain(run, now)

    def start_next(self, now: float) -> None:
        """Begin the next action, where there is one; without a connected leg the list is dropped."""
        if not self.pending:
            return
        call = self._call
        if not any(leg.connected for leg in call.legs.values()):
            self._shared.note(call.id, "info", "the rest of the list was dropped: no leg is connected", actions=len(self.pending))
            self.pending.clear()
            return
        step = self.pending.popleft()
        kind = ACTIONS.get(step.action.type)
        if kind is None:
            message = f"{step.action.type} is not supported yet"
            self._conclude(step, None, step.action, FailedAs(error_type="SystemException", message=message), now)
            self.start_next(now)
            return
        run = Run(step=step, kind=kind, running=kind.begin(step.action, self._context(step)))
        self._run = run
        self.step(RunnerInput.BEGUN, None, now)
        self._drain(run, now)

    def _context(self, step: Step) -> Context:
        settings = self._shared.settings
        return Context(
            call=self._call.id,
            default_leg=step.leg,
            legs=tuple(LegFacts(leg=leg.id, tag=leg.tag, connected=leg.connected) for leg in self._call.legs.values()),
            ids=self._shared.ids,
            wall=self._shared.wall,
            recordings=settings.recordings,
            recording_number=self._recordings,
            max_recording_s=settings.max_recording_s,
            deliver_timeout_s=settings.deliver_timeout_s,
            strict=settings.limits == "strict",
        )

    def _drain(self, run: Run, now: float) -> None:
        report: Report | None = None
        self._draining = True
        try:
            while (output := run.running.next_output()) is not None:
                if isinstance(output, Finished | FailedAs | Interrupted):
                    report = output
                else:
                    self._pass_on(run, output, now)
        finally:
            self._draining = False
        key = (self._call.id, "action")
        if report is not None:
            self._run = None
            self._shared.stop_timer(key)
            self._hand_over_recordings(run, now)
            self._finish(run, report, now)
            return
        deadline = run.running.next_deadline()
        if deadline is None:
            self._shared.stop_timer(key)
        else:
            self._shared.set_timer(key, deadline.at, self._on_timer)

    def _on_timer(self, now: float) -> None:
        run = self._run
        if run is not None:
            run.running.handle_timer(now)
            self._drain(run, now)

    def _pass_on(self, run: Run, output: Any, now: float) -> None:
        match output:
            case HangUp():
                leg = self._call.legs.get(output.leg)
                if leg is not None:
                    leg.hang_up(Cause.APPLICATION_HUNG_UP, "", now, output.code)
            case ArmListener():
                self._call.ears.arm(output, now)
            case Prompt() | Match() | Deliver() | Repair():
                if isinstance(output, Deliver):
                    run.delivery = output.token
                self._shared.put(output)
                self._shared.await_result(output.token, lambda result, at: self._on_work(run, result, at))
            case RecordingRow():
                run.recordings[output.recording] = output
                self._shared.record(output)
            case Note():
                self._shared.put(output)
            case _:
                if isinstance(output, Record):
                    self._recordings += 1
                run.commands.add(output.id)
                self._shared.put(output)

    def _on_work(self, run: Run, result: Any, now: float) -> None:
        if result.token == run.delivery:
            run.delivery = None
        if self._run is run:
            self.tell(result, now)

    def _hand_over_recordings(self, run: Run, now: float) -> None:
        """What the action leaves undelivered is delivered across calls."""
        for row in run.recordings.values():
            if not row.delivered:
                self._shared.deliveries.take(row, now, run.delivery if row.finished else None)

    # --- its end ---

    def _finish(self, run: Run, report: Report, now: float) -> None:
        waits = self._conclude(run.step, run.kind, run.running.echo, report, now)
        self.step(RunnerInput.REPORTED if waits else RunnerInput.DONE, None, now)
        self._call.on_report(run.running.leg, now)

    def _conclude(self, step: Step, kind: Kind | None, echo: Action, report: Report, now: float) -> bool:
        """Tell what the handler must know; whether the rest of the list waits for the answer."""
        leg = step.leg
        if isinstance(report, FailedAs):
            if self._rest_of(step):
                self.pending.clear()
            self._call.tell(ActionFailed(action=echo, error_type=report.error_type, message=report.message), leg, now)
            return False
        if isinstance(report, Interrupted):
            self._call.tell(ActionInterrupted(action=echo), leg, now)
            return False
        mid_list = kind is not None and kind.reports_mid_list
        if not (step.last or mid_list) or (step.action.type == HANGUP and not self._call.alive):
            return False
        number = self._call.tell(ActionSucceeded(action=echo, results=report.results), leg, now)
        if not self._rest_of(step):
            return False
        self._report = number
        return True

    def _rest_of(self, step: Step) -> bool:
        """What is pending belongs to this step's own list."""
        return bool(self.pending) and self.pending[0].list == step.list

    def faulty(self, given: Enum, reason: str, now: float) -> None:
        self._shared.note(self._call.id, "error", f"{given.name} came to a list that is {self.state.name}: {reason}")
