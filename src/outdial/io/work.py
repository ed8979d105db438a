"""The one port for work (`model.work`): prompts, matches, deliveries and repairs are done on the loop's side threads, results are given
back.

Theory of operation. `put` never blocks and never raises: it starts a task, and each task gives exactly one result with its request's
token. Prepared prompts lie in the cache folder under a name made of what they were made from; two requests for one make it once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

from ..model.ids import CallId
from ..model.work import (
    Deliver,
    Delivered,
    Match,
    Matched,
    Note,
    ObjectSource,
    Prompt,
    PromptReady,
    Repair,
    Repaired,
    SpeechSource,
    Work,
    WorkFailed,
    WorkResult,
)
from ..speech.failure import SpeechFailed
from . import wav
from .audio_files import AudioRefused, prepare
from .objects import ObjectFailed, Objects
from .patterns import PatternRefused, Patterns
from .prompt_cache import PromptCache

FETCH_LIMIT_S: Final = 15.0
"""Somebody on the telephone hears nothing meanwhile."""


class _Changed(Exception):
    """The object is not the one that was looked at."""


class Speech(Protocol):
    """A synthesiser as the workshop uses it."""

    async def plan(self, source: SpeechSource) -> tuple[str, str | None]:
        """A key that names the sound exactly, and a remark for the call's record. Raises `SpeechFailed`."""

    async def speak(self, source: SpeechSource, to: Path) -> None:
        """Write the speech as a WAV of any rate. Raises `SpeechFailed`."""


class Workshop:
    """Takes work, gives results: `give(result)` and `note(note)` are called on the loop."""

    def __init__(
        self,
        objects: Objects,
        speech: Speech | None,
        cache_folder: Path,
        give: Callable[[WorkResult], None],
        note: Callable[[Note], None] | None = None,
        *,
        fetch_limit_s: float = FETCH_LIMIT_S,
    ) -> None:
        self._objects = objects
        self._speech = speech
        self._cache = PromptCache(cache_folder)
        self._give = give
        self._note = note
        self._fetch_limit_s = fetch_limit_s
        self._patterns = Patterns()
        self._audio = ThreadPoolExecutor(2, "audio")
        self._tasks: set[asyncio.Task[None]] = set()
        self._remarked: dict[tuple[CallId, str], None] = {}

    def put(self, item: Work, now: float) -> None:
        """Start one piece of work; its result comes through `give`."""
        task = asyncio.get_running_loop().create_task(self._work(item))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way; nothing is given any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._patterns.close()
        self._audio.shutdown(wait=False, cancel_futures=True)

    async def _work(self, item: Work) -> None:
        try:
            result = await self._do(item)
        except (ObjectFailed, AudioRefused, PatternRefused, SpeechFailed) as failed:
            result = WorkFailed(token=item.token, reason=failed.reason, detail=failed.detail)
        except OSError as error:
            result = WorkFailed(token=item.token, reason="unreachable", detail=str(error))
        except Exception as error:  # our bug: logged as one, and its call goes on
            result = WorkFailed(token=item.token, reason="fault", detail=f"{type(error).__name__}: {error}")
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": f"the workshop failed at {type(item).__name__}", "exception": error})
        self._give(result)

    async def _do(self, item: Work) -> WorkResult:
        match item:
            case Prompt(source=ObjectSource() as source):
                try:
                    path, samples = await asyncio.wait_for(self._object(source), self._fetch_limit_s)
                except TimeoutError:
                    where = f"s3://{source.bucket}/{source.key}"
                    raise ObjectFailed("unreachable", f"{where} was not there within {self._fetch_limit_s:g} s") from None
                return PromptReady(token=item.token, path=str(path), samples=samples)
            case Prompt(source=SpeechSource() as source, call=call):
                path, samples = await self._spoken(source, call)
                return PromptReady(token=item.token, path=str(path), samples=samples)
            case Match(pattern=pattern, texts=texts):
                return Matched(token=item.token, yes=await self._patterns.search(pattern, texts))
            case Deliver(path=file, bucket=bucket, key=key):
                await self._objects.store(Path(file), bucket, key)
                return Delivered(token=item.token)
            case Repair(path=file):
                return Repaired(token=item.token, samples=await asyncio.to_thread(_repair, Path(file)))
        raise TypeError(f"{type(item).__name__} is not work")

    async def _object(self, source: ObjectSource) -> tuple[Path, int]:
        name = f"s3://{source.bucket}/{source.key}"
        for _ in range(3):
            found = await self._objects.find(source.bucket, source.key)

            async def make(to: Path, version: str = found.version) -> int:
                scratch = to.with_suffix(f".{os.getpid()}.object")
                try:
                    got, path = await self._objects.fetch(source.bucket, source.key, scratch)
                    if got.version != version:
                        raise _Changed
                    return await self._prepare(path, to, name)
                finally:
                    scratch.unlink(missing_ok=True)

            try:
                return await self._cache.once(f"object\0{source.bucket}\0{source.key}\0{found.version}", make)
            except _Changed:
                continue
        raise ObjectFailed("unreachable", f"{name} changes faster than it can be read")

    async def _spoken(self, source: SpeechSource, call: CallId) -> tuple[Path, int]:
        speech = self._speech
        if speech is None:
            raise SpeechFailed("engine", "no speech engine is installed; pip install 'outdial[speech]'")
        key, remark = await speech.plan(source)
        self._remark(call, remark)

        async def make(to: Path) -> int:
            scratch = to.with_suffix(f".{os.getpid()}.speech")
            try:
                await speech.speak(source, scratch)
                return await self._prepare(scratch, to, "the speech")
            finally:
                scratch.unlink(missing_ok=True)

        return await self._cache.once(f"speech\0{key}", make)

    def _remark(self, call: CallId, remark: str | None) -> None:
        if remark is None or self._note is None or (call, remark) in self._remarked:
            return
        self._remarked[(call, remark)] = None
        if len(self._remarked) > 10_000:
            del self._remarked[next(iter(self._remarked))]
        self._note(Note(call=call, level="info", what=remark))

    async def _prepare(self, path: Path, to: Path, name: str) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._audio, prepare, path, to, name)


def _repair(path: Path) -> int:
    try:
        return wav.repair(path)
    except FileNotFoundError:
        raise ObjectFailed("not_found", f"{path} is not there") from None
    except wav.NotWav as error:
        raise ObjectFailed("format", str(error)) from None
