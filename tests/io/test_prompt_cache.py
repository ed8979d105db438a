"""Prepared prompts are made once, survive a restart, and do not fill the disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from outdial.io import wav
from outdial.io.prompt_cache import PromptCache


class Maker:
    """Makes files of a number of samples, and counts."""

    def __init__(self, samples: int = 1000) -> None:
        self.samples = samples
        self.made: list[Path] = []

    async def __call__(self, path: Path) -> int:
        self.made.append(path)
        await asyncio.sleep(0)
        path.write_bytes(wav.header(self.samples) + bytes(2 * self.samples))
        return self.samples


def once(cache: PromptCache, content: str, make: Any) -> tuple[Path, int]:
    return asyncio.run(cache.once(content, make))


def test_made_once_and_found_by_the_next_run(tmp_path: Path) -> None:
    make = Maker()
    cache = PromptCache(tmp_path)
    path, samples = once(cache, "a", make)
    assert (once(cache, "a", make), samples) == ((path, 1000), 1000)
    assert once(PromptCache(tmp_path), "a", make) == (path, 1000)
    assert once(cache, "b", make)[0] != path
    assert len(make.made) == 2


@pytest.mark.parametrize("content", [b"", wav.header(1000)[:20], wav.header(1000), wav.header(1000) + bytes(1998), bytes(2044)])
def test_what_a_power_cut_left_half_written_is_made_again(tmp_path: Path, content: bytes) -> None:
    make = Maker()
    path, _ = once(PromptCache(tmp_path), "a", make)
    path.write_bytes(content)
    assert once(PromptCache(tmp_path), "a", make) == (path, 1000)
    assert len(make.made) == 2


def test_a_file_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    make = Maker()
    cache = PromptCache(tmp_path)
    once(cache, "a", make)[0].unlink()
    once(cache, "a", make)
    assert len(make.made) == 2


def test_those_who_wait_share_the_outcome_and_the_next_one_tries_anew(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    tries = 0

    async def make(_path: Path) -> int:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        raise ValueError("bad")

    async def main() -> None:
        results = await asyncio.gather(*(cache.once("a", make) for _ in range(10)), return_exceptions=True)
        assert {str(result) for result in results} == {"bad"}
        assert tries == 1
        with pytest.raises(ValueError, match="bad"):
            await cache.once("a", make)
        assert tries == 2

    asyncio.run(main())


def test_one_who_is_cancelled_does_not_take_the_others_along(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    make = Maker()

    async def never(_path: Path) -> int:
        await asyncio.Event().wait()
        return 0

    async def main() -> None:
        first = asyncio.create_task(cache.once("a", never))
        await asyncio.sleep(0)
        second = asyncio.create_task(cache.once("a", make))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second)[1] == 1000

    asyncio.run(main())


def test_the_ones_not_used_for_longest_go_first(tmp_path: Path) -> None:
    size = 2044
    paths = []
    for number in range(10):
        path, _ = once(PromptCache(tmp_path), str(number), Maker())
        os.utime(path, (1000 + number, 1000 + number))
        paths.append(path)
    once(PromptCache(tmp_path, most_bytes=10 * size), "0", Maker())  # used again: the newest now
    once(PromptCache(tmp_path, most_bytes=8 * size), "new", Maker())
    left = set(tmp_path.glob("*/*"))
    assert sum(path.stat().st_size for path in left) <= 8 * size * 9 // 10
    assert paths[0] in left
    assert not {*paths[1:4]} & left
    assert paths[9] in left


def test_what_was_left_half_made_goes_and_what_is_being_made_stays(tmp_path: Path) -> None:
    """The carrier's process uses the same folder."""
    folder = tmp_path / "ab"
    folder.mkdir()
    (folder / "left.object").write_bytes(b"by a run that was killed")
    os.utime(folder / "left.object", (1000, 1000))
    (folder / "abcd.part-x").write_bytes(b"by somebody else, now")
    once(PromptCache(tmp_path), "new", Maker())
    assert [path.name for path in folder.iterdir()] == ["abcd.part-x"]


def test_what_is_about_to_be_played_stays_whatever_room_it_takes(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, most_bytes=1000)
    paths = [once(cache, str(number), Maker())[0] for number in range(5)]
    assert all(path.exists() for path in paths)
    once(PromptCache(tmp_path, most_bytes=1000, kept_s=-1), "new", Maker())
    assert not any(path.exists() for path in paths)
