"""`apps.Invocations` alone, on virtual time: its store, workers and call control are the test."""

from __future__ import annotations

from typing import Any, TypeVar

from outdial.apps.invocations import Invocations
from outdial.io.ids import SeededIds
from outdial.model.ids import FunctionName, WorkerId
from outdial.model.invocations import BadReply, InvocationFailed, Invoke, Replied
from outdial.model.records import InvocationDone
from outdial.model.settings import InvocationSettings
from outdial.model.work import Note, Save, Saved
from outdial.model.workers import (
    FunctionSpec,
    GiveEvent,
    KillWorker,
    StartWorker,
    WorkerError,
    WorkerExited,
    WorkerReady,
    WorkerReply,
)

T = TypeVar("T")
PYTHON = FunctionSpec(name=FunctionName("app"), kind="python", target="/srv/app.py", handler="handler")
HTTP = FunctionSpec(name=FunctionName("web"), kind="http", target="http://127.0.0.1:9000")
OK = '{"SchemaVersion":"1.0"}'


class Rig:
    """Commits at once unless `refusing`; workers load at once unless `loads` is False. Everything that came out is in `out`."""

    def __init__(self, *functions: FunctionSpec, loads: bool = True, refusing: bool = False, **settings: Any) -> None:
        self.now = 0.0
        self.loads = loads
        self.refusing = refusing
        self.out: list[tuple[float, Any]] = []
        self.core = Invocations(SeededIds(1), self.wall, InvocationSettings(**settings), functions or (PYTHON,))
        self.advance(0.0)

    def wall(self, at: float) -> int:
        return 1_700_000_000_000 + round(at * 1000)

    def give(self, item: Any) -> None:
        self.core.receive(item, self.now)
        self._drain()

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + seconds
        while (deadline := self.core.next_deadline()) is not None and deadline.at <= end:
            self.now = max(self.now, deadline.at)
            self.core.handle_timer(self.now)
            self._drain()
        self.now = end

    def all(self, kind: type[T]) -> list[T]:
        return [item for _, item in self.out if isinstance(item, kind)]

    def last(self, kind: type[T]) -> T:
        return self.all(kind)[-1]

    def at(self, kind: type) -> float:
        """When the last one of a kind came out."""
        return [at for at, item in self.out if isinstance(item, kind)][-1]

    def notes(self) -> list[str]:
        return [note.what for note in self.all(Note)]

    def result(self, invoke: Invoke) -> Replied | BadReply | InvocationFailed | None:
        found = [r for r in self.all(object) if isinstance(r, Replied | BadReply | InvocationFailed) and r.call == invoke.call]
        assert len(found) <= 1, "exactly one result an invocation"
        return found[0] if found else None

    def done(self, invoke: Invoke) -> InvocationDone:
        (found,) = [r for save in self.all(Save) for r in save.unit if isinstance(r, InvocationDone) and r.call == invoke.call]
        return found

    def replies(self, given: GiveEvent | None = None, text: str = OK) -> None:
        given = given or self.last(GiveEvent)
        self.give(WorkerReply(worker=given.worker, id=given.id, text=text))

    def raises(self, given: GiveEvent | None = None, message: str = "boom") -> None:
        given = given or self.last(GiveEvent)
        self.give(WorkerError(worker=given.worker, id=given.id, error_type="KeyError", message=message, frames="File app.py, line 3"))

    def dies(self, worker: WorkerId | None = None, status: int = -11) -> None:
        self.give(WorkerExited(worker=worker or self.last(GiveEvent).worker, status=status))

    def ready(self, worker: WorkerId | None = None) -> None:
        self.give(WorkerReady(worker=worker or self.last(StartWorker).worker))

    def live(self) -> set[WorkerId]:
        """Workers that were started and not killed."""
        return {start.worker for start in self.all(StartWorker)} - {kill.worker for kill in self.all(KillWorker)}

    def _drain(self) -> None:
        while (item := self.core.next_output()) is not None:
            self.out.append((self.now, item))
            if isinstance(item, Save) and item.token and not self.refusing:
                self.give(Saved(token=item.token))
            elif isinstance(item, StartWorker) and self.loads:
                self.give(WorkerReady(worker=item.worker))
