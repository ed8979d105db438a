"""The store of a live node: one database file, one writer, readers of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..model.records import RecordingRow, Unfinished
from . import database, read, recovery, upgrade, writes
from .backlog import Backlog, Deliver
from .commits import Commits
from .folder import FolderError
from .keys import Secrets, SecretsFile
from .resources import Resources
from .writer import Port, Report, Writer, log_report


class Store:
    """Everything that a node keeps. Made by `open`, ended by `close`."""

    def __init__(self, path: Path, *, secrets: Secrets, report: Report, backlog: Backlog) -> None:
        self._engine = read.engine(path)
        self._read: read.Reading = self._engine.connect
        self._deliver: Deliver | None = None
        self._writer = Writer(path, writes.sqlite(), state=self._state, committed=self._committed, report=report, backlog=backlog)
        self.resources = Resources(self._read, read.Calls(self._read), Commits(self._writer), secrets)
        """What the API asks for (`api.resources.Resources`)."""
        self.put: Port = self._writer.port(self._state)
        """Takes `Save` and `Withdraw`, as a port of the pump; results go where `connect` says."""

    @classmethod
    def open(
        cls, path: str | Path, *, secrets: Secrets | None = None, report: Report = log_report, backlog: Backlog | None = None
    ) -> Store:
        """Open the database file at `path`, making it or bringing it up to date. Secrets stand beside it in `keys.json` unless told
        otherwise. Raises `FolderError`."""
        path = Path(path)
        try:
            with closing(database.connect_writer(path)) as connection:
                path.chmod(0o600)
                upgrade.upgrade(connection, path)
        except (sqlite3.Error, OSError) as error:
            raise FolderError(f"the database {path} cannot be opened: {error}", database.hint(error)) from error
        return cls(
            path,
            secrets=secrets or SecretsFile(path.with_name("keys.json")),
            report=report,
            backlog=Backlog() if backlog is None else backlog,
        )

    def connect(self, deliver: Deliver) -> None:
        """Hand `Saved`, `Withdrawn` and `StoreState` to `deliver`, in batches, mostly from the writer's thread: it must not block."""
        self._deliver = deliver

    def port(self, deliver: Deliver) -> Port:
        """A port of its own: results of what passes through it go to `deliver`."""
        return self._writer.port(deliver)

    def unfinished(self) -> list[Unfinished]:
        """Every call without a CDR, for recovery: before anything new is saved."""
        with self._read() as connection:
            return recovery.unfinished(connection)

    def undelivered(self) -> list[RecordingRow]:
        """Recordings that have not reached their bucket, finished or not, oldest first."""
        with self._read() as connection:
            return recovery.undelivered(connection)

    def sequence_base(self) -> int:
        """How far the node's counter has been used by earlier runs; 0 for a new database."""
        with self._read() as connection:
            return recovery.sequence_base(connection)

    def close(self) -> None:
        """Commit what waits, and end the threads."""
        self._engine.dispose()  # first, so that the last connection is the writer's and takes the log away
        self._writer.close()

    def _state(self, results: Sequence[Any]) -> None:
        if self._deliver is not None:
            self._deliver(results)

    def _committed(self, unit: Sequence[Any]) -> None:
        self.resources.committed(unit)
