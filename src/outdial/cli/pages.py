"""Writes the generated pages of the documentation: `python -m outdial.cli.pages FOLDER`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..carrier.conversation import TABLE
from ..carrier.page import subscribers_table
from ..config.page import settings_page
from ..core import draw
from ..errors import page as errors_page
from .commands_page import commands_page

PAGES: Mapping[str, Callable[[], str]] = {"settings.md": settings_page, "errors.md": errors_page, "commands.md": commands_page}
"""Pages that are made whole."""
PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "carrier.md": {"subscribers": subscribers_table, "states": lambda: f"```mermaid\n{draw(TABLE)}```\n"},
}
"""Parts of a page, between `<!-- NAME -->` and `<!-- end -->`."""


def render(folder: Path) -> dict[str, str]:
    """Each generated page as it should be."""
    pages = {name: make() for name, make in PAGES.items()}
    for name, parts in PARTS.items():
        text = (folder / name).read_text()
        for part, make in parts.items():
            made = f"<!-- {part} -->\n{make()}<!-- end -->"
            text = re.sub(rf"<!-- {part} -->\n.*?<!-- end -->", lambda _, made=made: made, text, flags=re.DOTALL)  # type: ignore[misc]
        pages[name] = text
    return pages


def write(folder: Path) -> None:
    """Write them."""
    for name, text in render(folder).items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
