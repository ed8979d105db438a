"""The migrations make what the schema says, and a database of another version is met properly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from helpers import call_records as made
from outdial.model.ids import Token
from outdial.model.work import Save
from outdial.store import Store, database, schema, upgrade
from outdial.store.folder import FolderError
from outdial.store.migrations import run

from .collector import Collector
from .plain import opened


def shape(path: Path) -> dict[str, Any]:
    """Tables with their columns, indexes with theirs."""
    with opened(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        indexes = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name")]
        return {
            **{name: connection.execute(f"PRAGMA table_info('{name}')").fetchall() for name in names if name != "alembic_version"},
            **{name: connection.execute(f"PRAGMA index_info('{name}')").fetchall() for name in indexes},
        }


def test_all_steps_from_nothing_make_the_schema(tmp_path: Path) -> None:
    run.upgrade(tmp_path / "migrated.db")
    Store.open(tmp_path / "made.db").close()
    assert shape(tmp_path / "migrated.db") == shape(tmp_path / "made.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}", poolclass=NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_head_is_the_newest_step() -> None:
    assert ScriptDirectory.from_config(run.configuration("")).get_current_head() == upgrade.HEAD


def test_a_database_that_was_begun_and_not_finished_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    with opened(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    store = Store.open(path)
    got = Collector()
    store.connect(got)
    store.put(Save(token=Token(1), unit=made.created()), 0.0)
    assert got.until(bool)
    store.close()


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    Store.open(path).close()
    with opened(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(FolderError, match=r"outdial.db was made by a later version of Outdial") as raised:
        Store.open(path)
    assert raised.value.hint == "use that version, or another data folder"
    assert path.read_bytes() == before


def test_what_is_no_database_is_told_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "outdial.db"
    path.write_bytes(b"a shopping list, nothing else" * 100)
    with pytest.raises(FolderError, match=r"outdial.db cannot be opened: file is not a database") as raised:
        Store.open(path)
    assert "move it away" in raised.value.hint
    assert path.read_bytes().startswith(b"a shopping list")


def test_the_statements_compile_for_postgresql_too() -> None:
    from sqlalchemy.dialects import postgresql

    from outdial.store.statements import Statements
    from outdial.store.writes import WRITES

    dialect = postgresql.psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    statements = Statements(dialect, WRITES)
    texts: list[tuple[str, Any]] = []

    class Cursor:
        def execute(self, sql: str, parameters: Any = ()) -> None:
            texts.append((sql, parameters))

    for unit in made.life():
        statements.run(Cursor(), unit)
    assert all(sql.count("%s") == len(parameters) for sql, parameters in texts)
    assert any("ON CONFLICT (recording) DO UPDATE SET" in sql for sql, _ in texts)


def test_a_file_system_without_shared_memory_is_told(tmp_path: Path) -> None:
    with closing(sqlite3.connect(f"file:{tmp_path / 'outdial.db'}?vfs=unix-dotfile", uri=True)) as connection:
        connection.execute("CREATE TABLE t (c)")
        with pytest.raises(sqlite3.OperationalError, match="put the data folder on a local disk"):
            database.begin_log(connection)
