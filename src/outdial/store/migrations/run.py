"""Runs the steps that a database still lacks."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError

from ..folder import FolderError


def configuration(path: str | Path) -> Config:
    """Alembic's configuration for one database file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["path"] = str(path)
    return config


def upgrade(path: str | Path) -> None:
    """All steps up to the newest. Raises `FolderError` where a later version made the database."""
    try:
        command.upgrade(configuration(path), "head")
    except CommandError as error:
        raise FolderError(
            f"the database {path} was made by a later version of Outdial ({error})", "use that version, or another data folder"
        ) from error
