"""What waits for the writer: in order, withdrawable, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ..model.ids import Token
from ..model.records import (
    AttributesRow,
    EventRow,
    InvocationDone,
    InvocationRow,
    LegDialog,
    LegInvite,
    NoteRow,
    OutputRow,
    RepeatRow,
    SipMessageRow,
)  # fmt: skip
from ..model.work import Withdrawn

Deliver = Callable[[Sequence[Any]], None]
"""Takes results, oldest first; called from the writer's thread, or from the thread that withdraws. Must not block."""

SOFT_LIMIT: Final = 64_000_000
"""Bytes that may wait, roughly. Beyond it what only tells the story (SIP messages, output, notes) is dropped and counted."""
HARD_LIMIT: Final = 2 * SOFT_LIMIT
"""Beyond it everything new is dropped and counted; nothing of it is ever answered as saved."""
LOST_KEPT: Final = 10_000
REST_S: Final = 0.002
"""Where somebody waits again as soon as a transaction has ended there is load: the writer rests so long, unless something is to be synced,
and more goes in together."""
LINGER_S: Final = 0.02
"""A unit that nobody waits for may wait so long for company: most are committed together with the next one that somebody waits for."""
ANYTHING, AWAITED, SYNCED, NOTHING = range(4)
"""How loud a unit is, and what is needed to wake the writer."""
TRACES: Final = frozenset({SipMessageRow, OutputRow, NoteRow})
RECORD_SIZE: Final = 600
"""A record without its bulk, as it lies in memory."""
_BULK: dict[type, Callable[[Any], int]] = {
    LegInvite: lambda r: len(r.invite) + len(r.offer),
    LegDialog: lambda r: len(r.answer),
    EventRow: lambda r: 1000,
    InvocationRow: lambda r: len(r.request),
    InvocationDone: lambda r: len(r.reply) + len(r.error),
    AttributesRow: lambda r: len(r.attributes),
    SipMessageRow: lambda r: len(r.message),
    OutputRow: lambda r: len(r.text),
    NoteRow: lambda r: len(r.what),
    RepeatRow: lambda r: len(r.body),
}


def size_of(unit: Sequence[msgspec.Struct]) -> int:
    """About how many bytes a unit holds while it waits."""
    total = 200
    for record in unit:
        bulk = _BULK.get(type(record))
        total += RECORD_SIZE if bulk is None else RECORD_SIZE + bulk(record)
    return total


class Entry:
    """One unit that waits, or is being written."""

    __slots__ = ("deliver", "loud", "size", "synced", "taken", "tell_spoilt", "token", "unit", "withdrawn")

    def __init__(
        self, unit: Sequence[msgspec.Struct], token: Token, synced: bool, deliver: Deliver | None, tell_spoilt: bool = False
    ) -> None:
        self.unit = unit
        self.token = token
        self.synced = synced
        self.deliver = deliver
        self.loud = SYNCED if synced else AWAITED if token else ANYTHING
        self.size = size_of(unit)
        self.taken = False
        self.withdrawn = False
        self.tell_spoilt = tell_spoilt


