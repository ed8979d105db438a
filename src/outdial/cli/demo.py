"""`outdial demo`: a first call on this machine, start to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    data: Annotated[Path | None, typer.Option(help="Folder for all that is kept (./outdial-demo).", show_default=False)] = None,
    to: Annotated[str, typer.Option(metavar="NUMBER", help="Which subscriber of the built-in carrier is called.")] = "+12065550150",
) -> None:
    """Start a node, let an ordinary AWS program call a subscriber of the built-in carrier, and tell the call as it happens."""
    from .demonstration import Demonstration

    raise typer.Exit(Demonstration(data or Path("outdial-demo"), to).run())
