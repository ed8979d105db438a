"""`outdial number`: the inventory of numbers that calls can be made from."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Data, Json, group

app = group("Numbers that calls can be made from.")
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="In E.164: +12065550100.")]


@app.command("ls")
def ls(data: Data = None, as_json: Json = False) -> None:
    """List the numbers owned."""
    from .client import find
    from .output import listing

    rows = find(data).get("/numbers")["numbers"]
    columns = ("e164", "country", "name")
    listing("numbers", columns, rows, as_json=as_json, none="There are no numbers. Add one with `outdial number add +12065550100`.")


@app.command("add")
def add(number: Number, name: Annotated[str, typer.Option(help="A name for it.")] = "", data: Data = None, as_json: Json = False) -> None:
    """Add a number of yours to the inventory."""
    from . import output
    from .client import find

    row = find(data).post("/numbers", {"number": number, "name": name})
    if as_json:
        output.data(row)
    else:
        print(f"{row['e164']} can be called from.")


@app.command("rm")
def rm(number: Number, data: Data = None) -> None:
    """Take a number out of the inventory."""
    from .client import find, path_part

    find(data).delete(f"/numbers/{path_part(number)}")
    print(f"{number} is no longer in the inventory.")
