"""What a stream plays: a queue of prompts and silences, cut into frames already encoded.

Theory of operation. A prompt is read by blocks of 0.6 s, a whole number of frames of each ptime; a block is encoded once and kept while
it is among the last used. Per tick the player only cuts the next frame out of the current block.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..model.ids import CommandId
from ..model.media import Codec
from . import g711
from .files import Files, wav_samples

BLOCK = 4800
_FILES = 64
_BLOCKS = 4096
"""Some 20 MB: four minutes for each of the files kept, more where there are fewer."""


class Prompts:
    """The last files used, mapped, and the blocks of them that were encoded."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._samples: OrderedDict[str, memoryview] = OrderedDict()
        self._blocks: OrderedDict[tuple[str, Codec, int], bytes] = OrderedDict()

    def open(self, path: str) -> memoryview:
        """A file's samples. Raises `OSError`, `BadPrompt`."""
        samples = self._samples.get(path)
        if samples is None:
            samples = wav_samples(self._files.prompt(path))
            self._samples[path] = samples
            if len(self._samples) > _FILES:
                self._samples.popitem(last=False)
        else:
            self._samples.move_to_end(path)
        return samples

    def block(self, path: str, samples: memoryview, codec: Codec, index: int) -> bytes:
        """A block of a file, encoded."""
        key = (path, codec, index)
        block = self._blocks.get(key)
        if block is None:
            pcm = np.frombuffer(samples[2 * BLOCK * index : 2 * BLOCK * (index + 1)], dtype="<i2")
            block = self._blocks[key] = g711.encode(codec, pcm)
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(key)
        return block


@dataclass(slots=True)
class Job:
    """One Play command."""

    id: CommandId
    total: int
    """Samples in one round."""
    path: str | None = None
    samples: memoryview = field(default_factory=lambda: memoryview(b""))
    repeat: int = 1
    stop_digits: str = ""
    at: int = 0
    played: int = 0
    announced: bool = False
    """`Done` was said."""
    started: bool = False
    """Its first packet, the one with the marker, has left."""
    stop: Literal["", "digit", "stopped"] = ""


class Player:
    """The queue of one stream.

    While a prompt goes on undisturbed, `quick` cuts frame after frame out of the current block and only moves a cursor; whatever else
    happens goes through `frame`, which first writes the cursor back into the job.
    """

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self.jobs: deque[Job] = deque()
        self.disturbed = False
        """A job was stopped and still stands in the queue."""
        self._block = b""
        self._cursor = 0
        self._limit = 0
        self._from = 0
        self._job: Job | None = None

    def stop(self, job: Job, why: Literal["digit", "stopped"]) -> None:
        """A job ends at the next tick."""
        job.stop = job.stop or why
        self.disturbed = True
        self.settle()

    def stop_all(self, why: Literal["digit", "stopped"]) -> None:
        """Everything that plays or waits ends at the next tick."""
        for job in self.jobs:
            self.stop(job, why)

    def quick(self, count: int) -> bytes | None:
        """The next `count` samples of what plays, or None where that takes a closer look."""
        start = self._cursor
        end = start + count
        if end > self._limit:
            return None
        self._cursor = end
        return self._block[start:end]

    def settle(self) -> None:
        """Write the cursor back into its job."""
        if self._job is not None:
            moved = self._cursor - self._from
            self._job.at += moved
            self._job.played += moved
            self._job = None
        self._cursor = self._limit = 0

    def frame(self, job: Job, codec: Codec, count: int) -> bytes | None:
        """The next `count` samples of a job, encoded and padded with silence, or None where it has none left."""
        self.settle()
        out = b""
        while len(out) < count:
            if job.at >= job.total and not self._again(job):
                break
            out += self._piece(job, codec, count - len(out))
        if not out:
            return None
        if job.path is not None and job is self.jobs[0] and not self.disturbed:
            self._follow(job, codec)
        return out + bytes((g711.SILENCE[codec],)) * (count - len(out))

    def skip(self, job: Job, count: int) -> bool:
        """Let a job's clock run on without a frame; False where it has none left."""
        self.settle()
        if job.at >= job.total and not self._again(job):
            return False
        step = min(count, job.total - job.at)
        job.at += step
        job.played += step
        return True

    def _again(self, job: Job) -> bool:
        job.repeat -= 1
        if job.repeat <= 0 or job.total <= 0:
            return False
        job.at = 0
        return True

    def _piece(self, job: Job, codec: Codec, most: int) -> bytes:
        take = min(most, job.total - job.at)
        if job.path is None:
            audio = bytes((g711.SILENCE[codec],)) * take
        else:
            index, start = divmod(job.at, BLOCK)
            audio = self._prompts.block(job.path, job.samples, codec, index)[start : start + take]
        job.at += len(audio)
        job.played += len(audio)
        return audio

    def _follow(self, job: Job, codec: Codec) -> None:
        assert job.path is not None
        if job.at < job.total:
            index, start = divmod(job.at, BLOCK)
            self._block = self._prompts.block(job.path, job.samples, codec, index)
            self._job, self._from, self._cursor, self._limit = job, start, start, len(self._block)
