"""The node's end of the media engine: starts its process, sends commands, delivers events on the loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

import msgspec

from ..model.media import Command, Configure, EngineGone, MediaEvent
from .frames import FrameReader, FrameTooLong, pack
from .launcher import Child, launch_module

_WRITE_LIMIT = 4 << 20
_FRAME_LIMIT = 64 << 20
_COMMANDS_A_FRAME = 256


class MediaClient:
    """One engine after another: `start` again after `EngineGone`.

    `on_events` is called on the loop with each batch, in order for each stream; the last event of an engine is `EngineGone`, unless
    `close` ended it.
    """

    def __init__(self, settings: Configure, on_events: Callable[[Sequence[MediaEvent]], None], *, python: str = sys.executable) -> None:
        self._settings = settings
        self._on_events = on_events
        self._python = python
        self._child: Child | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsent = bytearray()
        self._writing = False
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[MediaEvent])
        self._reader = FrameReader(_FRAME_LIMIT)
        self._ending: set[asyncio.Task[int]] = set()

    @property
    def pid(self) -> int | None:
        """The engine's process, while there is one."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Start the engine's process and configure it, from the main thread, on the running loop; `Ready` follows. Raises `OSError`."""
        if self._child is not None:
            raise RuntimeError("the media engine runs already")
        self._loop = asyncio.get_running_loop()
        self._child = launch_module("outdial.io.media_process", python=self._python, variables={"OPENBLAS_NUM_THREADS": "1"})
        assert self._child.socket is not None
        self._reader = FrameReader(_FRAME_LIMIT)
        self._unsent.clear()
        self._writing = False
        self._loop.add_reader(self._child.socket, self._read)
        self.submit([self._settings])

    def submit(self, commands: Sequence[Command]) -> None:
        """Send commands; returns at once. Without an engine they are dropped: `EngineGone` has been said."""
        if self._child is None:
            return
        for at in range(0, len(commands), _COMMANDS_A_FRAME):
            self._unsent += pack(self._encoder.encode(list(commands[at : at + _COMMANDS_A_FRAME])))
        if not self._writing:
            self._flush()
        if len(self._unsent) > _WRITE_LIMIT:
            self._gone(f"it left {len(self._unsent)} bytes of commands unread")

    async def close(self) -> None:
        """End the engine; nothing is delivered after this."""
        child = self._detach()
        if child is not None:
            await child.end()
        for task in list(self._ending):
            await task

    def _read(self) -> None:
        child = self._child
        if child is None or child.socket is None:
            return
        try:
            data = child.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(str(error))
            return
        if not data:
            self._gone("its socket closed")
            return
        try:
            for body in self._reader.feed(data):
                self._on_events(self._decoder.decode(body))
                if self._child is not child:
                    return
        except (FrameTooLong, msgspec.DecodeError) as error:
            self._gone(f"it sent what is no list of events: {error}")

    def _flush(self) -> None:
        child = self._child
        if child is None or child.socket is None or self._loop is None:
            return
        try:
            sent = child.socket.send(self._unsent)
            del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            self._gone(str(error))
            return
        if bool(self._unsent) != self._writing:
            self._writing = bool(self._unsent)
            if self._writing:
                self._loop.add_writer(child.socket, self._flush)
            else:
                self._loop.remove_writer(child.socket)

    def _gone(self, detail: str) -> None:
        child = self._detach()
        if child is None or self._loop is None:
            return
        task = self._loop.create_task(child.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        self._on_events([EngineGone(detail=f"the media engine (process {child.pid}) is gone: {detail}")])

    def _detach(self) -> Child | None:
        child, self._child = self._child, None
        if child is not None and child.socket is not None and self._loop is not None:
            self._loop.remove_reader(child.socket)
            if self._writing:
                self._loop.remove_writer(child.socket)
            child.socket.close()
            self._writing = False
        self._unsent.clear()
        return child
