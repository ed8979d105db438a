"""Prepared prompts on disk: made once each, never changed, the ones not used for longest removed when they take too much room.

A prompt's file is named after what it was made from. Two requests for one at the same time make it once, and share its failure. A file
that is removed while the engine still plays it lives on until it is closed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from . import clock, wav

MOST_BYTES: Final = 1 << 30
KEPT_S: Final = 900.0
"""A prompt that was asked for within this time is about to be played, or will be again."""


class PromptCache:
    """The folder; used on one loop."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES, kept_s: float = KEPT_S) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._kept_s = kept_s
        self._making: dict[str, asyncio.Future[int]] = {}
        self._known: dict[str, tuple[int, float]] = {}
        """Samples, and when its file was last touched (monotonic seconds)."""
        self._unchecked = most_bytes
        """Bytes that may have been written since the room was last measured."""

    async def once(self, content: str, make: Callable[[Path], Awaitable[int]]) -> tuple[Path, int]:
        """The file for what `content` names, made by `make` (which returns its samples) unless it is there, and its samples."""
        name = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        path = self._folder / name[:2] / f"{name}.wav"
        while (running := self._making.get(name)) is not None:
            await asyncio.wait([running])
            if not running.cancelled():
                return path, running.result()
        future = self._making[name] = asyncio.get_running_loop().create_future()
        try:
            samples = await self._there_or_made(name, path, make)
        except asyncio.CancelledError:
            future.cancel()
            raise
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # seen, also where nobody else waits
            raise
        else:
            future.set_result(samples)
        finally:
            del self._making[name]
        return path, samples

    async def _there_or_made(self, name: str, path: Path, make: Callable[[Path], Awaitable[int]]) -> int:
        known = self._known.get(name)
        if known is not None and clock.now() - known[1] <= self._kept_s:
            if path.exists():  # our own folder, looked at a moment ago: not worth a thread
                return known[0]
            samples = None
        else:
            samples = await asyncio.to_thread(_look, path)
        if samples is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = await make(path)
            self._unchecked += 2 * samples
        self._known[name] = (samples, clock.now())
        if self._unchecked > self._most_bytes // 10:
            self._unchecked = 0
            await asyncio.to_thread(self._make_room)
        return samples

    def _make_room(self) -> None:
        """Remove what was not used for longest, down to nine tenths of the room, and what a run that was killed left half made.
        Others may use the folder too: what was touched lately is theirs or ours."""
        lately = clock.Wall()(clock.now()) / 1000 - 2 * self._kept_s
        old, used = [], 0
        for path in self._folder.glob("*/*"):
            try:
                status = path.stat()
            except OSError:
                continue
            whole = path.name.endswith(".wav")
            used += status.st_size if whole else 0
            if status.st_mtime < lately:
                old.append((whole, status.st_mtime_ns, status.st_size, path))
        for whole, _, size, path in sorted(old):
            if whole and used <= self._most_bytes * 9 // 10:
                break
            try:
                path.unlink()
            except OSError:
                continue
            used -= size if whole else 0


def _look(path: Path) -> int | None:
    """The samples of a prepared file that is whole (a power cut may have left it without content), noting that it is used; else None."""
    try:
        samples = (path.stat().st_size - wav.HEADER) // 2
        with path.open("rb") as file:
            if samples <= 0 or file.read(wav.HEADER) != wav.header(samples):
                return None
        os.utime(path)
    except OSError:
        return None
    return samples
