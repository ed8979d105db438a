"""The node's end of the speech helper: started at the first Speak, started again where it died, asked one thing at a time.

A request has 10 s. A helper that dies or takes longer is ended, started again, and the request tried once more; then it has failed. A
request that has waited 20 s for its turn has failed too: behind a helper that hangs nobody waits for ever.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, cast

import msgspec

from ..model.work import SpeechSource
from ..speech.failure import SpeechFailed
from ..speech.messages import Answer, NotSaid, Say
from ..speech.plan import plan
from .frames import FrameReader, FrameTooLong, pack
from .launcher import Child, launch_module

TIME_LIMIT_S: Final = 10.0
_FRAME_LIMIT: Final = 1 << 20


class _Died(Exception):
    """The helper ended, or did not answer in time."""


class SpeechClient:
    """Satisfies `io.work.Speech`. Used on the loop of the main thread."""

    def __init__(self, *, python: str = sys.executable, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._python = python
        self._time_limit_s = time_limit_s
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._count = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Answer).decode
        try:
            self._version = version("espeakng_loader")
        except PackageNotFoundError:
            self._version = "none"

    @property
    def pid(self) -> int | None:
        """The helper's process, while there is one."""
        return None if self._child is None else self._child.pid

    async def plan(self, source: SpeechSource) -> tuple[str, str | None]:
        """The key of the sound, and who speaks it. Raises `SpeechFailed`."""
        if importlib.util.find_spec("espeakng_loader") is None:
            raise SpeechFailed("engine", "no speech engine is installed; pip install 'outdial[speech]'")
        utterance = plan(source, self._version)
        return utterance.key, utterance.remark

    async def speak(self, source: SpeechSource, to: Path) -> None:
        """Have it spoken into `to`. Raises `SpeechFailed`."""
        utterance = plan(source, self._version)
        try:
            await asyncio.wait_for(self._turn.acquire(), 2 * self._time_limit_s)
        except TimeoutError:
            raise SpeechFailed("engine", f"the speech helper was busy for {2 * self._time_limit_s:g} s") from None
        try:
            for again in (True, False):
                self._count += 1
                asked = Say(
                    id=self._count,
                    voice=utterance.voice,
                    text=utterance.text,
                    ssml=utterance.ssml,
                    may_be_silent=utterance.may_be_silent,
                    path=str(to.absolute()),
                )
                try:
                    answer = await asyncio.wait_for(self._ask(asked), self._time_limit_s)
                except (_Died, TimeoutError) as error:
                    await self._end()
                    if not again:
                        why = str(error) or f"it did not answer within {self._time_limit_s:g} s"
                        raise SpeechFailed("engine", f"the speech helper failed twice: {why}") from None
                    continue
                except BaseException:
                    await asyncio.shield(self._end())  # an answer that nobody waits for must not reach the next request
                    raise
                if isinstance(answer, NotSaid):
                    raise SpeechFailed(answer.reason, answer.detail)
                return
        finally:
            self._turn.release()

    async def close(self) -> None:
        """End the helper."""
        await self._end()

    async def _ask(self, asked: Say) -> Answer:
        try:
            if self._child is None:
                await self._start()
            assert self._reader is not None
            assert self._writer is not None
            self._writer.write(pack(self._encode(asked)))
            await self._writer.drain()
            frames = FrameReader(_FRAME_LIMIT)
            while data := await self._reader.read(1 << 16):
                for body in frames.feed(data):
                    answer = self._decode(body)
                    if answer.id == asked.id:
                        return cast(Answer, answer)
        except (OSError, FrameTooLong, msgspec.DecodeError) as error:
            raise _Died(str(error)) from None
        raise _Died("it ended in the middle of a request")

    async def _start(self) -> None:
        self._child = launch_module("outdial.io.speech_process", python=self._python)
        assert self._child.socket is not None
        self._reader, self._writer = await asyncio.open_connection(sock=self._child.socket.dup())

    async def _end(self) -> None:
        child, self._child = self._child, None
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None
        if child is not None:
            await child.end(grace=0)  # it holds nothing that could be lost
