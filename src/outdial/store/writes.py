"""Every record that the store knows, and the statements that write it."""

from __future__ import annotations

from functools import lru_cache

from . import applications, calls, cdrs, database, events, keys, node, numbers, orders, recordings, repeats, sip_messages
from .statements import Statements

MODULES = (calls, events, recordings, cdrs, sip_messages, repeats, applications, numbers, orders, keys, node)
WRITES = tuple(write for module in MODULES for write in module.WRITES)


@lru_cache(maxsize=1)
def sqlite() -> Statements:
    """Compiled for SQLite, once in a process."""
    return Statements(database.dialect(), WRITES)
