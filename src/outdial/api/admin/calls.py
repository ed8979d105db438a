"""Calls on record, and a call as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...model.ids import CallId
from ...model.records import (
    CallEnded,
    CallRow,
    Cdr,
    EventRow,
    InvocationDone,
    InvocationRow,
    LegDialog,
    LegEnded,
    LegRow,
    NoteRow,
    OutputRow,
    Record,
    RecordingRow,
    SipMessageRow,
)  # fmt: skip
from ...model.resources import CallHistory
from ..context import Means
from ..control import Follow, Subscription
from ..errors import ServiceError
from .reply import answer, failure

PURPOSE = "_outdial/calls"
HEARTBEAT_S = 15.0
CATCH_UP_S = 1.0
SHOWN = (
    CallEnded | CallRow | Cdr | EventRow | InvocationDone | InvocationRow | LegDialog | LegEnded | LegRow | NoteRow | OutputRow
    | RecordingRow | SipMessageRow
)  # fmt: skip
"""What a follower is told; the rest is for a restart only."""


def in_order(history: CallHistory) -> list[Record]:
    """All of a call's records in the order of their happening."""
    dated: list[tuple[int, Record]] = [
        (history.call.started_at, history.call),
        *((leg.participant.started_at, leg) for leg in history.legs),
        *((event.at, event) for event in history.events),
        *((invocation.given_at, invocation) for invocation in history.invocations),
        *((message.at, message) for message in history.sip),
        *((dialog.answered_at, dialog) for dialog in history.dialogs),
        *((recording.started_at, recording) for recording in history.recordings),
        *((line.at, line) for line in history.output),
        *((done.done_at, done) for done in history.outcomes),
        *((note.at, note) for note in history.notes),
        *((leg_ended.ended_at, leg_ended) for leg_ended in history.legs_ended),
    ]
    records = [record for _, record in sorted(dated, key=lambda pair: pair[0])]
    return [*records, *([history.cdr] if history.cdr else []), *([history.ended] if history.ended else [])]


class Calls:
    def __init__(self, means: Means, follow: Follow) -> None:
        self._means = means
        self._follow = follow

    async def list_all(self, request: Request) -> Response:
        text = request.query_params.get("limit", "20")
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 1000):
            return failure(400, "limit: expected 1 to 1000")
        limit, token = int(text), request.query_params.get("before")
        try:
            before = self._means.pages.position(PURPOSE, token) if token else None
        except ServiceError:
            return failure(400, "before: not a token that this list gave out")
        lines = await self._means.resources.calls.list(before, limit + 1)
        more = len(lines) > limit
        following = self._means.pages.token(PURPOSE, lines[limit - 1].position) if more else None
        return answer({"calls": lines[:limit], "next": following})

    async def show(self, request: Request) -> Response:
        history = await self._means.resources.calls.get(CallId(request.path_params["call"]))
        return _unknown() if history is None else answer(history)

    async def follow(self, request: Request) -> Response:
        call = CallId(request.path_params["call"])
        subscription = self._follow.subscribe(call)  # before the record is read, so that nothing falls between
        try:
            history = await self._means.resources.calls.get(call)
        except BaseException:
            subscription.close()
            raise
        if history is None:
            subscription.close()
            return _unknown()
        return StreamingResponse(self._told(history, subscription), media_type="application/x-ndjson")

    async def _told(self, history: CallHistory, subscription: Subscription) -> AsyncIterator[bytes]:
        """One record a line: what is on record, then what comes, without doubles, to the call's end."""
        seen = _Seen()
        waiting: asyncio.Task[Record] | None = None
        caught_up = False
        try:
            for line in seen.new(in_order(history)):
                yield line
            while history.ended is None:
                waiting = waiting or asyncio.ensure_future(subscription.next())
                done, _ = await asyncio.wait((waiting,), timeout=HEARTBEAT_S if caught_up else CATCH_UP_S)
                if not done and not caught_up:
                    # What was handed to the store just before we subscribed, and was not committed when we read.
                    caught_up = True
                    later = await self._means.resources.calls.get(history.call.call)
                    for line in seen.new(in_order(later) if later else ()):
                        yield line
                    if later is not None and later.ended is not None:
                        return
                elif not done:
                    yield b"\n"
                else:
                    record, waiting = waiting.result(), None
                    for line in seen.new((record,)):
                        yield line
                    if isinstance(record, CallEnded):
                        return
        finally:
            if waiting is not None:
                waiting.cancel()
            subscription.close()


class _Seen:
    """Turns records into lines, each once."""

    def __init__(self) -> None:
        self._lines: set[bytes] = set()

    def new(self, records: Iterable[Record]) -> Iterator[bytes]:
        """The lines of those records that are shown and have not been seen."""
        for record in records:
            if isinstance(record, SHOWN):
                line = msgspec.json.encode(record) + b"\n"
                if line not in self._lines:
                    self._lines.add(line)
                    yield line


def _unknown() -> Response:
    return failure(404, "There is no such call", "outdial calls ls shows those that are")
