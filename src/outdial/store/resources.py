"""Everything that the API keeps, in memory and on record: what `api.resources.Resources` asks for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from ..model.records import RepeatRow
from .applications import APPLICATION, Applications
from .keys import KEY, Keys, Secrets
from .mapping import Mapping
from .numbers import NUMBER, Numbers
from .orders import ORDER, Orders
from .read import Calls, Reading
from .repeats import Repeats, load
from .shelf import Commit


class Resources:
    """Applications, numbers, orders, keys, repeats: read from memory, written through. Calls: read off the loop."""

    def __init__(self, read: Reading, calls: Calls, commit: Commit, secrets: Secrets) -> None:
        with read() as connection:
            self.applications = Applications(_all(connection, APPLICATION), commit)
            self.numbers = Numbers(_all(connection, NUMBER), commit)
            self.orders = Orders(_all(connection, ORDER), commit, self.numbers)
            self.keys = Keys(_all(connection, KEY), commit, secrets)
            self.repeats = Repeats(load(connection))
        self.calls = calls

    def owned_countries(self) -> tuple[str, ...]:
        """Countries of the numbers owned (not those in the deletion queue), sorted, each once."""
        return self.numbers.owned_countries()

    def committed(self, unit: Any) -> None:
        """A unit has been committed: repeats in it are seen from now on."""
        for record in unit:
            if type(record) is RepeatRow:
                self.repeats.keep(record)


def _all(connection: Connection, mapping: Mapping[Any]) -> list[Any]:
    return [mapping.record(row) for row in connection.execute(select(*mapping.columns))]
