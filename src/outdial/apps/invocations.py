"""Invocations of handlers: the JSON, its commit, attempts and time-outs, which worker (DESIGN 3.3; reference/processes 2).

In: `Invoke`, `Saved`, the worker events of `model.workers`, `FunctionsConfigured`, timers. Out: `Save`, worker commands, `Replied`,
`BadReply` or `InvocationFailed` for each `Invoke`, `FunctionState`, `Note`. The tables are `invocation.INVOCATION` and `worker.WORKER`;
this module does what their rows say.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

from ..core import Deadline, Ignore, Timers
from ..model.events import HungUp
from ..model.ids import CallId, Ids, Token, Wall, WorkerId
from ..model.invocations import InvocationFailed, Invoke, Replied
from ..model.records import InvocationDone, InvocationRow, OutputRow
from ..model.settings import InvocationSettings
from ..model.work import Note, Save, Saved
from ..model.workers import (
    FilesChanged,
    FunctionsConfigured,
    FunctionSpec,
    GiveEvent,
    HttpInvoke,
    HttpReply,
    WorkerBroken,
    WorkerError,
    WorkerExited,
    WorkerMemory,
    WorkerOutput,
    WorkerReady,
    WorkerReply,
)
from .connections import Connections
from .context import context_of, log_stream_name
from .event_json import MAX_EVENT_BYTES, event_json
from .functions import Functions, unserved
from .http_reply import http_error
from .invocation import INVOCATION, Invocation, InvocationInput, InvocationState, first_line
from .pool import Pool
from .reply_json import Blank, Fault, bad_reply, read_reply, too_large
from .worker import Worker, WorkerInput

KEPT_REPLY_BYTES = 64 * 1024
KEPT_ERROR_CHARACTERS = 16 * 1024
KEPT_OUTPUT_S = 0.5
KEPT_OUTPUT_LINES = 100
REMEMBERED_CALLS = 10_000


class Invocations:
    """The core between a call's events and the functions that serve them."""

    def __init__(self, ids: Ids, wall: Wall, settings: InvocationSettings, functions: tuple[FunctionSpec, ...] = ()) -> None:
        self.ids = ids
        self.settings = settings
        self.timers: Timers[Any] = Timers()
        self._wall = wall
        self._out: deque[Any] = deque()
        self.functions = Functions(self)
        self._workers: dict[WorkerId, Worker] = {}
        self._saves: dict[Token, Invocation] = {}
        self._given: dict[int, Invocation] = {}
        self._http: dict[int, Connections] = {}
        self._last_worker: dict[CallId, WorkerId] = {}
        self._wanted = functions
        self.timers.set("functions", 0.0, "start the functions' workers")

    # The four methods

    def receive(self, item: Any, now: float) -> None:
        """Take an `Invoke`, a `Saved`, an event of a worker or of an HTTP function, or `FunctionsConfigured`."""
        _RECEIVE[type(item)](self, item, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        for key in self.timers.due(now):
            if isinstance(key, Invocation):
                self._invocation_due(key, now)
            elif key == "functions":
                self.functions.configure(self._wanted, now)
            else:
                self._other_due(key[0], key[1], now)

    def next_output(self) -> Any | None:
        """The oldest output not yet taken."""
        return self._out.popleft() if self._out else None

    def next_deadline(self) -> Deadline | None:
        """The earliest timer."""
        return self.timers.next_deadline()

    # Inputs

    def _invoke(self, invoke: Invoke, now: float) -> None:
        invocation = Invocation(self.ids.number(), invoke, now)
        if invoke.request is not None:  # after a restart: it was committed when it was first given
            invocation.text = invoke.request.decode()
            self.feed(invocation, InvocationInput.COMMITTED, "", now)
            return
        request = event_json(invoke)
        invocation.text = request.decode()
        token = Token(self.ids.number())
        self._saves[token] = invocation
        self.timers.set(invocation, now + self.settings.hold_s, "commit of an event")
        row = InvocationRow(
            call=invoke.call,
            sequence=invoke.sequence,
            number=invoke.number,
            function=invoke.function,
            request=request,
            given_at=self._wall(now),
        )
        self.emit(Save(token=token, unit=(row,)))

    def _saved(self, saved: Saved, now: float) -> None:
        invocation = self._saves.pop(saved.token, None)
        if invocation is not None:
            self.feed(invocation, InvocationInput.COMMITTED, "", now)

    def _ready(self, item: WorkerReady, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is not None:
            worker.pool.feed(worker, WorkerInput.LOADED, "", now)

    def _broken(self, item: WorkerBroken, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is not None:
            where = f"{item.file}, line {item.line}: " if item.line else f"{item.file}: " if item.file else ""
            worker.pool.feed(worker, WorkerInput.BROKEN, f"{where}{item.error_type}: {item.message}"[:2000], now)

    def _reply(self, item: WorkerReply, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is None or not self._expected(worker, item.id):
            return
        worker.pool.worked()
        invocation = self._given.pop(item.id, None)
        if invocation is not None:
            invocation.given.pop(item.id)
            invocation.reply = item
            invocation.replied_by = worker
            self.feed(invocation, InvocationInput.REPLIED, "", now)
        worker.pool.feed(worker, WorkerInput.ANSWERED, "", now)

    def _error(self, item: WorkerError, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is None or not self._expected(worker, item.id):
            return
        worker.pool.worked()
        invocation = worker.invocation
        worker.pool.feed(worker, WorkerInput.ANSWERED, "", now)
        if invocation is not None:
            why = f"the handler raised {item.error_type}: {item.message}"
            self.fault(invocation, item.id, f"{why}\n{item.frames}" if item.frames else why, now)

    def _exited(self, item: WorkerExited, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is not None:
            worker.pool.exited(worker, item.status, item.detail, now)

    def _memory(self, item: WorkerMemory, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is not None and item.resident_mb > worker.pool.spec.memory_mb:
            limit = worker.pool.spec.memory_mb
            why = f"the handler's process used {item.resident_mb} MB of memory, the limit is {limit} MB (setting memory of the function)"
            worker.pool.feed(worker, WorkerInput.OVERGROWN, why, now)

    def _output(self, item: WorkerOutput, now: float) -> None:
        worker = self._workers.get(item.worker)
        if worker is None or worker.call is None:
            return  # a line printed while loading belongs to no call; the log has it
        text = item.text
        if item.dropped:
            text = f"[{item.dropped} bytes left out] {text}".rstrip()
        worker.output.append(OutputRow(call=worker.call, sequence=worker.sequence, stream=item.stream, text=text, at=self._wall(now)))
        if len(worker.output) >= KEPT_OUTPUT_LINES:
            self._save(tuple(self._take_output(worker)))
        elif ("output", worker.id) not in self.timers:
            self.timers.set(("output", worker.id), now + KEPT_OUTPUT_S, "lines that a handler printed")

    def _files_changed(self, item: FilesChanged, now: float) -> None:
        function = self.functions.get(item.function)
        if function is not None:
            function.reload(now)

    def _http_reply(self, item: HttpReply, now: float) -> None:
        connections = self._http.pop(item.id, None)
        invocation = self._given.pop(item.id, None)
        if invocation is not None:
            error = http_error(item)
            if error is None:
                invocation.given.pop(item.id)
                invocation.reply = item
                self.feed(invocation, InvocationInput.REPLIED, "", now)
            else:
                self._given[item.id] = invocation
                self.fault(invocation, item.id, error, now)
        if connections is not None:
            connections.free(now)

    def _configured(self, item: FunctionsConfigured, now: float) -> None:
        self.timers.cancel("functions")
        self.functions.configure(item.functions, now)

    # Timers

    def _invocation_due(self, invocation: Invocation, now: float) -> None:
        if invocation.state is InvocationState.COMMITTING:
            self.feed(invocation, InvocationInput.HOLD_OVER, "", now)
        elif now >= invocation.limit_at:
            self.feed(invocation, InvocationInput.OVERDUE, "", now)
        elif invocation.slow_at is not None and now >= invocation.slow_at:
            invocation.slow_at = None
            self._arm(invocation)
            self.feed(invocation, InvocationInput.SLOW, "", now)
        else:
            invocation.resend_at = now + (self.settings.resend_after_s or self.settings.handler_timeout_s)
            self._arm(invocation)
            self.feed(invocation, InvocationInput.RESEND, "", now)

    def _other_due(self, what: str, name: Any, now: float) -> None:
        if what in ("start", "scale"):
            pool = self.functions.get(name)
            if isinstance(pool, Pool):
                (pool.start_due if what == "start" else pool.scale)(now)
            return
        worker = self._workers.get(name)
        if worker is None:
            return
        if what == "output":
            self._save(tuple(self._take_output(worker)))
        elif what == "idle":
            worker.pool.expire(worker, now)
        elif what == "overrun":
            if worker.invocation is not None and worker.invocation.state is InvocationState.ENDED:
                worker.pool.feed(worker, WorkerInput.KILLED, "", now)
        else:
            why = f"the handler was not loaded within {self.settings.load_timeout_s:.0f} s"
            worker.pool.feed(worker, WorkerInput.BROKEN, why, now)

    def _arm(self, invocation: Invocation) -> None:
        at, why = invocation.limit_at, "limit of an invocation"
        if invocation.slow_at is not None and invocation.slow_at < at:
            at, why = invocation.slow_at, "slow handler"
        if invocation.resend_at is not None and invocation.resend_at < at:
            at, why = invocation.resend_at, "resend"
        self.timers.set(invocation, at, why)

    # Steps of the invocation's table

    def feed(self, invocation: Invocation, what: InvocationInput, why: str, now: float) -> None:
        """Follow the invocation's table."""
        row = INVOCATION[invocation.state][what]
        if isinstance(row, tuple):
            invocation.state = row[0]  # type: ignore[assignment]
            for step in row[1]:
                step(self, invocation, why, now)
        elif not isinstance(row, Ignore):
            raise RuntimeError(f"invocation {invocation.invoke.sequence}: {what.name} cannot come in {invocation.state.name}")

    def note_uncommitted(self, invocation: Invocation) -> None:
        self._note(
            invocation, "warning", f"an event was given before its commit: the database did not take it for {self.settings.hold_s} s"
        )

    def start_clock(self, invocation: Invocation, now: float) -> None:
        settings = self.settings
        invocation.started_at = now
        invocation.limit_at = now + settings.handler_timeout_s
        invocation.slow_at = now + settings.warn_after_s
        invocation.resend_at = None if settings.resend_after_s is None else now + settings.resend_after_s
        self._arm(invocation)

    def seek(self, invocation: Invocation, now: float) -> None:
        name = invocation.invoke.function
        function = self.functions.get(name)
        size = len(invocation.text)
        if size > MAX_EVENT_BYTES:
            self.feed(invocation, InvocationInput.REFUSED, f"the event is {size} bytes long, the limit is {MAX_EVENT_BYTES}", now)
        elif function is None:
            self.feed(invocation, InvocationInput.REFUSED, unserved(name), now)
        else:
            function.seek(invocation, self._last_worker.get(invocation.invoke.call), now)

    def give(self, invocation: Invocation, now: float) -> None:
        invoke, worker = invocation.invoke, invocation.taker
        number = self.ids.number()
        invocation.attempts += 1
        invocation.given[number] = worker
        self._given[number] = invocation
        if invocation.given_at is None:
            invocation.waited = now - invocation.started_at - invocation.running
            invocation.given_at = now
        if worker is None:
            connections = self.functions.get(invoke.function)
            assert isinstance(connections, Connections)
            self._http[number] = connections
            self.emit(
                HttpInvoke(
                    id=number,
                    spec=connections.spec,
                    text=invocation.text,
                    timeout_s=invocation.limit_at - now,
                    call=invoke.call,
                    sequence=invoke.sequence,
                )
            )
            return
        worker.invocation, worker.attempt = invocation, number
        worker.call, worker.sequence = invoke.call, invoke.sequence
        self._remember(invoke.call, worker.id)
        context = context_of(invoke, worker.pool.spec, self.ids, worker.log_stream, self._wall(invocation.limit_at))
        self.emit(GiveEvent(worker=worker.id, id=number, text=invocation.text, context=context, call=invoke.call, sequence=invoke.sequence))

    def warn(self, invocation: Invocation, now: float) -> None:
        waited, running = invocation.spent(now)
        part = f"{waited:.1f} s of it waiting for a worker, {running:.1f} s in the handler (attempt {max(1, invocation.attempts)})"
        self._note(
            invocation,
            "warning",
            f"no answer from handler after {now - invocation.started_at:.1f} s: {part}",
            waited_ms=round(waited * 1000),
            running_ms=round(running * 1000),
        )

    def judge(self, invocation: Invocation, now: float) -> None:
        invoke, reply = invocation.invoke, invocation.reply
        assert reply is not None
        result: Replied | Blank | Fault
        if reply.too_long and not invoke.reply_ignored:
            result = too_large("at most 6 MB")
        elif isinstance(reply, WorkerReply) and reply.too_deep and not invoke.reply_ignored:
            result = too_large("at most 100 levels of nesting")
        else:
            result = read_reply(reply.text, invoke.call, invoke.sequence, ignored=invoke.reply_ignored)
        if isinstance(result, Replied):
            self._finish(invocation, result, "replied", "", now)
        elif isinstance(result, Fault):
            self._note(invocation, "warning", f"bad reply from handler: {result}")
            self._finish(invocation, bad_reply(result, invoke.call, invoke.sequence), "bad_reply", str(result), now)
        else:
            self._note(invocation, "warning", "the handler answered with nothing")
            failed = InvocationFailed(call=invoke.call, sequence=invoke.sequence, reason="failed", detail=result.detail)
            self._finish(invocation, failed, "failed", result.detail, now)

    def fail(self, invocation: Invocation, why: str, now: float) -> None:
        self._note(
            invocation, "warning", f"the event could not be given: {first_line(why)}" if not invocation.attempts else first_line(why)
        )
        failed = InvocationFailed(call=invocation.invoke.call, sequence=invocation.invoke.sequence, reason="failed", detail=first_line(why))
        self._finish(invocation, failed, "failed", why, now)

    def give_up(self, invocation: Invocation, now: float) -> None:
        waited, running = invocation.spent(now)
        detail = (
            f"no answer within {self.settings.handler_timeout_s:.0f} s: {waited:.1f} s waiting for a worker, {running:.1f} s in the handler"
        )
        out = list(invocation.given.values())
        self._note(invocation, "warning", detail)
        failed = InvocationFailed(call=invocation.invoke.call, sequence=invocation.invoke.sequence, reason="timeout", detail=detail)
        self._finish(invocation, failed, "timeout", detail, now)
        for worker in out:
            if worker is not None:
                worker.pool.feed(worker, WorkerInput.KILLED, "", now)

    def fault(self, invocation: Invocation, attempt: int, why: str, now: float) -> None:
        """An attempt failed: give the event once more, or not."""
        if self._given.pop(attempt, None) is None:
            return
        invocation.given.pop(attempt)
        invocation.errors.append(why)
        if invocation.given:
            return  # another attempt is under way (resend_after)
        if invocation.given_at is not None:
            invocation.running += now - invocation.given_at
            invocation.given_at = None
        if len(invocation.errors) > self.settings.handler_retries:
            self.feed(invocation, InvocationInput.EXHAUSTED, why, now)
        else:
            self._note(invocation, "warning", f"{first_line(why)}; given once more")
            self.feed(invocation, InvocationInput.FAULTED, why, now)

    # What pools ask

    def emit(self, output: Any) -> None:
        """Put out one value."""
        self._out.append(output)

    def know_worker(self, worker: Worker) -> None:
        self._workers[worker.id] = worker

    def forget_worker(self, worker: Worker) -> None:
        self._save(tuple(self._take_output(worker)))
        del self._workers[worker.id]

    def log_stream(self, now: float) -> str:
        return log_stream_name(self.ids, self._wall(now))

    # Inside

    def _finish(self, invocation: Invocation, result: Any, outcome: Any, error: str, now: float) -> None:
        invoke, reply = invocation.invoke, invocation.reply
        self.timers.cancel(invocation)
        for attempt, worker in invocation.given.items():  # resend_after: whoever is still busy with it may be so until its time is over
            self._given.pop(attempt, None)
            if worker is not None:
                self.timers.set(("overrun", worker.id), invocation.limit_at, "a repeated event")
        invocation.given.clear()
        function = self.functions.get(invoke.function)
        if function is not None:
            function.leave(invocation)  # it waits for a worker, or its repeat does
        done = InvocationDone(
            call=invoke.call,
            sequence=invoke.sequence,
            outcome=outcome,
            reply=b"" if reply is None else reply.text[:KEPT_REPLY_BYTES].encode("utf-8", "replace")[:KEPT_REPLY_BYTES],
            error=invocation.what_went_wrong(error)[:KEPT_ERROR_CHARACTERS],
            attempts=invocation.attempts,
            done_at=self._wall(now),
        )
        output = [] if invocation.replied_by is None else self._take_output(invocation.replied_by)
        self._save((done, *output))
        if invoke.reply_ignored and isinstance(invoke.event, HungUp):
            self._last_worker.pop(invoke.call, None)
        self.emit(result)

    def _expected(self, worker: Worker, attempt: int) -> bool:
        if worker.invocation is not None and worker.attempt == attempt:
            return True
        if not worker.dropped_late and worker.call is not None:
            worker.dropped_late = True
            self.emit(Note(call=worker.call, level="warning", what="a second or late answer of the handler was dropped"))
        return False

    def _remember(self, call: CallId, worker: WorkerId) -> None:
        last = self._last_worker
        if last.pop(call, None) is None and len(last) >= REMEMBERED_CALLS:
            del last[next(iter(last))]
        last[call] = worker

    def _take_output(self, worker: Worker) -> list[OutputRow]:
        rows, worker.output = worker.output, []
        if rows:
            self.timers.cancel(("output", worker.id))
        return rows

    def _save(self, unit: tuple[Any, ...]) -> None:
        if unit:
            self.emit(Save(token=Token(0), unit=unit))

    def _note(self, invocation: Invocation, level: Literal["info", "warning"], what: str, **facts: str | int | float) -> None:
        invoke = invocation.invoke
        all_facts: dict[str, str | int | float] = {"function": invoke.function, "sequence": invoke.sequence, **facts}
        self.emit(Note(call=invoke.call, level=level, what=what, facts=all_facts))


_RECEIVE: dict[type, Any] = {
    Invoke: Invocations._invoke,
    Saved: Invocations._saved,
    WorkerReady: Invocations._ready,
    WorkerBroken: Invocations._broken,
    WorkerReply: Invocations._reply,
    WorkerError: Invocations._error,
    WorkerExited: Invocations._exited,
    WorkerOutput: Invocations._output,
    WorkerMemory: Invocations._memory,
    FilesChanged: Invocations._files_changed,
    HttpReply: Invocations._http_reply,
    FunctionsConfigured: Invocations._configured,
}
