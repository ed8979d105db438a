"""Writes the generated pages of the documentation: `python -m outdial.cli.pages FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from ..config.page import settings_page
from ..errors import page as errors_page

PAGES = {"settings.md": settings_page, "errors.md": errors_page}


def write(folder: Path) -> None:
    """Write each page that is made from the source."""
    for name, make in PAGES.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
