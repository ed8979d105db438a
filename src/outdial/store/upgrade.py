"""Brings a database to the present schema: a new one at once, an older one by its migrations (Alembic)."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Final

from . import database, schema

HEAD: Final = "0001"
"""The newest file under `migrations/versions`."""


@lru_cache(maxsize=1)
def _script() -> str:
    return ";\n".join(schema.ddl(database.dialect()))


def create(connection: sqlite3.Connection) -> None:
    """All tables in an empty database."""
    connection.executescript(_script())


def upgrade(connection: sqlite3.Connection, path: str | Path) -> None:
    """Make the database that `connection` writes to what this version needs. Raises `FolderError` where a later version made it."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        connection.execute("BEGIN IMMEDIATE")
        for line in schema.ddl(database.dialect()):
            connection.execute(line)
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
        connection.execute("COMMIT")
        return
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if "alembic_version" in tables else None
    if row is not None and row[0] == HEAD:
        return
    from .migrations import run

    run.upgrade(path)
