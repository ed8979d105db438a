"""State machines as data: a total table of (state, input) rows, checked and drawn from the same place (STYLE 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Symbol(Enum):
    """A state, or an input, of a table."""

    # Members are one of a kind, so their identity will do; `Enum` hashes the name by a Python function, at each look-up of a row.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Ignore:
    """This input changes nothing in this state, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """This input cannot come in this state: whoever sent it has a bug."""

    reason: str = "cannot happen"


IGNORE = Ignore
FAULT = Fault()

Step = tuple[Enum, tuple[Callable[..., Any], ...]]
Row = Step | Ignore | Fault
Table = Mapping[Enum, Mapping[Enum, Row]]


def missing(table: Table, states: Iterable[Enum], inputs: Iterable[Enum]) -> list[str]:
    """Name each (state, input) that has no row; empty when the table is total."""
    wanted = list(inputs)
    return [f"{state.name} x {item.name}" for state in states for item in wanted if item not in table.get(state, {})]


def draw(table: Table) -> str:
    """The table's arrows as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for state, rows in table.items():
        for item, row in rows.items():
            if isinstance(row, tuple):
                lines.append(f"    {state.name} --> {row[0].name}: {item.name}")
    return "\n".join(lines) + "\n"
