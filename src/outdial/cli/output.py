"""What commands print: data on stdout, all else on stderr; readable without colour."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def say(text: str) -> None:
    """A line for a person, beside the data."""
    print(text, file=sys.stderr, flush=True)


def data(value: Any) -> None:
    """A value as JSON, indented."""
    import msgspec

    print(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns under their names, as wide as they must be."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[n]) for row in cells)]) for n, name in enumerate(columns)]
    print(bold("  ".join(name.upper().ljust(width) for name, width in zip(columns, widths, strict=True)).rstrip()))
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def listing(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool, none: str) -> None:
    """What a command lists: a table, or `{name: rows}` as JSON; where there is nothing, a line that says what to do."""
    if as_json:
        data({name: rows})
    elif rows:
        table(columns, [[_cell(row.get(column)) for column in columns] for row in rows])
    else:
        say(none)


def facts(rows: Sequence[tuple[str, object]]) -> None:
    """Names and values, one a line."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        print(f"{name.ljust(width)}  {value}")


def width() -> int:
    """Columns of the terminal; wide where there is none."""
    import shutil

    return shutil.get_terminal_size((200, 24)).columns


def coloured() -> bool:
    """Standard output is a terminal that may be written to in colour."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if coloured() else text


def dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if coloured() else text


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
