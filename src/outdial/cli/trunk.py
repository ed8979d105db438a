"""`outdial trunk`: where calls go out, and whether it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Data, Json, group

app = group("Where calls go out.")
Config = Annotated[Path | None, typer.Option("--config", help="Settings (./outdial.toml, where there is one).", show_default=False)]


@app.command("ls")
def ls(config: Config = None, as_json: Json = False) -> None:
    """List the trunks of the configuration; the first one takes all calls."""
    from ..config import load
    from .output import listing

    loaded = load(file=config)
    trunks = loaded.trunk or ()
    rows = [{"name": one.name or one.uri.partition(":")[2], "uri": one.uri, "nat": one.nat, "symmetric": one.symmetric} for one in trunks]
    if not rows:
        first = loaded.trunk_settings()
        rows = [{"name": first.name, "uri": first.uri, "nat": first.nat, "symmetric": first.symmetric}]
    listing("trunks", ("name", "uri", "nat", "symmetric"), rows, as_json=as_json, none="There is no trunk.")


@app.command("ping")
def ping(
    uri: Annotated[str | None, typer.Argument(metavar="URI", help="Another one than the configuration's.")] = None, config: Config = None
) -> None:
    """Ask a trunk whether it is there (OPTIONS), 2 seconds long."""
    from ..config import load
    from . import probing

    target = uri or load(file=config).trunk_settings().uri
    found = probing.options(target)
    print(f"{target}: {found.text}")
    if not found.reached:
        raise typer.Exit(1)


@app.command("state")
def state(data: Data = None) -> None:
    """What the running node knows of its trunk."""
    from . import output
    from .client import find

    output.data(find(data).get("/status").get("trunk"))
