"""`apps` to the machine and back: handler workers and HTTP functions (reference/processes 2)."""

from __future__ import annotations

from typing import Literal

from .ids import CallId, FunctionName, WorkerId
from .value import Value


class FunctionSpec(Value, frozen=True, kw_only=True):
    """A function as configured: `python:PATH.py:NAME`, `python:FOLDER:MODULE.NAME`, `node:…`, `http(s)://…` (DESIGN 6)."""

    name: FunctionName
    kind: Literal["python", "node", "http"]
    target: str
    """File, folder or URL."""
    handler: str = ""
    """Python: the name in the file, or MODULE.NAME in a folder. Node likewise."""
    interpreter: str | None = None
    environment: dict[str, str] = {}
    memory_mb: int = 1024
    max_workers: int = 64


class FunctionsConfigured(Value, frozen=True, kw_only=True):
    """The functions as they are configured from now on, in place of those before: given to `apps/invocations`."""

    functions: tuple[FunctionSpec, ...]


class Context(Value, frozen=True, kw_only=True):
    """What the handler's context object says."""

    aws_request_id: str
    function_name: str
    function_version: str = "$LATEST"
    invoked_function_arn: str
    memory_limit_in_mb: int = 1024
    log_group_name: str
    log_stream_name: str
    deadline_ms: int
    """Epoch milliseconds."""


class StartWorker(Value, frozen=True, kw_only=True):
    worker: WorkerId
    spec: FunctionSpec
    environment: dict[str, str]
    """Whole: nothing is inherited beside it."""


class KillWorker(Value, frozen=True, kw_only=True):
    worker: WorkerId


class GiveEvent(Value, frozen=True, kw_only=True):
    worker: WorkerId
    id: int
    text: str
    """The event's JSON."""
    context: Context
    call: CallId
    sequence: int


class HttpInvoke(Value, frozen=True, kw_only=True):
    id: int
    spec: FunctionSpec
    text: str
    timeout_s: float
    call: CallId
    sequence: int


class WorkerReady(Value, frozen=True, kw_only=True):
    worker: WorkerId
    load_ms: float = 0.0
    version: str = ""


class WorkerBroken(Value, frozen=True, kw_only=True):
    """The handler could not be loaded."""

    worker: WorkerId
    error_type: str
    message: str
    file: str = ""
    line: int = 0
    frames: str = ""


class WorkerReply(Value, frozen=True, kw_only=True):
    worker: WorkerId
    id: int
    text: str
    """The reply's JSON, unparsed; at most 6 MB."""
    too_long: bool = False
    too_deep: bool = False
    """It nests deeper than the worker could write; `text` is empty then."""


class WorkerError(Value, frozen=True, kw_only=True):
    """The handler raised, or rejected its promise."""

    worker: WorkerId
    id: int
    error_type: str
    message: str
    frames: str = ""


class WorkerExited(Value, frozen=True, kw_only=True):
    worker: WorkerId
    status: int
    """Exit status, or minus the signal."""
    detail: str = ""
    """What the worker itself said last: an error that nobody caught, with its frames."""


class WorkerOutput(Value, frozen=True, kw_only=True):
    worker: WorkerId
    stream: Literal["stdout", "stderr"]
    text: str
    dropped: int = 0
    """Bytes that were over the bound and left out before this line."""


class WorkerMemory(Value, frozen=True, kw_only=True):
    worker: WorkerId
    resident_mb: int


class FilesChanged(Value, frozen=True, kw_only=True):
    function: FunctionName


class HttpReply(Value, frozen=True, kw_only=True):
    """`error` is empty where the function answered; `text` is its answer."""

    id: int
    status: int = 0
    text: str = ""
    function_error: bool = False
    error: str = ""
    too_long: bool = False


WorkerCommand = StartWorker | KillWorker | GiveEvent | HttpInvoke
WorkerEvent = WorkerReady | WorkerBroken | WorkerReply | WorkerError | WorkerExited | WorkerOutput | WorkerMemory | FilesChanged | HttpReply
