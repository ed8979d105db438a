"""Runs a Python handler in the user's own interpreter (3.8 or later): standard library only, nothing of outdial.

The node gives events over the socket whose descriptor is in OUTDIAL_FD and takes replies from it; stdout and stderr are the handler's.
A frame is a 4-byte big-endian length and a body: a JSON header and, after a line feed, the event's or the reply's JSON as it is.
"""

from __future__ import annotations

import faulthandler
import fcntl
import importlib
import importlib.util
import json
import logging
import os
import socket
import struct
import sys
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these takes time, and nothing of them is needed at run time
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

MAX_TEXT = 10000
MAX_FRAMES = 30
HIGH_DESCRIPTOR = 400
"""Where the socket is moved to: out of the way of code that closes or writes to low descriptors."""


class Link:
    """The socket to the node. Only the process that was started may use it: a child of the handler's own making may not."""

    def __init__(self, descriptor: int) -> None:
        try:
            high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR)
            os.close(descriptor)
        except OSError:
            high = descriptor
            os.set_inheritable(high, False)
        self.socket = socket.socket(fileno=high)
        self.pid = os.getpid()
        self.buffer = b""

    def send(self, header: dict[str, Any], text: bytes = b"") -> None:
        if os.getpid() != self.pid:
            os._exit(0)
        body = json.dumps(header).encode() + b"\n" + text
        self.socket.sendall(struct.pack("!I", len(body)) + body)

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """The next (header, text), or None once the node has closed its end."""
        while True:
            if len(self.buffer) >= 4:
                end = 4 + struct.unpack_from("!I", self.buffer)[0]
                if len(self.buffer) >= end:
                    header, _, text = self.buffer[4:end].partition(b"\n")
                    self.buffer = self.buffer[end:]
                    return json.loads(header), text
            data = self.socket.recv(65536)
            if os.getpid() != self.pid:
                os._exit(0)
            if not data:
                return None
            self.buffer += data


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """What Lambda's context object says."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.aws_request_id = fields["aws_request_id"]
        self.function_name = fields["function_name"]
        self.function_version = fields["function_version"]
        self.invoked_function_arn = fields["invoked_function_arn"]
        self.memory_limit_in_mb = str(fields["memory_limit_in_mb"])
        self.log_group_name = fields["log_group_name"]
        self.log_stream_name = fields["log_stream_name"]
        self.identity = Identity()
        self.client_context = None
        self._deadline_ms = fields["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def set_up_logging() -> RequestIdFilter:
    """As Lambda does: a handler on the root logger, so that a logger whose level is set is heard."""
    found = RequestIdFilter()
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(found)
    logging.getLogger().addHandler(handler)
    return found


def load(target: str, handler: str) -> Callable[[Any, Context], Any]:
    """Import the handler. The name is NAME in a file, MODULE.NAME in a folder, where MODULE may be a path with / or dots."""
    if os.path.isdir(target):
        folder, file = target, None
        module_name, _, name = handler.rpartition(".")
        if not module_name:
            raise ValueError(f"{handler!r} names no function: in a folder a handler is MODULE.NAME")
        module_name = module_name.replace("/", ".")
    else:
        folder, file = os.path.dirname(target), target
        module_name, name = os.path.splitext(os.path.basename(target))[0], handler
    os.chdir(folder)
    sys.path.insert(0, folder)
    if file is None:
        module = importlib.import_module(module_name)
    else:
        spec = importlib.util.spec_from_file_location(module_name, file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    function: Any = module
    for part in name.split("."):
        function = getattr(function, part)
    if not callable(function):
        raise TypeError(f"{handler} is not a function")
    found: Callable[[Any, Context], Any] = function
    return found


def in_user_code(trace: TracebackType | None) -> TracebackType | None:
    """Drop the frames of this file and of the import machinery from the beginning of a traceback."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and not file.startswith("<frozen importlib"):
            return trace
        trace = trace.tb_next
    return None


def describe(error: BaseException) -> dict[str, Any]:
    """Type, message and the last frames of an exception, bounded."""
    trace = in_user_code(error.__traceback__)
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:
        message = "(its message could not be made)"
    try:
        frames = "".join(traceback.format_exception(type(error), error, trace, limit=-MAX_FRAMES))
    except Exception:
        frames = ""
    return {"error_type": type(error).__name__, "message": message[:MAX_TEXT], "frames": frames[-MAX_TEXT:]}


def where(error: BaseException) -> dict[str, Any]:
    """File and line that an error of loading points to."""
    if isinstance(error, SyntaxError) and error.filename:
        return {"file": error.filename, "line": error.lineno or 0}
    frames = traceback.extract_tb(in_user_code(error.__traceback__))
    return {"file": frames[-1].filename, "line": frames[-1].lineno} if frames else {}


def plain(value: object) -> object:
    """Decimals, as DynamoDB's client gives them, are numbers; everything else that JSON does not know is an error, as in Lambda."""
    import decimal  # only where there may be one

    if isinstance(value, decimal.Decimal):
        return int(value) if value == value and value.as_tuple().exponent == 0 else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def answer(link: Link, number: int, function: Callable[[Any, Context], Any], event: bytes, context: Context, max_reply: int) -> None:
    """Run the handler with one event and send what it answers."""
    try:
        reply = function(json.loads(event), context)
        try:
            text = json.dumps(reply, default=plain).encode()
        except RecursionError:
            flush()
            link.send({"type": "reply", "id": number, "too_deep": True})
            return
    except Exception as error:
        flush()
        link.send({"type": "error", "id": number, **describe(error)})
        return
    flush()
    if len(text) > max_reply:
        link.send({"type": "reply", "id": number, "too_long": True})
    else:
        link.send({"type": "reply", "id": number}, text)


def main() -> int:
    link = Link(int(os.environ.pop("OUTDIAL_FD")))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(  # type: ignore[union-attr]
            line_buffering=True, errors="backslashreplace"
        )
    faulthandler.enable()  # a crash in native code leaves its frames on stderr
    started = time.monotonic()
    first = link.receive()
    if first is None:
        return 0
    init = first[0]
    if sys.path and os.path.abspath(sys.path[0] or ".") == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]  # this file's own folder
    sys.dont_write_bytecode = True  # two edits within a second may look alike to the cache; and the folder is not ours
    os.environ.setdefault("AWS_EXECUTION_ENV", f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}")
    request = set_up_logging()
    try:
        function = load(init["target"], init["handler"])
    except BaseException as error:
        flush()
        link.send({"type": "failed", **describe(error), **where(error)})
        return 1
    flush()
    link.send({"type": "ready", "load_ms": (time.monotonic() - started) * 1000, "version": "Python " + sys.version.split()[0]})
    while True:
        received = link.receive()
        if received is None:
            return 0
        header, event = received
        context = Context(header["context"])
        request.request_id = context.aws_request_id
        answer(link, header["id"], function, event, context, init["max_reply"])


if __name__ == "__main__":
    status = 1
    try:
        status = main()
    except SystemExit as error:  # the handler's own wish: the process ends with it
        flush()
        status = error.code if isinstance(error.code, int) else 1 if error.code else 0
    except (ConnectionError, OSError):
        pass
    except BaseException:
        traceback.print_exc()
    flush()
    os._exit(status)
