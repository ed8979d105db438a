"""What holds the cores together: the four methods, timers, tables, and the pump."""

from .backoff import Backoff
from .core import Core, Deadline
from .pump import Observer, OnFault, Port, Pump, Routes, Unrouted
from .table import FAULT, IGNORE, Fault, Ignore, Row, Symbol, Table, draw, missing
from .timers import Timers

__all__ = [
    "FAULT",
    "IGNORE",
    "Backoff",
    "Core",
    "Deadline",
    "Fault",
    "Ignore",
    "Symbol",
    "Observer",
    "OnFault",
    "Port",
    "Pump",
    "Routes",
    "Row",
    "Table",
    "Timers",
    "Unrouted",
    "draw",
    "missing",
]
