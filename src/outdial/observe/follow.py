"""The steps of calls as they happen: each record, in the order in which it is handed to the store."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from ..model.ids import CallId
from ..model.records import NoteRow, Record, SequenceBase
from ..model.work import Save
from .legs import Legs

QUEUED: Final = 1000
"""Records that wait for a reader; beyond that the oldest are left out, and a note says so."""


class Subscription:
    """Records of one call, or of all, from the moment of subscribing. For the loop that the pump runs on."""

    def __init__(self, follow: Follow, call: CallId | None, limit: int) -> None:
        self._follow = follow
        self._call = call
        self._limit = limit
        self._queue: deque[tuple[CallId, Record]] = deque()
        self._lost = 0
        self._wake: asyncio.Future[None] | None = None
        self._closed = False

    async def next(self) -> Record:
        """The next record; waits for one. Raises `StopAsyncIteration` once the subscription is closed."""
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        return self.take()

    def take(self) -> Record:
        """The oldest record that waits, or the note that some were left out before it. Raises `IndexError` where none waits."""
        if self._lost:
            call, record = self._queue[0]
            note = NoteRow(
                call=call, at=_at(record), level="warning", what=f"{self._lost} steps were left out here: the reader was too slow"
            )
            self._lost = 0
            return note
        return self._queue.popleft()[1]

    def __len__(self) -> int:
        return len(self._queue)

    def close(self) -> None:
        """No more records; a waiting `next` ends."""
        self._closed = True
        self._follow.drop(self._call, self)
        self._rouse()

    def _put(self, call: CallId, record: Record) -> None:
        if len(self._queue) >= self._limit:
            self._queue.popleft()
            self._lost += 1
        self._queue.append((call, record))
        self._rouse()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _at(record: Record) -> int:
    for name in ("at", "given_at", "done_at", "ended_at", "answered_at", "started_at"):
        if (at := getattr(record, name, None)) is not None:
            return int(at)
    return 0


class Follow:
    """An observer of the pump with subscribers."""

    def __init__(self, legs: Legs, limit: int = QUEUED) -> None:
        self._limit = limit
        self._legs = legs
        self._readers: dict[CallId | None, list[Subscription]] = {}

    def subscribe(self, call: CallId | None = None, /) -> Subscription:
        """Follow one call, or all of them."""
        subscription = Subscription(self, call, self._limit)
        self._readers.setdefault(call, []).append(subscription)
        return subscription

    def drop(self, call: CallId | None, subscription: Subscription) -> None:
        """Forget a subscriber (`Subscription.close` calls it)."""
        readers = self._readers.get(call, [])
        if subscription in readers:
            readers.remove(subscription)
            if not readers:
                del self._readers[call]

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind is Save

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump."""
        if self._readers and type(value) is Save:
            self._tell(value)

    def _tell(self, save: Save) -> None:
        everybody = self._readers.get(None, ())
        for record in save.unit:
            if isinstance(record, SequenceBase) or not (call := self._call_of(record)):
                continue
            for reader in (*everybody, *self._readers.get(call, ())):
                reader._put(call, record)

    def _call_of(self, record: Any) -> CallId | None:
        call = getattr(record, "call", None)
        if call is None and (leg := getattr(record, "leg", None)) is not None:
            call = self._legs.call(leg)
        return call
