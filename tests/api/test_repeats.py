"""Once: copies of one create get one outcome (DESIGN 8)."""

from __future__ import annotations

import asyncio

import pytest

from helpers.resources import MemoryResources
from outdial.api.errors import ServiceError, unavailable
from outdial.api.repeats import Outcome, Repeats
from outdial.model.ids import KeyId
from outdial.model.requests import RepeatKey


def key(**change: str) -> RepeatKey:
    fields = {"operation": "Create", "path": "/a", "body_hash": "0", "invocation": "one", **change}
    return RepeatKey(key=KeyId(fields.pop("key", "k")), **fields)


class Act:
    """Counts how often it ran; each run ends as it is told."""

    def __init__(self) -> None:
        self.runs = 0
        self.end: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> Outcome:
        self.runs += 1
        return await self.end


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_copies_wait_for_the_first() -> None:
    async def run() -> None:
        repeats, act = Repeats(MemoryResources().repeats), Act()
        copies = [asyncio.create_task(repeats.once(key(), act)) for _ in range(3)]
        await settle()
        act.end.set_result((201, b"{}"))
        assert await asyncio.gather(*copies) == [(201, b"{}")] * 3
        assert act.runs == 1

    asyncio.run(run())


def test_after_a_refusal_the_next_copy_is_judged_afresh() -> None:
    async def run() -> None:
        repeats, first, second = Repeats(MemoryResources().repeats), Act(), Act()
        refused = asyncio.create_task(repeats.once(key(), first))
        await settle()
        waiting = [asyncio.create_task(repeats.once(key(), second)) for _ in range(3)]
        await settle()
        assert second.runs == 0
        first.end.set_exception(unavailable("not now"))
        with pytest.raises(ServiceError):
            await refused
        await settle()
        assert second.runs == 1
        second.end.set_result((201, b"{}"))
        assert await asyncio.gather(*waiting) == [(201, b"{}")] * 3
        assert second.runs == 1

    asyncio.run(run())


def test_a_first_that_is_cancelled_leaves_nobody_waiting() -> None:
    async def run() -> None:
        repeats, first, second = Repeats(MemoryResources().repeats), Act(), Act()
        gone = asyncio.create_task(repeats.once(key(), first))
        await settle()
        waiting = asyncio.create_task(repeats.once(key(), second))
        await settle()
        gone.cancel()
        second.end.set_result((201, b"{}"))
        assert await waiting == (201, b"{}")

    asyncio.run(run())


def test_a_copy_that_is_cancelled_does_not_disturb_the_first() -> None:
    async def run() -> None:
        repeats, act = Repeats(MemoryResources().repeats), Act()
        first, copy = (asyncio.create_task(repeats.once(key(), act)) for _ in range(2))
        await settle()
        copy.cancel()
        await settle()
        act.end.set_result((201, b"{}"))
        assert await first == (201, b"{}")

    asyncio.run(run())


def test_what_is_on_record_is_given_again_after_a_restart() -> None:
    async def run() -> None:
        resources = MemoryResources()
        resources.repeats.rows[key()] = (201, b"{}")
        act = Act()
        assert await Repeats(resources.repeats).once(key(), act) == (201, b"{}")
        assert act.runs == 0

    asyncio.run(run())


@pytest.mark.parametrize("change", [{"key": "other"}, {"operation": "Other"}, {"path": "/b"}, {"body_hash": "1"}, {"invocation": "two"}])
def test_each_part_of_the_key_tells_requests_apart(change: dict[str, str]) -> None:
    async def run() -> None:
        repeats, act, other = Repeats(MemoryResources().repeats), Act(), Act()
        tasks = [asyncio.create_task(repeats.once(key(), act)), asyncio.create_task(repeats.once(key(**change), other))]
        await settle()
        assert (act.runs, other.runs) == (1, 1)
        act.end.set_result((201, b"a"))
        other.end.set_result((201, b"b"))
        assert await asyncio.gather(*tasks) == [(201, b"a"), (201, b"b")]

    asyncio.run(run())
