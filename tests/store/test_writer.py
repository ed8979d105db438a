"""The writer: units, grades, a bad unit, a database that refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpers import call_records as made
from outdial.model.ids import CallId, Token
from outdial.model.work import Save, Saved, StoreState, Withdraw, Withdrawn
from outdial.store import Store, writer
from outdial.store.backlog import Backlog

from .collector import Collector
from .plain import locked, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outdial.db"


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def store(path: Path, reports: list[str]) -> Iterator[Store]:
    store = Store.open(path, report=reports.append)
    yield store
    store.close()


def save(token: int, *unit: Any, grade: str = "committed") -> Save:
    return Save(token=Token(token), unit=unit, grade=grade)  # type: ignore[arg-type]


def saved(*tokens: int) -> list[Saved]:
    return [Saved(token=Token(token)) for token in tokens]


def calls_in(path: Path) -> set[str]:
    with opened(path) as connection:
        return {row[0] for row in connection.execute("SELECT call FROM calls")}


def test_units_are_saved_in_order_and_answered(store: Store, path: Path) -> None:
    got = Collector()
    store.connect(got)
    for token, unit in enumerate(made.life(), start=1):
        store.put(save(token, *unit), 0.0)
    count = len(made.life())
    assert got.until(lambda results: len(results) == count) == saved(*range(1, count + 1))
    assert calls_in(path) == {made.CALL}


def test_token_0_is_answered_by_nothing(store: Store) -> None:
    got = Collector()
    store.connect(got)
    store.put(save(0, made.call_row()), 0.0)
    store.put(save(1, made.event(1)), 0.0)
    assert got.until(lambda results: len(results) > 0) == saved(1)


def test_each_port_gets_its_own_results(store: Store) -> None:
    one, other = Collector(), Collector()
    store.port(one)(save(1, made.call_row()), 0.0)
    store.port(other)(save(2, made.event(1)), 0.0)
    assert one.until(bool) == saved(1)
    assert other.until(bool) == saved(2)


def test_a_bad_unit_fails_alone_and_is_reported_as_our_bug(store: Store, path: Path, reports: list[str]) -> None:
    got = Collector()
    store.connect(got)
    with locked(path) as lock:  # so that all three wait, and are written in one transaction
        store.put(save(1, made.call_row(CallId("good-1"))), 0.0)
        store.put(save(2, made.call_row(CallId("half")), made.event(1), made.event(1)), 0.0)
        store.put(save(3, made.call_row(CallId("good-2"))), 0.0)
        lock.rollback()
    got.until(lambda results: saved(3)[0] in results)
    assert [result for result in got.results if not isinstance(result, StoreState)] == saved(1, 3)
    assert calls_in(path) == {"good-1", "good-2"}
    assert len(reports) == 1
    assert "CallRow, EventRow" in reports[0]
    assert "UNIQUE constraint failed: events.call, events.number" in reports[0]
    store.put(Withdraw(token=Token(2)), 0.0)
    assert got.until(lambda results: Withdrawn(token=Token(2)) in results)


def test_while_locked_units_wait_can_be_withdrawn_and_are_written_later(store: Store, path: Path) -> None:
    got = Collector()
    store.connect(got)
    with locked(path) as lock:
        for token in (1, 2, 3):
            store.put(save(token, made.call_row(CallId(f"call-{token}"))), 0.0)
        state = got.until(bool)[0]
        assert state.refusing
        assert "locked by another process" in state.detail
        store.put(Withdraw(token=Token(2)), 0.0)
        assert got.until(lambda results: Withdrawn(token=Token(2)) in results)
        lock.rollback()
    got.until(lambda results: StoreState(refusing=False) in results and saved(3)[0] in results)
    assert [result for result in got.results if isinstance(result, Saved)] == saved(1, 3)
    assert calls_in(path) == {"call-1", "call-3"}


def test_the_state_is_told_once_each_way_also_where_all_was_withdrawn(store: Store, path: Path) -> None:
    got = Collector()
    store.connect(got)
    with locked(path) as lock:
        store.put(save(1, made.call_row()), 0.0)
        got.until(bool)
        store.put(Withdraw(token=Token(1)), 0.0)
        lock.rollback()
    got.until(lambda results: StoreState(refusing=False) in results)
    assert [type(result) for result in got.results] == [StoreState, Withdrawn, StoreState]
    assert calls_in(path) == set()


def test_a_withdraw_after_saved_is_answered_by_nothing_more(store: Store) -> None:
    got = Collector()
    store.connect(got)
    store.put(save(1, made.call_row()), 0.0)
    got.until(bool)
    store.put(Withdraw(token=Token(1)), 0.0)
    store.put(save(2, made.event(1)), 0.0)
    assert got.until(lambda results: saved(2)[0] in results) == saved(1, 2)


def test_a_full_database_refuses_keeps_what_waits_and_goes_on_when_there_is_space(tmp_path: Path, reports: list[str]) -> None:
    store = Store.open(tmp_path / "outdial.db", report=reports.append)
    got = Collector()
    store.connect(got)
    store._writer._connection.execute("PRAGMA max_page_count=60")  # SQLite's own way of being full
    big = msgspec.structs.replace(made.given(1), request=b"x" * 400_000)
    store.put(save(1, big), 0.0)
    state = got.until(bool)[0]
    assert state.refusing
    assert "disk is full" in state.detail
    store.put(save(2, made.call_row()), 0.0)
    store._writer._connection.execute("PRAGMA max_page_count=100000")
    results = got.until(lambda results: saved(2)[0] in results and StoreState(refusing=False) in results)
    assert [result for result in results if isinstance(result, Saved)] == saved(1, 2)
    store.close()
    assert reports == []


def test_what_only_tells_the_story_is_dropped_first_and_counted(path: Path, reports: list[str]) -> None:
    backlog = Backlog(soft_limit=100_000)
    store = Store.open(path, report=reports.append, backlog=backlog)
    got = Collector()
    store.connect(got)
    with locked(path) as lock:
        for _ in range(1000):
            store.put(save(0, made.sip("sent", made.invite(), 0)), 0.0)
        assert backlog.size <= 100_000
        dropped = backlog.dropped
        assert dropped > 800
        store.put(save(1, *made.created()), 0.0)
        for token in range(2, 1000):
            store.put(save(token, made.call_row(CallId(f"call-{token}"))), 0.0)
        assert backlog.size <= 200_000
        lost = backlog.dropped - dropped
        assert lost > 700
        store.put(Withdraw(token=Token(999)), 0.0)
        assert got.until(lambda results: Withdrawn(token=Token(999)) in results)
        lock.rollback()
    got.until(lambda results: saved(1)[0] in results)
    store.close()
    assert len(calls_in(path)) == 999 - lost
    assert any("were dropped: too much waited" in report for report in reports)


def test_close_commits_what_waits(path: Path) -> None:
    store = Store.open(path)
    for number in range(200):
        store.put(save(0, made.call_row(CallId(f"call-{number}"))), 0.0)
    store.close()
    assert len(calls_in(path)) == 200


def test_something_that_is_no_work_is_refused_by_name(store: Store) -> None:
    with pytest.raises(TypeError, match="the store takes Save and Withdraw, not CallRow"):
        store.put(made.call_row(), 0.0)


def test_texts_that_are_no_utf8_are_written_by_the_writer_too(store: Store, path: Path, reports: list[str]) -> None:
    got = Collector()
    store.connect(got)
    target = b"sip:caf\xe9@192.0.2.9".decode("utf-8", "surrogateescape")
    store.put(save(1, *made.created(), msgspec.structs.replace(made.dialog(), remote_target=target)), 0.0)
    assert got.until(bool) == saved(1)
    dialog = store.unfinished()[0].legs[0].dialog
    assert dialog is not None
    assert dialog.remote_target == target
    assert reports == []


def test_one_who_cannot_be_told_does_not_keep_the_others_from_hearing(store: Store, path: Path, reports: list[str]) -> None:
    def broken(results: Any) -> None:
        raise RuntimeError("the loop is closed")

    other = Collector()
    with locked(path) as lock:
        store.port(broken)(save(1, made.call_row()), 0.0)
        store.port(other)(save(2, made.event(1)), 0.0)
        lock.rollback()
    assert other.until(bool) == saved(2)
    assert len(reports) == 1
    assert "could not be told" in reports[0]


def test_what_waited_long_is_written_in_bounded_transactions(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TOGETHER", 10)
    batches, got = Collector(), Collector()

    def deliver(results: Any) -> None:
        batches([len(results)])
        got(results)

    put = store.port(deliver)
    with locked(path):
        for token in range(1, 96):
            put(save(token, made.call_row(CallId(f"call-{token}"))), 0.0)
    assert got.until(lambda results: len(results) == 95) == saved(*range(1, 96))
    assert max(batches.results) <= 10


@pytest.mark.parametrize("when", [1, 2], ids=["resting", "lingering"])
def test_a_close_in_the_moment_in_which_the_writer_stops_lingering_is_noticed(when: int) -> None:
    """The time is up, and before the writer has the lock again the store is closed: nothing would wake it a second time."""

    class Closing(threading.Condition):
        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None, "it sleeps for good, though the backlog is closed"
            self.waits += 1
            backlog._closed = self.waits == when
            return False

    backlog = Backlog()
    backlog._changed = Closing(threading.Lock())
    assert backlog.wait() is False
