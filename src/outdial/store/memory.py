"""The same store in memory, and synchronous: for virtual time. Same tables, same statements, answered at once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from ..model.records import RecordingRow, Unfinished
from ..model.resources import StoreRefused
from ..model.work import Save, Saved, StoreState, Withdraw, Withdrawn
from . import database, read, recovery, upgrade, writes
from .backlog import Deliver
from .commits import REFUSED
from .keys import Secrets, SecretsInMemory
from .resources import Resources


class MemoryPort:
    """A store without a file or a thread. `deliver` gets each result from within `put`; it should only queue (`Pump.give`).

    A bad unit raises here and now: in a test there is nobody to report it to.
    """

    def __init__(self, deliver: Deliver | None = None, secrets: Secrets | None = None) -> None:
        self._deliver = deliver
        self._connection = database.connect_writer(":memory:")
        weakref.finalize(self, self._connection.close)
        upgrade.create(self._connection)
        self._cursor = self._connection.cursor()
        self._statements = writes.sqlite()
        self._engine: Engine | None = None
        self._held: dict[int, Save] = {}
        self._refusing = False
        self._holding = False
        self._unnamed = 0
        self.resources = Resources(self.read, read.CallsAtOnce(self.read), self._commit, secrets or SecretsInMemory())
        """What the API asks for (`api.resources.Resources`)."""

    def connect(self, deliver: Deliver) -> None:
        """Hand results to `deliver`."""
        self._deliver = deliver

    def read(self) -> Connection:
        """The connection, for reading back."""
        if self._engine is None:
            self._engine = create_engine("sqlite://", creator=lambda: self._connection, poolclass=StaticPool)
        return self._engine.connect()

    def put(self, item: Any, now: float) -> None:
        """Take `Save` or `Withdraw`."""
        if type(item) is Save:
            if self._refusing or self._holding:
                self._hold(item)
            else:
                self._write(item.unit)
                if item.token:
                    self._answer(Saved(token=item.token))
        elif type(item) is Withdraw:
            if self._held.pop(item.token, None) is not None:
                self._answer(Withdrawn(token=item.token))
        else:
            raise TypeError(f"the store takes Save and Withdraw, not {type(item).__name__}")

    def refuse(self, detail: str = "the disk is full") -> None:
        """From now on nothing is committed, as with a full disk; `accept` ends it."""
        self._refusing = True
        self._answer(StoreState(refusing=True, detail=detail))

    def accept(self) -> None:
        """Commit what was held, and go on as usual."""
        self._refusing = False
        self.release()
        self._answer(StoreState(refusing=False))

    def hold(self) -> None:
        """Commits take their time: nothing is committed or answered until `release`."""
        self._holding = True

    def release(self) -> None:
        """Commit and answer what was held, in order."""
        self._holding = False
        held, self._held = self._held, {}
        for save in held.values():
            self.put(save, 0.0)

    def unfinished(self) -> list[Unfinished]:
        """Every call without a CDR."""
        with self.read() as connection:
            return recovery.unfinished(connection)

    def undelivered(self) -> list[RecordingRow]:
        """Recordings that have not reached their bucket, finished or not."""
        with self.read() as connection:
            return recovery.undelivered(connection)

    def sequence_base(self) -> int:
        """How far the node's counter has been used."""
        with self.read() as connection:
            return recovery.sequence_base(connection)

    def close(self) -> None:
        """Forget everything."""
        if self._engine is not None:
            self._engine.dispose()
        self._connection.close()

    def _hold(self, save: Save) -> None:
        key = int(save.token)
        if not key:
            self._unnamed -= 1
            key = self._unnamed
        self._held[key] = save

    def _write(self, unit: Sequence[msgspec.Struct]) -> None:
        cursor = self._cursor
        if len(unit) == 1:  # a statement that fails undoes itself
            self._statements.run_kept(cursor, unit)
        else:
            cursor.execute("BEGIN")
            try:
                self._statements.run_kept(cursor, unit)
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
        self.resources.committed(unit)

    def _answer(self, result: Any) -> None:
        if self._deliver is not None:
            self._deliver([result])

    async def _commit(self, unit: tuple[msgspec.Struct, ...], then: Callable[[], None]) -> None:
        if self._refusing:
            raise StoreRefused(REFUSED)
        self._write(unit)
        then()
