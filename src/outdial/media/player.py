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
    """The queue of one stream."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self.jobs: deque[Job] = deque()
        self._block = b""
        self._block_of: tuple[CommandId, Codec, int] | None = None

    def stop_all(self, why: Literal["digit", "stopped"]) -> None:
        """Everything that plays or waits ends at the next tick."""
        for job in self.jobs:
            job.stop = job.stop or why

    def frame(self, job: Job, codec: Codec, count: int) -> bytes | None:
        """The next `count` samples of a job, encoded and padded with silence, or None where it has none left."""
        left = job.total - job.at
        if left <= 0:
            job.repeat -= 1
            if job.repeat <= 0 or job.total <= 0:
                return None
            job.at = 0
            left = job.total
        take = count if count < left else left
        at = job.at
        job.at = at + take
        job.played += take
        if job.path is None:
            return bytes((g711.SILENCE[codec],)) * count
        index, start = divmod(at, BLOCK)
        block = self._load(job, codec, index)
        audio = block[start : start + take]
        while len(audio) < take:
            index += 1
            audio += self._load(job, codec, index)[: take - len(audio)]
        if take < count:
            if job.repeat > 1:
                more = self.frame(job, codec, count - take)
                if more is not None:
                    return audio + more
            audio += bytes((g711.SILENCE[codec],)) * (count - take)
        return audio

    def skip(self, job: Job, count: int) -> bool:
        """Let a job's clock run on without a frame; False where it has none left."""
        while True:
            left = job.total - job.at
            if left > 0:
                step = min(count, left)
                job.at += step
                job.played += step
                return True
            job.repeat -= 1
            if job.repeat <= 0 or job.total <= 0:
                return False
            job.at = 0

    def _load(self, job: Job, codec: Codec, index: int) -> bytes:
        key = (job.id, codec, index)
        if key != self._block_of:
            assert job.path is not None
            self._block = self._prompts.block(job.path, job.samples, codec, index)
            self._block_of = key
        return self._block
