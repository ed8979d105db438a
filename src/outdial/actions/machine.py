"""What every running action is made of: a state, a total table of rows, a queue of outputs, timers.

Theory of operation. `sort` names the input (with what the action knows: a last attempt and an earlier one are different inputs), the
table says which state is next and which steps are run on the way, and a step only puts out values. What is not the action's own, or
comes after its end, is ignored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

from ..core import Deadline, Table, Timers
from ..model.actions import Action
from ..model.ids import CommandId, LegId, Token
from ..model.media import Failed
from ..model.numbers import mask_all
from ..model.work import Note
from . import legs
from .parameters import SYSTEM, SYSTEM_ERROR, Refused
from .values import Context, FailedAs, Finished, Interrupted, Running


class Refusal:
    """An action that fails at once."""

    def __init__(self, action: Action, leg: LegId | None, error_type: str, message: str) -> None:
        self.leg = leg
        self.echo = action
        self._outputs: deque[Any] = deque([FailedAs(error_type=error_type, message=message)])

    def receive(self, item: Any, now: float) -> None:
        """Nothing matters any more."""

    def handle_timer(self, now: float) -> None:
        """There are no timers."""

    def next_output(self) -> Any | None:
        """The failure, once."""
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> Deadline | None:
        return None


def beginning(make: Callable[[Action, Context], Running]) -> Callable[[Action, Context], Running]:
    """Turn what `make` refuses into a running action that fails."""

    def begin(action: Action, context: Context) -> Running:
        try:
            return make(action, context)
        except Refused as refused:
            try:
                leg = legs.choose(action.parameters, context)
            except Refused:
                return Refusal(action, None, refused.error_type, refused.message)
            return Refusal(legs.echo(action, leg, action.parameters), leg.leg, refused.error_type, refused.message)

    return begin


class Machine:
    """A running action with states. Subclasses give `table`, `sort`, and the steps."""

    system_error: ClassVar[str] = SYSTEM_ERROR
    """What the handler is told when the fault is ours; actions word it differently."""

    def __init__(self, echo: Action, leg: LegId, context: Context, state: Enum) -> None:
        self.echo = echo
        self.leg: LegId | None = leg
        self.stream = leg
        self.context = context
        self.state = state
        self.now = 0.0
        self.timers: Timers[str] = Timers()
        self._outputs: deque[Any] = deque()

    def table(self) -> Table:
        """The rows."""
        raise NotImplementedError

    def sort(self, item: Any) -> Enum | None:
        """Name an input; None for what is not ours."""
        raise NotImplementedError

    def timer(self, name: str) -> Enum | None:
        """Name a timer as an input."""
        raise NotImplementedError(name)

    def receive(self, item: Any, now: float) -> None:
        """Take one input: a media event, a work result, `Interrupt` or `LegGone`."""
        self.now = now
        if (kind := self.sort(item)) is not None:
            self.step(kind, item)

    def handle_timer(self, now: float) -> None:
        """Run what is due."""
        self.now = now
        for name in self.timers.due(now):
            if (kind := self.timer(name)) is not None:
                self.step(kind, None)

    def next_output(self) -> Any | None:
        """The oldest output not yet taken, or None."""
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> Deadline | None:
        """The earliest timer, or None."""
        return self.timers.next_deadline()

    def step(self, kind: Enum, item: Any) -> None:
        """Take the row of this state and input."""
        row = self.table()[self.state][kind]
        if isinstance(row, tuple):
            self.state, steps = row
            for run in steps:
                run(self, item)

    def put(self, item: Any) -> None:
        """Queue an output. After the last word nothing is waited for any more."""
        self._outputs.append(item)
        if isinstance(item, Finished | FailedAs | Interrupted):
            self.timers = Timers()

    def command_id(self) -> CommandId:
        """A new media command's id."""
        return CommandId(self.context.ids.number())

    def token(self) -> Token:
        """A new token for work."""
        return Token(self.context.ids.number())

    def note(self, what: str, **facts: str | int | float) -> None:
        """Leave a warning in the call's record."""
        self.put(Note(call=self.context.call, level="warning", what=mask_all(f"{self.echo.type}: {what}"), facts=facts))

    def break_down(self, failed: Failed) -> None:
        """Fail for what the engine refused."""
        self.note(f"the media engine refused: {failed.reason} {failed.detail}".rstrip(), reason=failed.reason)
        self.put(FailedAs(error_type=SYSTEM, message=self.system_error))
