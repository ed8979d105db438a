"""Reading back: pages, filters, the first letters of an id; beside a node that writes, and in the folder of one that has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from helpers import call_records as made
from outdial.model.ids import ApplicationId, CallId, Token
from outdial.model.records import CallEnded
from outdial.model.terminations import Termination
from outdial.model.work import Save, Saved
from outdial.store import MemoryPort, Store, read
from outdial.store.read import Filter

from .collector import Collector
from .plain import opened, reader

BUSY = Termination(who="callee", result="failure", reason="busy", sip_status=486)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Six calls, two of one moment; c0 completed, c1 busy, the others in progress."""
    port = MemoryPort()
    for i, at in enumerate((0, 10, 20, 20, 30, 40)):
        row = made.call_row(CallId(f"c{i}"), at, "+12065550199" if i == 5 else made.TO)
        if i == 4:
            row = msgspec.structs.replace(row, application=ApplicationId("other"))
        port.put(Save(token=Token(0), unit=(row,)), 0.0)
    for i, end in ((0, made.COMPLETED), (1, BUSY)):
        call = CallId(f"c{i}")
        unit = (made.cdr(call, termination=end), CallEnded(call=call, ended_at=50, termination=end))
        port.put(Save(token=Token(0), unit=unit), 0.0)
    with port.read() as connection:
        yield connection
    port.close()


def ids(connection: Connection, **wanted: object) -> list[str]:
    return [summary.call.call for summary in read.listed(connection, which=Filter(**wanted))]  # type: ignore[arg-type]


def test_newest_first(connection: Connection) -> None:
    summaries = read.listed(connection)
    assert [summary.call.call for summary in summaries] == ["c5", "c4", "c3", "c2", "c1", "c0"]
    assert [summary.state for summary in summaries] == ["in_progress"] * 4 + ["ended"] * 2
    assert summaries[4].cdr == made.cdr(CallId("c1"), termination=BUSY)
    assert summaries[3].cdr is None


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_of_any_size_show_each_call_once(connection: Connection, size: int) -> None:
    seen: list[str] = []
    before = None
    while page := read.listed(connection, before, size):
        assert len(page) <= size
        seen += [summary.call.call for summary in page]
        before = page[-1].position
    assert seen == ["c5", "c4", "c3", "c2", "c1", "c0"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"reason": "busy"}, ["c1"]),
        ({"number": "+12065550199"}, ["c5"]),
        ({"number": made.FROM}, ["c5", "c4", "c3", "c2", "c1", "c0"]),
        ({"application": "other"}, ["c4"]),
        ({"in_progress": False}, ["c1", "c0"]),
        ({"in_progress": True, "until": 30}, ["c3", "c2"]),
        ({"since": 30}, ["c5", "c4"]),
        ({"reason": "busy", "number": "+12065550199"}, []),
    ],
)
def test_filters(connection: Connection, wanted: dict[str, object], found: list[str]) -> None:
    assert ids(connection, **wanted) == found


def test_the_first_letters_of_an_id(connection: Connection) -> None:
    assert read.find(connection, "c3") == ["c3"]
    assert read.find(connection, "c") == ["c0", "c1", "c2", "c3", "c4", "c5"]
    assert read.find(connection, "x") == []
    assert read.find(connection, "%") == []


def test_a_call_that_is_not_there(connection: Connection) -> None:
    assert read.history(connection, CallId("nobody")) is None


def test_beside_a_node_that_writes_and_in_the_folder_of_one_that_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    store = Store.open(path)
    got = Collector()
    store.connect(got)
    store.put(Save(token=Token(1), unit=made.created()), 0.0)
    got.until(lambda results: results == [Saved(token=Token(1))])

    async def ask() -> None:
        calls = store.resources.calls
        assert [summary.call.call for summary in await calls.list()] == [made.CALL]
        found = await calls.get(made.CALL)
        assert found is not None
        assert found.call == made.call_row()
        assert await calls.get(CallId("nobody")) is None

    asyncio.run(ask())
    with reader(path) as beside:
        assert ids(beside) == [made.CALL]
    store.close()
    with reader(path) as after:
        assert ids(after) == [made.CALL]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    Store.open(path).close()
    readers = read.engine(path)
    with readers.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM calls")
    readers.dispose()


def test_reading_does_not_hold_the_writer_up(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    store = Store.open(path)
    got = Collector()
    store.connect(got)
    with opened(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM calls").fetchall()
        store.put(Save(token=Token(1), unit=made.created()), 0.0)
        assert got.until(bool) == [Saved(token=Token(1))]
    store.close()


def test_what_one_reading_sees_is_of_one_moment(tmp_path: Path) -> None:
    """A call that ends between two queries is not seen with a CDR and without its end."""
    path = tmp_path / "outdial.db"
    store = Store.open(path)
    got = Collector()
    store.connect(got)
    with reader(path) as beside:
        assert read.history(beside, made.CALL) is None
        store.put(Save(token=Token(1), unit=made.created()), 0.0)
        got.until(lambda results: results == [Saved(token=Token(1))])
        assert read.history(beside, made.CALL) is None
    with reader(path) as later:
        assert read.history(later, made.CALL) is not None
    store.close()
