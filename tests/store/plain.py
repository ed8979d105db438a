"""SQLite without anything of ours, to look at the file and to stand in the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from outdial.store import read


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that commits each statement, closed at the end."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Nobody else can write until `rollback`, or the end."""
    with opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.rollback()


@contextmanager
def reader(path: Path) -> Iterator[Connection]:
    """As the command line reads."""
    engine = read.engine(path)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
