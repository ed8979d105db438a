"""A node that is killed while it writes, a disk that is full, a database that stays locked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import call_records as made
from outdial.model.ids import CallId, Token
from outdial.model.work import Save, Saved, StoreState
from outdial.store import Store, database, read, writer

from .collector import Collector
from .plain import locked, opened, reader

WRITER = """
import sys
from helpers import call_records as made
from outdial.model.ids import CallId
from outdial.model.work import Save, Saved
from outdial.store import Store

def deliver(results):
    for result in results:
        if isinstance(result, Saved):
            print(result.token, flush=True)

store = Store.open(sys.argv[1])
store.connect(deliver)
token = 0
while True:
    token += 1
    unit = (made.call_row(CallId(f"call-{token}")), made.event(token))
    store.put(Save(token=token, unit=unit, grade="committed" if token % 50 else "synced"), 0.0)
    while len(store._writer.backlog) > 200:
        pass
"""

FULL = """
import os, sys
from pathlib import Path
from helpers import call_records as made
from outdial.model.ids import CallId
from outdial.model.work import Save, Saved, StoreState
from outdial.store import Store
from store.collector import Collector

folder = Path(sys.argv[1])
got = Collector()
store = Store.open(folder / "outdial.db")
store.connect(got)
ballast = folder / "ballast"
descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
try:
    while True:
        os.write(descriptor, bytes(4096))
except OSError:
    os.close(descriptor)
for token in range(1, 41):
    store.put(Save(token=token, unit=(made.call_row(CallId(f"call-{token}")), made.sip("sent", "x" * 5000, 0))), 0.0)
state = got.until(lambda results: any(isinstance(result, StoreState) for result in results))
print([result.detail for result in state if isinstance(result, StoreState)][0])
ballast.unlink()
results = got.until(lambda results: StoreState(refusing=False) in results and Saved(token=40) in results)
print(sorted(result.token for result in results if isinstance(result, Saved)) == list(range(1, 41)))
store.close()
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize("after", [1, 500, 3000])
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, after: int) -> None:
    path = tmp_path / "outdial.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment(), text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(after)]
        process.kill()
        told += [int(line) for line in process.stdout.read().splitlines() if line]
    assert told == list(range(1, len(told) + 1))
    with reader(path) as connection:  # as `outdial calls ls` reads before anybody has mended anything
        assert f"call-{told[-1]}" in {summary.call.call for summary in read.listed(connection, limit=100_000)}
    store = Store.open(path)
    assert store.unfinished()[0].call.call == "call-1"
    store.close()
    with opened(path) as connection:
        calls = {row[0] for row in connection.execute("SELECT call FROM calls")}
        numbers = {row[0] for row in connection.execute("SELECT number FROM events")}
    assert {f"call-{token}" for token in told} <= calls
    assert {f"call-{number}" for number in numbers} == calls  # units are whole


def test_a_full_disk_refuses_with_a_plain_sentence_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = [unshare or "", "-r", "-m", "sh", "-c", script, "sh", str(tmp_path), sys.executable]
    if unshare is None or subprocess.run([*command, "pass"], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be made here: this machine lets nobody mount a tmpfs of his own")
    done = subprocess.run([*command, FULL], capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.stdout.splitlines() == ["the disk is full: free some space under the data folder", "True"], done.stderr


def test_a_database_that_stays_locked_for_a_hundred_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.001)
    monkeypatch.setattr(writer, "FIRST_BACKOFF_S", 0.001)
    monkeypatch.setattr(writer, "LAST_BACKOFF_S", 0.002)
    path = tmp_path / "outdial.db"
    store = Store.open(path)
    got, tries = Collector(), Collector()
    store.connect(got)
    pause = store._writer.backlog.pause

    def counted(timeout: float) -> None:
        tries([timeout])
        pause(timeout)

    monkeypatch.setattr(store._writer.backlog, "pause", counted)
    with locked(path) as lock:
        for token in range(1, 101):
            store.put(Save(token=Token(token), unit=(made.call_row(CallId(f"call-{token}")),)), 0.0)
        tries.until(lambda results: len(results) >= 100)
        lock.rollback()
    results = got.until(lambda results: Saved(token=Token(100)) in results and StoreState(refusing=False) in results)
    assert [type(result) for result in results].count(StoreState) == 2
    assert [result.token for result in results if isinstance(result, Saved)] == list(range(1, 101))
    store.close()


def test_a_database_that_broke_under_us_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    reports: list[str] = []
    store = Store.open(path, report=reports.append)
    got = Collector()
    store.connect(got)
    store._writer._connection.execute("PRAGMA query_only=ON")  # the connection refuses to write; a new one does not
    store.put(Save(token=Token(1), unit=(made.call_row(),)), 0.0)
    got.until(lambda results: Saved(token=Token(1)) in results)
    store.close()
    assert reports == []


def test_the_log_of_the_database_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(writer, "CHECKPOINT_S", 0.01)
    path = tmp_path / "outdial.db"
    store = Store.open(path)
    got = Collector()
    store.connect(got)
    log = path.with_name("outdial.db-wal")
    largest, cut = 0, False
    for token in range(1, 40_001):
        store.put(Save(token=Token(token), unit=(made.call_row(CallId(f"call-{token}")), made.sip("sent", "x" * 5000, 0))), 0.0)
        if token % 20 == 0:
            got.until(lambda results, count=token: len(results) >= count)  # type: ignore[misc]
            size = log.stat().st_size
            if cut := size < largest:
                break
            largest = size
    assert cut  # the pages went over to the database beside a writer that never rested
    assert path.stat().st_size > 100_000
    store.close()
    assert not log.exists()
