"""The store against its floors, in one run: bare sqlite3 rows and bare fsyncs on the same disk.

    python bench/store.py [--json] [FOLDER]

Prints, for committed and synced units, what one takes here, what the floor takes, and the ratio. FOLDER is where the database is made.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent.parent / "src"), str(Path(__file__).parent.parent / "tests")]

from helpers import call_records as made  # noqa: E402
from outdial.model.ids import CallId, LegId, Token  # noqa: E402
from outdial.model.records import Record  # noqa: E402
from outdial.model.work import Save  # noqa: E402
from outdial.store import MemoryPort, Store, writes  # noqa: E402

ROWS = 3000
SYNCS = 300
CALLS = 300


def spread(samples: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile, in microseconds."""
    ordered = sorted(samples)
    return {"median": statistics.median(ordered) * 1e6, "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e6}


def timed(whats: Sequence[Callable[[int], object]], times: int) -> list[dict[str, float]]:
    """Each of these in turn, so that whatever else the machine does falls on all of them alike."""
    samples: list[list[float]] = [[] for _ in whats]
    for i in range(times):
        for what, taken in zip(whats, samples, strict=True):
            begun = time.perf_counter()
            what(i)
            taken.append(time.perf_counter() - begun)
    return [spread(taken) for taken in samples]


def insert_event() -> tuple[str, Callable[[int], Sequence[Any]]]:
    """The very statement that the store uses for an event, for the floor."""
    caught: list[tuple[str, Sequence[Any]]] = []

    class Cursor:
        def execute(self, sql: str, row: Any = ()) -> None:
            caught.append((sql, row))

    writes.sqlite().run(Cursor(), (made.event(1),))
    sql, row = caught[0]
    return sql, lambda number: (row[0], number, *row[2:])


def bare_rows(folder: Path, synchronous: str) -> Callable[[int], None]:
    """One row, one commit, nothing around it."""
    path = folder / f"bare-{synchronous}.db"
    Store.open(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    sql, row = insert_event()

    def one(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(sql, row(number))
        connection.execute("COMMIT")

    return one


def bare_fsyncs(folder: Path) -> Callable[[int], None]:
    """As many bytes as a small commit appends to the log, then fsync."""
    descriptor = os.open(folder / "fsync", os.O_WRONLY | os.O_CREAT)
    block = bytes(4096 + 24)

    def one(_: int) -> None:
        os.write(descriptor, block)
        os.fsync(descriptor)

    return one


class Client:
    """Puts a unit and waits for its answer, as a core that holds something back does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.token = 0
        store.connect(self._answered)

    def _answered(self, results: Sequence[Any]) -> None:
        for result in results:
            self.answers.put(result)

    def put(self, unit: tuple[Record, ...], grade: str) -> None:
        self.token += 1
        self.store.put(Save(token=Token(self.token), unit=unit, grade=grade), 0.0)  # type: ignore[arg-type]

    def put_and_wait(self, unit: tuple[Record, ...], grade: str) -> None:
        self.put(unit, grade)
        self.answers.get()


def whole_call(i: int) -> list[tuple[Record, ...]]:
    """The records of one made-up call, under ids of its own."""
    call, leg = CallId(f"call-{i}"), LegId(f"leg-{i}")
    units = []
    for unit in made.life():
        records = []
        for record in unit:
            changes: dict[str, Any] = {}
            if hasattr(record, "call"):
                changes["call"] = call
            if hasattr(record, "leg"):
                changes["leg"] = leg
            if hasattr(record, "recording"):
                changes["recording"] = f"recording-{i}"
            if hasattr(record, "participant"):
                changes["participant"] = made.participant(leg)
            if hasattr(record, "repeat"):
                changes["repeat"] = made.REPEAT.__class__(
                    key=made.REPEAT.key, operation="o", path="p", body_hash="h", invocation=f"i-{i}"
                )  # fmt: skip
            fields = {name: getattr(record, name) for name in record.__struct_fields__}
            records.append(type(record)(**(fields | changes)))
        units.append(tuple(records))
    return units


def throughput(folder: Path, busy: bool) -> dict[str, float]:
    """Calls whose units are put without waiting; with `busy`, another thread (the node's loop) computes meanwhile."""
    store = Store.open(folder / f"calls-{busy}.db")
    client = Client(store)
    calls = [whole_call(i) for i in range(CALLS)]
    records = sum(len(unit) for units in calls for unit in units)
    stop = threading.Event()
    spun = [0]

    def spin() -> None:
        while not stop.is_set():
            spun[0] += sum(range(50)) > 0

    thread = threading.Thread(target=spin)
    if busy:
        thread.start()
    wall, cpu = time.perf_counter(), time.process_time()
    count = 0
    for units in calls:
        for unit in units:
            client.put(unit, "committed")
            count += 1
    for _ in range(count):
        client.answers.get()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stop.set()
    if busy:
        thread.join()
    store.close()
    return {
        "wall_us_record": wall / records * 1e6,
        "cpu_us_record": cpu / records * 1e6,
        "cpu_ms_call": cpu / CALLS * 1e3,
        "records": records,
    }


def memory() -> float:
    """Microseconds a record through the port for virtual time."""
    port = MemoryPort()
    calls = [whole_call(i) for i in range(CALLS)]
    records = sum(len(unit) for units in calls for unit in units)
    begun = time.perf_counter()
    for units in calls:
        for unit in units:
            port.put(Save(token=Token(0), unit=unit), 0.0)
    return (time.perf_counter() - begun) / records * 1e6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        store = Store.open(folder / "outdial.db")
        client = Client(store)

        def committed_unit(i: int) -> None:
            client.put_and_wait((made.event(i),), "committed")

        def synced_unit(i: int) -> None:
            client.put_and_wait((made.event(ROWS + i),), "synced")

        bare, committed = timed((bare_rows(folder, "NORMAL"), committed_unit), ROWS)
        fsync, bare_synced, synced = timed((bare_fsyncs(folder), bare_rows(folder, "FULL"), synced_unit), SYNCS)
        store.close()
        idle, busy = throughput(folder, False), throughput(folder, True)
        in_memory = memory()
    results = {
        "fsync": fsync, "bare_row": bare, "bare_row_synced": bare_synced, "committed": committed, "synced": synced,
        "throughput": idle, "throughput_beside_a_busy_thread": busy, "memory_us_record": in_memory,
    }  # fmt: skip
    if options.json:
        print(json.dumps(results))
        return
    print("one unit of one row, put and answered             median      99th")
    rows = {
        "fsync of the same bytes (floor)": fsync,
        "bare sqlite3, committed (floor)": bare,
        "store, committed": committed,
        "bare sqlite3, synced (floor)": bare_synced,
        "store, synced": synced,
    }
    for label, row in rows.items():
        print(f"  {label:<42} {row['median']:9.0f} us {row['p99']:8.0f} us")
    print(f"  committed / bare: {committed['median'] / bare['median']:.1f}   synced / fsync: {synced['median'] / fsync['median']:.1f}")
    print(f"whole calls, {idle['records'] / CALLS:.0f} records each, not waited for")
    for label, line in (("alone", idle), ("beside a busy thread", busy)):
        print(f"  {label:<42} {line['wall_us_record']:9.1f} us a record, CPU {line['cpu_us_record']:.1f} us a record")
    print(f"  CPU of a call's records: {idle['cpu_ms_call']:.2f} ms; in memory {in_memory:.1f} us a record")


if __name__ == "__main__":
    main()
