"""The one writer: a thread with the one writing connection (DESIGN 3.4).

Theory of operation. `put` appends a unit to a backlog and returns. The thread begins a transaction, *then* takes all that waits, so that
while the database is locked everything can still be withdrawn at once. It writes the units in order and commits once, synced if any of
them asks for it. The first attempt runs without savepoints; only where a unit fails, the transaction is rolled back and run again with
each unit in a savepoint of its own: the bad one fails alone, is reported as our bug and never tried again. When the database itself
refuses (locked, full), everything goes back to the head of the backlog and is tried again with back-off, in bounded memory.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ..model.work import Save, Saved, StoreState, Withdraw
from . import database
from .backlog import Backlog, Deliver, Entry
from .node import PROBE, NodeRow
from .statements import Statements

Port = Callable[[Any, float], None]
Report = Callable[[str], None]
Committed = Callable[[Sequence[msgspec.Struct]], None]
"""Sees each unit after its commit and before anybody is told of it; from the writer's thread."""

FIRST_BACKOFF_S: Final = 0.05
LAST_BACKOFF_S: Final = 0.5
ATTEMPTS: Final = 2
"""So many failures in a row, and the store is said to refuse: a lock of a moment is nothing to tell."""
TOGETHER: Final = 5000
"""Units in one transaction at most: after a long refusal the first answers need not wait for the last."""
CHECKPOINT_BYTES: Final = 4_000_000
CHECKPOINT_S: Final = 1.0
TRUNCATE_FACTOR: Final = 4


def log_report(text: str) -> None:
    """Where reports go unless somebody else takes them."""
    logging.getLogger("outdial.store").error(text)


class Refused(Exception):
    """The database did not take the transaction; nothing of it was kept."""


class Spoilt(Exception):
    """Delivered to whoever asked for it by `port(…, spoilt=True)`: the unit could not be written, whatever the database's state."""

    def __init__(self, token: int, error: BaseException) -> None:
        super().__init__(str(error))
        self.token = token


