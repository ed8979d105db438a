"""SQLite as we use it: connections, the pragmas of the two grades, and which errors mean that the database does not take writes now."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.dialects import sqlite as dialect_module
from sqlalchemy.engine import Dialect

BUSY_S: Final = 0.1
"""How long one attempt of the writer waits for a lock: short, so that what waits can still be withdrawn."""
READ_BUSY_S: Final = 5.0
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}
_BROKEN = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}


def dialect() -> Dialect:
    """SQLAlchemy's dialect, for compiling."""
    return dialect_module.dialect()


def connect_writer(path: str | Path) -> sqlite3.Connection:
    """The one writing connection. Transactions are begun and ended by its owner; checkpoints run beside it."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256)
    if str(path) != ":memory:":
        begin_log(connection)
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def begin_log(connection: sqlite3.Connection) -> None:
    """Let the database write ahead to a log. Raises `sqlite3.OperationalError` where the file system cannot share memory (NFS)."""
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError("this file system has no shared memory for its log; put the data folder on a local disk")


def connect_reader(path: str | Path) -> sqlite3.Connection:
    """A read-only connection; it may be used by one thread after another."""
    uri = Path(path).resolve().as_uri() + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=READ_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _code(error: BaseException) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF if isinstance(error, sqlite3.Error) else 0


def refuses(error: BaseException) -> bool:
    """The database does not take writes now: the unit is not to blame, and is tried again."""
    return _code(error) in _LOCKED | _FULL | _BROKEN


def broken(error: BaseException) -> bool:
    """The connection itself is in doubt: it is opened anew before the next attempt."""
    return _code(error) in _BROKEN


def hint(error: BaseException) -> str:
    """How to mend a database that cannot be opened."""
    code = _code(error)
    if code in _LOCKED:
        return "end whatever holds it beside the node"
    if code in _FULL:
        return "free some space under the data folder"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return "put a good copy in its place, or move it away: the node then begins a new one"
    return "check the data folder's disk and permissions, or name another folder with --data DIR"


def sentence(error: BaseException) -> str:
    """What is wrong and how to mend it, in one sentence."""
    code = _code(error)
    if code in _LOCKED:
        return "the database is locked by another process: end whatever writes to it beside the node"
    if code in _FULL:
        return "the disk is full: free some space under the data folder"
    return f"the database cannot be written ({error}): check the data folder's disk and permissions"
