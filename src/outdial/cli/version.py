"""`outdial version`."""

from __future__ import annotations

import typer

from .. import __version__
from .options import Json


def version(as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        import platform

        from .output import data

        data({"outdial": __version__, "python": platform.python_version(), "system": platform.platform()})
    else:
        print(f"outdial {__version__}")


def shown(asked: bool) -> None:
    """`outdial --version`."""
    if asked:
        version()
        raise typer.Exit