class Backlog:
    """A queue between threads. Every method may be called from any of them."""

    def __init__(self, soft_limit: int = SOFT_LIMIT) -> None:
        self._soft = soft_limit
        self._hard = soft_limit * (HARD_LIMIT // SOFT_LIMIT)
        self._changed = threading.Condition(threading.Lock())
        self._queue: deque[Entry] = deque()
        self._waiting: dict[Token, Entry] = {}
        self._lost: dict[Token, Deliver | None] = {}
        self._size = 0
        self._synced = 0
        self._urgent = False
        self._wakes = NOTHING
        self._closed = False
        self.dropped = 0
        """Units left out because too much waited."""

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def size(self) -> int:
        """About how many bytes wait."""
        return self._size

    @property
    def closed(self) -> bool:
        """Nothing new is taken."""
        return self._closed

    def add(self, entry: Entry) -> bool:
        """Let a unit wait its turn; False where it was dropped because too much waits (or after `close`)."""
        with self._changed:
            if self._closed or (self._size + entry.size > self._soft and not self._fits(entry)):
                self.dropped += 1
                if entry.token:
                    self._lose(entry)
                return False
            self._queue.append(entry)
            self._size += entry.size
            self._synced += entry.synced
            if entry.token:
                self._waiting[entry.token] = entry
                self._urgent = True
            if entry.loud >= self._wakes:
                self._wakes = NOTHING
                self._changed.notify()
            return True

    def _fits(self, entry: Entry) -> bool:
        return self._size + entry.size <= self._hard and not all(type(record) in TRACES for record in entry.unit)

    def withdraw(self, token: Token) -> None:
        """Take a unit back: `Withdrawn` is delivered here if it waits, later if its transaction fails, never if that commits."""
        with self._changed:
            entry = self._waiting.get(token)
            if entry is None:
                if token not in self._lost:
                    return
                deliver = self._lost.pop(token)
            elif entry.taken:
                entry.withdrawn = True
                return
            else:
                self._forget(entry)
                entry.withdrawn = True
                deliver = entry.deliver
        if deliver is not None:
            deliver([Withdrawn(token=token)])

    def _forget(self, entry: Entry) -> None:
        """Release what an entry holds (it may stay in the queue, empty)."""
        self._size -= entry.size
        self._synced -= entry.synced
        entry.size = 0
        entry.synced = False
        entry.unit = ()
        self._waiting.pop(entry.token, None)

    def _lose(self, entry: Entry) -> None:
        """This unit will never be saved; whoever withdraws it is told so."""
        self._lost[entry.token] = entry.deliver
        if len(self._lost) > LOST_KEPT:
            del self._lost[next(iter(self._lost))]

    def wait(self) -> bool:
        """Rest, then sleep until there is something to write: for long only while nobody waits for it. False once the backlog is closed
        and empty."""
        with self._changed:
            if self._urgent and not self._synced:
                self._sleep(SYNCED, REST_S)
            while not self._urgent and not self._closed:
                if not self._sleep(AWAITED, LINGER_S):
                    if self._queue:
                        break
                    self._sleep(ANYTHING, None)
            return bool(self._queue)

    def _sleep(self, wakes: int, seconds: float | None) -> bool:
        """Whether something came that is loud enough."""
        if self._closed:
            return True
        self._wakes = wakes
        self._changed.wait(seconds)
        woken, self._wakes = self._wakes == NOTHING, NOTHING
        return woken

    def pause(self, timeout: float) -> None:
        """Sleep, but not beyond `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, timeout)

    def ahead(self) -> tuple[int, bool]:
        """How many units wait, and whether any of them is to be synced."""
        with self._changed:
            return len(self._queue), self._synced > 0

    def take(self, count: int) -> list[Entry]:
        """The first `count` entries, without those withdrawn; from now on they are being written."""
        with self._changed:
            popleft = self._queue.popleft
            batch = [entry for entry in (popleft() for _ in range(count)) if not entry.withdrawn]
            self._urgent = bool(self._queue)
            for entry in batch:
                entry.taken = True
            return batch

    def put_back(self, batch: Sequence[Entry]) -> None:
        """The transaction failed: all wait again, at the head, except those withdrawn meanwhile."""
        withdrawn = []
        with self._changed:
            self._urgent = True
            for entry in reversed(batch):
                entry.taken = False
                if entry.withdrawn:
                    withdrawn.append((entry.deliver, entry.token))
                    self._forget(entry)
                else:
                    self._queue.appendleft(entry)
        for deliver, token in withdrawn:
            if deliver is not None:
                deliver([Withdrawn(token=token)])

    def done(self, batch: Sequence[Entry], spoilt: Sequence[Entry] = ()) -> None:
        """The transaction was committed, without those spoilt: a later `Withdraw` of one of these is still answered."""
        withdrawn = []
        with self._changed:
            for entry in batch:
                self._forget(entry)
            for entry in spoilt:
                self._forget(entry)
                if not entry.token:
                    continue
                if entry.withdrawn:
                    withdrawn.append((entry.deliver, entry.token))
                else:
                    self._lose(entry)
        for deliver, token in withdrawn:
            if deliver is not None:
                deliver([Withdrawn(token=token)])

    def close(self) -> None:
        """Take nothing new, and wake whoever sleeps."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self) -> int:
        """Forget all that still waits; how many units that were."""
        with self._changed:
            left = [entry for entry in self._queue if not entry.withdrawn]
            for entry in left:
                self._forget(entry)
            self._queue.clear()
            return len(left)
