"""The events of one call: committed as they happen, given one at a time and in order, `Sequence` without gaps (DESIGN 3.3)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ..model.events import ActionInterrupted, Event, NewOutboundCall, Ringing
from ..model.ids import ApplicationId, CallId, FunctionName, LegId
from ..model.invocations import Invoke
from ..model.participants import Participant
from ..model.records import AttributesRow, EventRow

if TYPE_CHECKING:
    from .shared import Shared

REPLY_IGNORED = (NewOutboundCall, Ringing, ActionInterrupted)
"""Events whose actions are never run (reference 2.2). The last HANGUP is one too: no leg is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Whom a call's events go to."""

    function: FunctionName
    application: ApplicationId
    account: str
    region: str
    lambda_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that is to be given."""

    number: int
    leg: LegId
    event: Event
    participants: tuple[Participant, ...]
    request: bytes | None = None
    """After a restart: the bytes that were given before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The invocation under way."""

    waiting: Waiting
    reply_ignored: bool


class Events:
    """The queue. The call says when a leg is alive; nothing here decides what a reply does."""

    def __init__(self, shared: Shared, call: CallId, handler: Handler) -> None:
        self._shared = shared
        self._call = call
        self._handler = handler
        self._queue: deque[Waiting] = deque()
        self.given: Given | None = None
        self.attributes: dict[str, Any] | None = None
        """TransactionAttributes; None where there are none."""
        self.sequence = 0
        """Of the last invocation."""
        self.number = 0
        """Of the last event."""

    @property
    def waiting(self) -> int:
        """How many events have not been given yet."""
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Every event has been given and answered."""
        return self.given is None and not self._queue

    def happened(self, event: Event, leg: LegId, participants: tuple[Participant, ...], now: float) -> EventRow:
        """Queue an event as it happens; its record is for the caller to commit."""
        self.number += 1
        waiting = Waiting(number=self.number, leg=leg, event=event, participants=participants)
        self._queue.append(waiting)
        return EventRow(
            call=self._call,
            number=self.number,
            leg=leg,
            event=event,
            participants=participants,
            at=self._shared.wall(now),
            actions_ignored=isinstance(event, REPLY_IGNORED),
        )

    def requeue(self, waiting: Waiting) -> None:
        """After a restart: an event that is on record already."""
        self._queue.append(waiting)

    def drop_waiting(self, keep: tuple[type, ...]) -> int:
        """Forget what waits, but for events of these types; says how many were dropped."""
        before = len(self._queue)
        self._queue = deque(waiting for waiting in self._queue if isinstance(waiting.event, keep))
        return before - len(self._queue)

    def give(self, alive: bool) -> None:
        """Give the next event. Its reply is ignored where no leg is alive to act on."""
        waiting = self._queue.popleft()
        if waiting.request is None:
            self.sequence += 1
        self.given = Given(waiting=waiting, reply_ignored=not alive or isinstance(waiting.event, REPLY_IGNORED))
        handler = self._handler
        self._shared.put(
            Invoke(
                call=self._call,
                leg=waiting.leg,
                sequence=self.sequence,
                number=waiting.number,
                function=handler.function,
                application=handler.application,
                account=handler.account,
                region=handler.region,
                lambda_arn=handler.lambda_arn,
                event=waiting.event,
                participants=waiting.participants,
                attributes=self.attributes,
                reply_ignored=self.given.reply_ignored,
                request=waiting.request,
            )
        )

    def answered(self, sequence: int) -> Given | None:
        """Take the invocation that has been answered; None where it is not the one under way."""
        given = self.given
        if given is None or sequence != self.sequence:
            return None
        self.given = None
        return given

    def keep(self, attributes: dict[str, Any] | None) -> None:
        """A reply's attributes: a whole replacement; {} clears, None keeps (reference 7)."""
        if attributes is None:
            return
        text = msgspec.json.encode(attributes) if attributes else b""
        if text == (msgspec.json.encode(self.attributes) if self.attributes else b""):  # 1, 1.0 and true are equal here, and not in JSON
            return
        self.attributes = attributes or None
        self._shared.record(AttributesRow(call=self._call, attributes=text))