class Writer:
    """Takes `Save` and `Withdraw`; hands `Saved`, `Withdrawn` and `StoreState` to callbacks."""

    def __init__(
        self,
        path: str | Path,
        statements: Statements,
        *,
        state: Deliver,
        committed: Committed,
        report: Report = log_report,
        backlog: Backlog | None = None,
    ) -> None:
        self._path = path
        self._statements = statements
        self._state = state
        self._committed = committed
        self._report = report
        self._backlog = Backlog() if backlog is None else backlog
        self._connection = database.connect_writer(path)
        self._grade = "NORMAL"
        self._failures = 0
        self._refusing = False
        self._dropped_told = 0
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="store-writer", daemon=True),
            threading.Thread(target=self._checkpoints, name="store-checkpoints", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def backlog(self) -> Backlog:
        """What waits."""
        return self._backlog

    def port(self, deliver: Deliver, *, spoilt: bool = False) -> Port:
        """A port whose results go to `deliver`; with `spoilt`, a unit that cannot be written is told too, as `Spoilt`."""
        add, withdraw = self._backlog.add, self._backlog.withdraw

        def put(item: Any, now: float) -> None:
            if type(item) is Save:
                add(Entry(item.unit, item.token, item.grade == "synced", deliver, spoilt))
            elif type(item) is Withdraw:
                withdraw(item.token)
            else:
                raise TypeError(f"the store takes Save and Withdraw, not {type(item).__name__}")

        return put

    def close(self) -> None:
        """Write what waits, then end; what the database refuses at this point is lost and reported."""
        self._backlog.close()
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if left := self._backlog.abandon():
            self._report(f"{left} units of records were lost at the end: the database still refused them")
        self._connection.close()

    def _run(self) -> None:
        backlog = self._backlog
        while True:
            if not self._failures and not backlog.wait():
                return
            try:
                count, synced = backlog.ahead()
                self._commit(min(count, TOGETHER), synced)
            except Refused as refused:
                if backlog.closed and self._failures > ATTEMPTS:
                    return
                self._fail(refused)
            except Exception as error:  # whatever it is, the writer must go on: all later records hang on it
                self._report(f"the store's writer stumbled, which is a bug of ours: {error!r}")
                if backlog.closed:
                    return
                self._fail(Refused(f"the writer stumbled over {type(error).__name__}"))
            else:
                self._succeed()

    def _fail(self, refused: Refused) -> None:
        self._failures += 1
        if self._failures == ATTEMPTS:
            self._refusing = True
            self._state([StoreState(refusing=True, detail=str(refused))])
        self._backlog.pause(min(FIRST_BACKOFF_S * self._failures, LAST_BACKOFF_S))

    def _succeed(self) -> None:
        self._failures = 0
        if self._refusing:
            self._refusing = False
            self._state([StoreState(refusing=False)])
        if self._backlog.dropped > self._dropped_told:
            self._report(f"{self._backlog.dropped - self._dropped_told} units of records were dropped: too much waited for the database")
            self._dropped_told = self._backlog.dropped

    def _commit(self, count: int, synced: bool) -> None:
        """One transaction. With nothing waiting it writes a probe. Raises `Refused`."""
        batch: list[Entry] = []
        try:
            self._begin("FULL" if synced else "NORMAL")
            batch = self._backlog.take(count)
            spoilt = self._write(batch)
            self._connection.execute("COMMIT")
        except Exception as error:
            self._roll_back(error)
            self._backlog.put_back(batch)
            if database.refuses(error):
                raise Refused(database.sentence(error)) from error
            raise
        bad = [entry for entry, _ in spoilt]
        good = [entry for entry in batch if entry not in bad] if bad else batch
        for entry in good:
            self._committed(entry.unit)
        self._backlog.done(good, bad)
        self._answer(good, spoilt)

    def _begin(self, grade: str) -> None:
        if grade != self._grade:
            self._connection.execute(f"PRAGMA synchronous={grade}")
            self._grade = grade
        self._connection.execute("BEGIN IMMEDIATE")

    def _write(self, batch: list[Entry]) -> list[tuple[Entry, Exception]]:
        run = self._statements.run
        if not batch and self._failures:
            run(self._connection.cursor(), (NodeRow(name=PROBE, value=self._failures),))
        try:
            run(self._connection.cursor(), (record for entry in batch for record in entry.unit))
            return []
        except Exception as error:
            if database.refuses(error):
                raise
        self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN IMMEDIATE")
        return self._write_apart(batch)

    def _write_apart(self, batch: list[Entry]) -> list[tuple[Entry, Exception]]:
        """Each unit in a savepoint of its own; those that failed, with why."""
        cursor, run = self._connection.cursor(), self._statements.run_kept
        spoilt: list[tuple[Entry, Exception]] = []
        for entry in batch:
            cursor.execute("SAVEPOINT unit")
            try:
                run(cursor, entry.unit)
            except Exception as error:
                if database.refuses(error):
                    raise
                cursor.execute("ROLLBACK TO unit")
                kinds = ", ".join(dict.fromkeys(type(record).__name__ for record in entry.unit))
                self._report(f"a unit of records ({kinds}) cannot be written, which is a bug of ours: {error!r}")
                spoilt.append((entry, error))
            cursor.execute("RELEASE unit")
        return spoilt

    def _roll_back(self, error: Exception) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if database.broken(error):
                self._connection.close()
                self._connection = database.connect_writer(self._path)
                self._grade = "NORMAL"
        except sqlite3.Error:
            pass  # the next attempt meets the same trouble and tells of it

    def _answer(self, good: list[Entry], spoilt: list[tuple[Entry, Exception]]) -> None:
        results: dict[Deliver, list[Any]] = {}
        for entry in good:
            if entry.token and entry.deliver is not None:
                results.setdefault(entry.deliver, []).append(Saved(token=entry.token))
        for entry, error in spoilt:
            if entry.tell_spoilt and entry.deliver is not None:
                results.setdefault(entry.deliver, []).append(Spoilt(entry.token, error))
        for deliver, batch in results.items():
            try:
                deliver(batch)
            except Exception as error:  # the others are to hear of their units all the same
                self._report(f"whoever waits for the store could not be told, which is a bug of ours: {error!r}")

    def _checkpoints(self) -> None:
        """Copy the log into the database beside the writer, on a connection of its own."""
        log = Path(f"{self._path}-wal")
        connection = database.connect_writer(self._path)
        while not self._ended.wait(CHECKPOINT_S):
            try:
                size = log.stat().st_size
                if size > CHECKPOINT_BYTES:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                if size > TRUNCATE_FACTOR * CHECKPOINT_BYTES:  # a writer that never rests: it waits a moment, for the little that is left
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except (sqlite3.Error, OSError):
                continue  # the writer meets the same trouble and tells of it; the log only grows meanwhile
        connection.close()
