"""`outdial config check`: looks at every setting without starting anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, group

app = group("Settings.")


@app.callback()
def _settings() -> None:
    """Settings."""


@app.command("check")
def check(
    config: Annotated[Path | None, typer.Option(help="Settings (./outdial.toml, where there is one).", show_default=False)] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name every setting and what it does.")] = False,
    as_json: Json = False,
) -> None:
    """Read all settings, and print them as they are in force."""
    from ..config import Config, load
    from . import output

    if list_:
        rows = [{"setting": name, "what": info.description} for name, info in Config.model_fields.items()]
        output.listing("settings", ("setting", "what"), rows, as_json=as_json, none="")
        return
    loaded = load(file=config)
    loaded.call_settings()
    if as_json:
        output.data(loaded.model_dump(mode="json"))
        return
    output.facts([(name, _shown(getattr(loaded, name))) for name in Config.model_fields])
    output.say("\nThe settings are in order.")


def _shown(value: object) -> str:
    from ..config.kinds import show_duration

    if isinstance(value, float):
        return show_duration(value)
    if value is None or value in ((), {}):
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={setting.spec}" for name, setting in value.items())
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return ", ".join(getattr(one, "uri", None) or str(one) for one in value)
    return str(value)
