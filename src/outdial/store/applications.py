"""SIP media applications."""

from __future__ import annotations

import msgspec

from ..model.ids import ApplicationId
from ..model.records import RepeatRow
from ..model.resources import ApplicationRow
from . import schema
from .mapping import Mapping
from .shelf import Commit, Shelf
from .statements import deletes, replaces


class ApplicationGone(msgspec.Struct, frozen=True, kw_only=True):
    id: ApplicationId


APPLICATION = Mapping(ApplicationRow, schema.applications)
WRITES = (replaces(APPLICATION, appends=False), deletes(ApplicationGone, schema.applications, "id"))


class Applications(Shelf[ApplicationRow]):
    """All applications, in memory and on record."""

    def __init__(self, rows: list[ApplicationRow], commit: Commit) -> None:
        super().__init__(rows, commit, lambda row: row.id)

    async def create(self, row: ApplicationRow, repeat: RepeatRow | None = None) -> None:
        """The row and the repeat in one commit."""
        await self._put(row, repeat)

    async def update(self, row: ApplicationRow) -> None:
        """Replace the row of that id."""
        await self._put(row)

    async def delete(self, application: ApplicationId, /) -> bool:
        """False where there was none."""
        return await self._take(application, ApplicationGone(id=application))
