"""Whatever the order of events, answers and faults: one outcome for each invocation, one event at a time in a worker, nothing raised."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.handler_node import invoke
from helpers.invocation_rig import HTTP, OK, PYTHON, Rig
from outdial.apps.worker import WorkerState
from outdial.model.invocations import BadReply, InvocationFailed, Invoke, Replied
from outdial.model.records import InvocationDone, InvocationRow
from outdial.model.work import Save, Saved
from outdial.model.workers import (
    FilesChanged,
    FunctionsConfigured,
    GiveEvent,
    HttpInvoke,
    HttpReply,
    KillWorker,
    StartWorker,
    WorkerBroken,
    WorkerError,
    WorkerExited,
    WorkerMemory,
    WorkerOutput,
    WorkerReady,
    WorkerReply,
)

RESULTS = (Replied, BadReply, InvocationFailed)
TEXTS = [OK, "", "[]", '{"SchemaVersion":"1.0","Actions":[{"Type":"Hangup"}]}']
STEP = st.tuples(
    st.sampled_from(
        ["invoke", "invoke", "invoke", "saved", "ready", "ready", "broken", "reply", "reply", "reply", "stranger", "error", "exit",
         "memory", "print", "files", "configure", "http", "time", "time"]
    ),
    st.integers(0, 7),
)  # fmt: skip


class Chaos(Rig):
    """Its workers and its store do what the steps say."""

    def __init__(self, **more: Any) -> None:
        self.asked: list[Invoke] = []
        super().__init__(PYTHON, HTTP, loads=False, refusing=True, **more)

    def pick(self, things: list[Any], n: int) -> Any:
        return things[n % len(things)] if things else None

    def step(self, what: str, n: int) -> None:
        worker = self.pick(self.all(StartWorker), n)
        given = self.pick(self.all(GiveEvent)[-8:], n)
        if what == "invoke":
            self.asked.append(invoke(["app", "app", "web", "nobody"][n % 4], reply_ignored=n == 5))
            self.give(self.asked[-1])
        elif what == "saved" and (save := self.pick([s for s in self.all(Save) if s.token], n)):
            self.give(Saved(token=save.token))
        elif what == "ready" and worker:
            self.give(WorkerReady(worker=worker.worker))
        elif what == "broken" and worker:
            self.give(WorkerBroken(worker=worker.worker, error_type="SyntaxError", message="x"))
        elif what == "reply" and given:
            self.give(WorkerReply(worker=given.worker, id=given.id, text=TEXTS[n % 4]))
        elif what == "stranger" and worker:
            self.give(WorkerReply(worker=worker.worker, id=n, text=OK))
        elif what == "error" and given:
            self.give(WorkerError(worker=given.worker, id=given.id, error_type="E", message="x"))
        elif what == "exit" and worker:
            self.give(WorkerExited(worker=worker.worker, status=n - 4))
        elif what == "memory" and worker:
            self.give(WorkerMemory(worker=worker.worker, resident_mb=n * 400))
        elif what == "print" and worker:
            self.give(WorkerOutput(worker=worker.worker, stream="stdout", text="x", dropped=n))
        elif what == "files":
            self.give(FilesChanged(function=PYTHON.name))
        elif what == "configure":
            self.give(FunctionsConfigured(functions=[(PYTHON, HTTP), (PYTHON,), (), (PYTHON, HTTP)][n % 4]))
        elif what == "http" and (out := self.pick(self.all(HttpInvoke), n)):
            self.give(HttpReply(id=out.id, status=[200, 500][n % 2], text=TEXTS[n % 4]))
        elif what == "time":
            self.advance([0.01, 0.5, 1.0, 5.0, 20.0, 31.0, 61.0, 0.0][n])


class Recorded(Chaos):
    """What went in and what came out, in order."""

    def __init__(self, **more: Any) -> None:
        self.log: list[tuple[float, Any]] = []
        super().__init__(**more)

    def give(self, item: Any) -> None:
        self.log.append((self.now, item))
        before = len(self.out)
        super().give(item)
        self.log.extend(self.out[before:])

    def advance(self, seconds: float) -> None:
        before = len(self.out)
        super().advance(seconds)
        self.log.extend(self.out[before:])


def check(rig: Recorded) -> None:
    outcomes = Counter(item.call for item in rig.all(object) if isinstance(item, RESULTS))
    assert outcomes == Counter(one.call for one in rig.asked)
    records = [row for save in rig.all(Save) for row in save.unit]
    for kind in (InvocationRow, InvocationDone):
        assert Counter(row.call for row in records if isinstance(row, kind)) == outcomes
    texts: dict[str, set[str]] = {}
    out: list[GiveEvent | HttpInvoke] = [*rig.all(GiveEvent), *rig.all(HttpInvoke)]
    for given_ in out:
        texts.setdefault(given_.call, set()).add(given_.text)
    assert all(len(some) == 1 for some in texts.values())
    for number in Counter(given_.call for given_ in rig.all(GiveEvent)).values():
        assert number <= 2 or rig.core.settings.resend_after_s is not None
    assert [w.id for w in rig.core._workers.values() if w.state in (WorkerState.BUSY, WorkerState.RETIRING)] == [], (
        "nobody is busy for ever"
    )
    busy: dict[str, int] = {}
    killed: set[str] = set()
    for _, item in rig.log:
        if isinstance(item, GiveEvent):
            assert item.worker not in busy, "one event at a time"
            assert item.worker not in killed
            busy[item.worker] = item.id
        elif isinstance(item, WorkerReply | WorkerError) and busy.get(item.worker) == item.id:
            del busy[item.worker]
        elif isinstance(item, WorkerExited):
            busy.pop(item.worker, None)
            killed.add(item.worker)
        elif isinstance(item, KillWorker):
            killed.add(item.worker)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=60), st.sampled_from([None, 5.0]), st.integers(0, 2))
def test_every_order(steps: list[tuple[str, int]], resend_after_s: float | None, retries: int) -> None:
    rig = Recorded(resend_after_s=resend_after_s, handler_retries=min(retries, 1))
    for what, n in steps:
        rig.step(what, n)
    rig.advance(60.0)  # by then each has been answered, or its time is over
    check(rig)
