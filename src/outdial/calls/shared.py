"""What all calls share: the outputs, the one heap of timers, who waits for which result, and who owns which leg.

Records that nobody waits for are gathered while one input is dealt with and leave as one unit, before every other output of that input: so
what the handler is told of is always in the writer's queue before it is told.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..core import Deadline, Timers
from ..model.ids import CallId, CommandId, Ids, KeyId, LegId, Token, Wall
from ..model.media import Command
from ..model.records import Record, RecordingRow
from ..model.settings import CallSettings
from ..model.work import Grade, Note, Save

Then = Callable[[Any, float], None]
"""What is done with a result, at `now`."""
Alarm = Callable[[float], None]
MOST_NOTES = 200
"""Of one call: a re-INVITE costs a peer little, and a note is a row."""
TimerKey = tuple[str, str]
"""Whose timer, and its name."""


class LegOwner(Protocol):
    """Who hears of a leg: first the creation, then the leg itself."""

    def on_sip(self, event: Any, now: float) -> None: ...
    def on_media(self, event: Any, now: float) -> None: ...
    def on_engine_gone(self, now: float) -> None: ...


class Undelivered(Protocol):
    """Where recordings go that a call cannot wait for (`deliveries`)."""

    def take(self, row: RecordingRow, now: float, under_way: Token | None = None) -> None: ...


class Shared:
    """One for the whole of call control."""

    deliveries: Undelivered

    def __init__(self, ids: Ids, wall: Wall, settings: CallSettings) -> None:
        self.ids = ids
        self.wall = wall
        self.settings = settings
        self.owners: dict[str, LegOwner] = {}
        """By leg: who hears what SIP and the engine say of it."""
        self.active: dict[CallId, KeyId] = {}
        """Calls in progress, those being created included."""
        self.active_of_key: Counter[KeyId] = Counter()
        self.trunk_failed_until = float("-inf")
        self._out: deque[Any] = deque()
        self._records: list[Record] = []
        self._timers: Timers[TimerKey] = Timers()
        self._alarms: dict[TimerKey, Alarm] = {}
        self._waiting: dict[Token, Then] = {}
        self._notes: Counter[CallId] = Counter()

    # --- outputs ---

    def put(self, item: Any) -> None:
        """Queue an output."""
        self._out.append(item)

    def record(self, *records: Record) -> None:
        """Have these committed; nobody waits for it."""
        self._records.extend(records)

    def note(self, call: CallId, level: Any, what: str, **facts: str | int | float) -> None:
        """Say something for the log and the call's record; a peer that makes us say too much of one call is not listened to for ever."""
        if call in self.active:  # what is said of a call that has ended is not counted: nobody would forget the count
            self._notes[call] += 1
        if self._notes[call] < MOST_NOTES:
            self._out.append(Note(call=call, level=level, what=what, facts=facts))
        elif self._notes[call] == MOST_NOTES:
            self._out.append(Note(call=call, level="warning", what="further notes of this call are left out", facts={"noted": MOST_NOTES}))

    def next_output(self) -> Any | None:
        """The oldest output, records first."""
        if self._records:
            self._out.appendleft(Save(token=Token(0), unit=tuple(self._records)))
            self._records.clear()
        return self._out.popleft() if self._out else None

    # --- ids ---

    def token(self) -> Token:
        return Token(self.ids.number())

    def command(self) -> CommandId:
        return CommandId(self.ids.number())

    # --- results ---

    def await_result(self, token: Token, then: Then) -> None:
        """Let the result that carries `token` go to `then`, once."""
        self._waiting[token] = then

    def forget(self, token: Token) -> None:
        """Nobody waits for this result any more."""
        self._waiting.pop(token, None)

    def on_result(self, token: Token, result: Any, now: float) -> None:
        """A result came; one that nobody waits for is dropped."""
        then = self._waiting.pop(token, None)
        if then is not None:
            then(result, now)

    def save(self, records: Sequence[Record], then: Then, grade: Grade = "synced") -> Token:
        """Commit what has been gathered and these as one unit; `then` gets `Saved`, or `Withdrawn` after a `Withdraw`."""
        token = self.token()
        self._waiting[token] = then
        self._out.append(Save(token=token, unit=(*self._records, *records), grade=grade))
        self._records.clear()
        return token

    def save_and_hold(
        self, key: TimerKey, call: CallId, records: Sequence[Record], now: float, then: Alarm, grade: Grade = "synced"
    ) -> None:
        """Commit, and do `then` once that is done, or when `hold_s` is over without it (DESIGN 3.4): then the record says so."""

        def saved(_: Any, at: float) -> None:
            self.stop_timer(key)
            then(at)

        def held_long_enough(at: float) -> None:
            self.forget(token)
            self.note(call, "warning", f"{key[1]} did not wait for its commit any longer", after_s=self.settings.hold_s)
            then(at)

        token = self.save(records, saved, grade)
        self.set_timer(key, now + self.settings.hold_s, held_long_enough)

    # --- timers ---

    def set_timer(self, key: TimerKey, at: float, do: Alarm) -> None:
        """Do this at that moment, in place of what `key` was set to."""
        self._timers.set(key, at, key[1])
        self._alarms[key] = do

    def stop_timer(self, key: TimerKey) -> None:
        self._timers.cancel(key)
        self._alarms.pop(key, None)

    def fire(self, now: float) -> None:
        """Do what is due."""
        for key in self._timers.due(now):
            self._alarms.pop(key)(now)

    def next_deadline(self) -> Deadline | None:
        return self._timers.next_deadline()

    # --- calls ---

    def enter(self, call: CallId, key: KeyId) -> None:
        """A call counts from here on."""
        self.active[call] = key
        self.active_of_key[key] += 1

    def leave(self, call: CallId) -> None:
        """A call counts no more."""
        self._notes.pop(call, None)
        key = self.active.pop(call, None)
        if key is not None:
            self.active_of_key[key] -= 1
            if not self.active_of_key[key]:
                del self.active_of_key[key]

    def order(self, make: Callable[..., Command], leg: LegId, **fields: Any) -> CommandId:
        """Send the engine a command for a leg's stream."""
        number = self.command()
        self._out.append(make(id=number, stream=leg, **fields))
        return number
