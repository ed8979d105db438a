"""What the API keeps: written through, read from memory, the same after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpers import call_records as made
from outdial.model.ids import ApplicationId, KeyId
from outdial.model.records import RepeatRow
from outdial.model.resources import ApplicationRow, KeyRow, NumberRow, OrderedNumber, OrderRow, StoreRefused
from outdial.model.work import Save
from outdial.store import Store

from .plain import locked, opened

ARN = "arn:aws:lambda:us-east-1:000000000000:function:reminder"


def application(name: str, at: int = 1) -> ApplicationRow:
    return ApplicationRow(
        id=ApplicationId(f"id-{name}"),
        name=name,
        region="us-east-1",
        account="0",
        lambda_arn=ARN,
        tags=(("a", "b"),),
        created_at=at,
        updated_at=at,
    )


def number(e164: str, country: str = "US", at: int = 1, deleted_at: int | None = None) -> NumberRow:
    return NumberRow(e164=e164, country=country, created_at=at, updated_at=at, deleted_at=deleted_at)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Store]:
    store = Store.open(folder / "outdial.db")
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)


def test_applications(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as store:
            shelf = store.resources.applications
            repeat = RepeatRow(repeat=made.REPEAT, status=201, body=b"{}", made_at=5)
            await shelf.create(application("a", 3), repeat)
            await shelf.create(application("b", 1))
            await shelf.create(application("c", 2))
            await shelf.update(application("c", 2))
            assert [row.name for row in shelf.list()] == ["b", "c", "a"]
            assert [row.name for row in shelf.list(after=(1, "id-b"), limit=1)] == ["c"]
            assert await shelf.delete(ApplicationId("id-c"))
            assert not await shelf.delete(ApplicationId("id-c"))
            assert store.resources.repeats.get(made.REPEAT) == (201, b"{}")
        async with running(tmp_path) as store:
            assert list(store.resources.applications.list()) == [application("b", 1), application("a", 3)]
            assert store.resources.applications.get(ApplicationId("id-c")) is None
            assert store.resources.repeats.get(made.REPEAT) == (201, b"{}")

    asyncio.run(go())


def test_an_order_brings_its_numbers_in_one_commit(tmp_path: Path) -> None:
    order = OrderRow(
        id="o1",
        product_type="SipMediaApplicationDialIn",
        numbers=(OrderedNumber(e164="+12065550100", acquired=True),),
        created_at=1,
        updated_at=1,
    )

    async def go() -> None:
        async with running(tmp_path) as store:
            await store.resources.orders.create(order, [number("+12065550100"), number("+14165550100", "CA")])
            await store.resources.numbers.put(number("+442079460000", "GB", deleted_at=7))
            assert store.resources.owned_countries() == ("CA", "US")
            await store.resources.numbers.put(number("+14165550100", "CA", deleted_at=9))
            assert store.resources.owned_countries() == ("US",)
        async with running(tmp_path) as store:
            assert store.resources.orders.get("o1") == order
            assert store.resources.numbers.get("+12065550100") == number("+12065550100")
            assert store.resources.owned_countries() == ("US",)
            assert await store.resources.numbers.delete("+12065550100")
            assert store.resources.owned_countries() == ()

    asyncio.run(go())


def test_secrets_of_keys_stand_in_a_file_of_the_owner_and_not_in_the_database(tmp_path: Path) -> None:
    key = KeyRow(id=KeyId("AKIA1"), secret="s3cr3t-of-the-key", account="0", label="ci", created_at=1)

    async def go() -> None:
        async with running(tmp_path) as store:
            await store.resources.keys.create(key)
            assert store.resources.keys.secret(key.id) == "s3cr3t-of-the-key"
        assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "outdial.db").stat().st_mode & 0o777 == 0o600
        assert b"s3cr3t" not in (tmp_path / "outdial.db").read_bytes()
        async with running(tmp_path) as store:
            assert store.resources.keys.list() == [key]
            assert await store.resources.keys.delete(key.id)
            assert store.resources.keys.secret(key.id) is None
        assert b"s3cr3t" not in (tmp_path / "keys.json").read_bytes()

    asyncio.run(go())


def test_a_write_that_the_database_refuses_is_told_within_a_second_and_never_comes_later(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as store:
            with locked(tmp_path / "outdial.db") as lock:
                with pytest.raises(StoreRefused, match="does not take writes"):
                    await store.resources.applications.create(application("a"))
                lock.rollback()
            await store.resources.applications.create(application("b"))
            assert [row.name for row in store.resources.applications.list()] == ["b"]
        async with running(tmp_path) as store:
            assert [row.name for row in store.resources.applications.list()] == ["b"]

    asyncio.run(go())


def test_a_repeat_that_call_control_saves_is_seen_when_it_is_answered(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as store:
            loop, seen = asyncio.get_running_loop(), asyncio.Event()

            def deliver(results: object) -> None:
                loop.call_soon_threadsafe(seen.set)

            store.connect(deliver)
            store.put(Save(token=1, unit=made.created(), grade="synced"), 0.0)  # type: ignore[arg-type]
            await asyncio.wait_for(seen.wait(), 30)
            assert store.resources.repeats.get(made.REPEAT) is not None

    asyncio.run(go())


def test_repeats_are_kept_for_15_minutes_and_then_forgotten(tmp_path: Path) -> None:
    import msgspec

    def repeat(name: str, at: int) -> RepeatRow:
        return RepeatRow(repeat=msgspec.structs.replace(made.REPEAT, invocation=name), status=201, body=b"", made_at=at)

    async def go() -> None:
        async with running(tmp_path) as store:
            get = store.resources.repeats.get
            for name, at in (("first", 0), ("second", 900_000), ("third", 900_001), ("last", 10_000_000)):
                await store.resources.applications.create(application(name), repeat(name, at))
                if name == "second":
                    assert get(repeat("first", 0).repeat) is not None
            assert get(repeat("first", 0).repeat) is None
            assert get(repeat("last", 0).repeat) == (201, b"")
        with opened(tmp_path / "outdial.db") as connection:
            assert connection.execute("SELECT invocation FROM repeats").fetchall() == [("last",)]

    asyncio.run(go())
