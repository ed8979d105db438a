"""One worker process: its socket, its two pipes, its exit."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable
from typing import IO, Literal

import msgspec

from ..model.workers import (
    GiveEvent,
    StartWorker,
    WorkerBroken,
    WorkerError,
    WorkerEvent,
    WorkerExited,
    WorkerOutput,
    WorkerReady,
    WorkerReply,
)
from .frames import FrameReader, FrameTooLong, pack
from .interpreters import command_line, folder_of
from .launcher import launch
from .output_lines import OutputLines

MAX_REPLY_BYTES = 6 * 1024 * 1024
MAX_FRAME_BYTES = MAX_REPLY_BYTES + 64 * 1024
MAX_UNSENT_BYTES = 4 * 1024 * 1024
READ_BYTES = 64 * 1024
OUTPUT_READ_BYTES = 4 * 1024
"""At a time: short lines cost more than long ones, and the loop has other things to do."""
MAX_FRAMES = 100
"""That a worker may send between two events; ours sends one."""
TERMINATE_S = 2.0
SILENT_S = 0.5
"""How long a process may live on after its end of the socket has closed."""
DISCARD_EVERY_S = 0.005
DISCARD_BYTES = 1024 * 1024
QUIET_LOOKS = 10
MAX_READS, MAX_DROPS = 300, 4
"""How often a pipe is read before an answer is passed on: enough for what one can hold, and an end where somebody prints for ever."""
F_SETPIPE_SZ = 1031


class _Header(msgspec.Struct):
    type: Literal["ready", "failed", "reply", "error", "fatal"]
    id: int = 0
    load_ms: float = 0.0
    version: str = ""
    error_type: str = ""
    message: str = ""
    file: str = ""
    line: int = 0
    frames: str = ""
    too_long: bool = False
    too_deep: bool = False


_header = msgspec.json.Decoder(_Header)
_encode = msgspec.json.Encoder().encode
_Stream = Literal["stdout", "stderr"]


class WorkerProcess:
    """Started when made. Raises `CannotRun` or `OSError` where it cannot be."""

    def __init__(
        self,
        start: StartWorker,
        give: Callable[[WorkerEvent], None],
        exited: Callable[[WorkerExited], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.worker = start.worker
        self._give = give
        self._exited = exited
        self._loop = loop
        self._frames = FrameReader(MAX_FRAME_BYTES)
        self._unsent = bytearray()
        self._last_words = ""
        self._received = 0
        """Frames since the last event was given."""
        self._lines: dict[_Stream, OutputLines] = {"stdout": OutputLines(), "stderr": OutputLines()}
        self._pipes: dict[_Stream, int] = {}
        self._discards: dict[_Stream, asyncio.TimerHandle] = {}
        self._force: asyncio.TimerHandle | None = None
        self.gone: asyncio.Future[None] = loop.create_future()
        folder = folder_of(start.spec)
        self._child = launch(
            command_line(start.spec, start.environment.get("PATH")),
            env={**start.environment, "LAMBDA_TASK_ROOT": str(folder)},
            cwd=str(folder),
            fd_variable="OUTDIAL_FD",
            pipe_output=True,
        )
        self.pid = self._child.pid
        assert self._child.socket is not None
        self._socket = self._child.socket
        loop.add_reader(self._child.pidfd, self._look)
        loop.add_reader(self._socket.fileno(), self._readable)
        for stream in self._lines:
            self._pipes[stream] = self._pipe(stream).fileno()
            loop.add_reader(self._pipes[stream], self._printed, stream)
        self._send(
            {"type": "init", "target": os.path.abspath(os.path.expanduser(start.spec.target)), "handler": start.spec.handler,
             "function": start.spec.name, "max_reply": MAX_REPLY_BYTES},
            b"",
        )  # fmt: skip

    def give_event(self, event: GiveEvent) -> None:
        """Send an event to the worker."""
        self._received = 0
        for stream, lines in self._lines.items():
            lines.begin()
            self._resume(stream)
        self._send({"type": "event", "id": event.id, "context": msgspec.structs.asdict(event.context)}, event.text.encode())

    def kill(self) -> None:
        """End the process and all that it started: SIGTERM, and SIGKILL after 2 s."""
        self._signal(signal.SIGTERM)
        self._kill_in(TERMINATE_S)

    def _look(self) -> None:
        if self._child.running:
            return
        self._child.signal(signal.SIGKILL)  # what it started and left behind
        self._close()
        status = self._child.reap()
        self._exited(WorkerExited(worker=self.worker, status=0 if status is None else status, detail=self._last_words))

    # The socket

    def _send(self, header: dict[str, object], text: bytes) -> None:
        frame = pack(_encode(header) + b"\n" + text)
        if not self._unsent:
            try:
                sent = self._socket.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # it is dying: its exit is on the way
            if sent == len(frame):
                return
            frame = frame[sent:]
            self._loop.add_writer(self._socket.fileno(), self._writable)
        self._unsent += frame
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self._break()

    def _writable(self) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._socket.fileno())
            self._kill_in(SILENT_S)
            return
        try:
            for body in self._frames.feed(data):
                self._received += 1
                if self._received > MAX_FRAMES:
                    self._break()
                    return
                self._take(body)
        except (FrameTooLong, msgspec.MsgspecError, UnicodeError):
            self._break()

    def _take(self, body: bytes) -> None:
        head, _, text = body.partition(b"\n")
        header = _header.decode(head)
        for stream in self._lines:
            self._finish_output(stream)
        worker = self.worker
        event: WorkerEvent
        if header.type == "reply":
            event = WorkerReply(
                worker=worker, id=header.id, text=text.decode("utf-8", "replace"), too_long=header.too_long, too_deep=header.too_deep
            )
        elif header.type == "error":
            event = WorkerError(worker=worker, id=header.id, error_type=header.error_type, message=header.message, frames=header.frames)
        elif header.type == "fatal":
            self._last_words = f"{header.error_type}: {header.message}\n{header.frames}".rstrip()
            return
        elif header.type == "ready":
            event = WorkerReady(worker=worker, load_ms=header.load_ms, version=header.version)
        else:
            event = WorkerBroken(
                worker=worker,
                error_type=header.error_type,
                message=header.message,
                file=header.file,
                line=header.line,
                frames=header.frames,
            )
        self._give(event)

    # What it prints

    def _printed(self, stream: _Stream) -> None:
        self._read_output(stream)
        if self._lines[stream].full and stream in self._pipes:
            self._loop.remove_reader(self._pipes[stream])
            try:
                fcntl.fcntl(self._pipes[stream], F_SETPIPE_SZ, DISCARD_BYTES)
            except OSError:
                pass  # a limit of the machine: it drains more slowly
            self._discard(stream)

    def _read_output(self, stream: _Stream) -> bool:
        try:
            data = os.read(self._pipes[stream], OUTPUT_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close_pipe(stream)
            return False
        for text, dropped in self._lines[stream].feed(data):
            self._give(WorkerOutput(worker=self.worker, stream=stream, text=text, dropped=dropped))
        return True

    def _finish_output(self, stream: _Stream) -> None:
        """Everything printed before an answer is told before the answer."""
        lines = self._lines[stream]
        reads = drops = 0
        while stream in self._pipes and reads < MAX_READS and drops < MAX_DROPS:
            if lines.full:
                drops += 1
                more = self._drop_output(stream)
            else:
                reads += 1
                more = self._read_output(stream)
            if not more:
                break
        self._tell_rest(stream)

    def _tell_rest(self, stream: _Stream) -> None:
        for text, dropped in self._lines[stream].finish():
            self._give(WorkerOutput(worker=self.worker, stream=stream, text=text, dropped=dropped))

    def _drop_output(self, stream: _Stream) -> bool:
        try:
            data = os.read(self._pipes[stream], DISCARD_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._close_pipe(stream)
            return False
        self._lines[stream].drop(len(data))
        return True

    def _discard(self, stream: _Stream, empty: int = 0) -> None:
        """Keep a pipe empty whose share is used up, without keeping the loop busy; say what was left out once it is quiet."""
        self._discards.pop(stream, None)
        empty = 0 if self._drop_output(stream) else empty + 1
        if empty == QUIET_LOOKS:
            self._tell_rest(stream)
        if stream in self._pipes:
            self._discards[stream] = self._loop.call_later(DISCARD_EVERY_S * min(empty + 1, QUIET_LOOKS), self._discard, stream, empty)

    def _resume(self, stream: _Stream) -> None:
        discard = self._discards.pop(stream, None)
        if discard is not None:
            discard.cancel()
            self._loop.add_reader(self._pipes[stream], self._printed, stream)

    def _close_pipe(self, stream: _Stream) -> None:
        discard = self._discards.pop(stream, None)
        if discard is not None:
            discard.cancel()
        self._loop.remove_reader(self._pipes.pop(stream))
        self._pipe(stream).close()

    # The end

    def _break(self) -> None:
        """It broke the protocol, or does not read: it is dead."""
        self._loop.remove_reader(self._socket.fileno())
        self._signal(signal.SIGKILL)

    def _kill_in(self, seconds: float) -> None:
        if self._force is None and not self.gone.done():
            self._force = self._loop.call_later(seconds, self._signal, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        self._child.signal(number)

    def _pipe(self, stream: _Stream) -> IO[bytes]:
        pipe = self._child.stdout if stream == "stdout" else self._child.stderr
        assert pipe is not None
        return pipe

    def _close(self) -> None:
        for stream in self._lines:
            self._finish_output(stream)
            if stream in self._pipes:
                self._close_pipe(stream)
        if self._force is not None:
            self._force.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._loop.remove_reader(self._child.pidfd)
        self.gone.set_result(None)
