"""`outdial function`: what serves handlers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .options import Data, Json, group

app = group("Functions: what serves the handlers of applications.")
Name = Annotated[str, typer.Argument(help="The function's name, as in the application's LambdaArn.")]


@app.command("ls")
def ls(data: Data = None, as_json: Json = False) -> None:
    """List functions and their state."""
    from .client import find
    from .output import listing

    rows = find(data).get("/functions")["functions"]
    shown = rows if as_json else [row | {"serves": _serves(row.get("spec"))} for row in rows]
    columns = ("name", "state", "serves", "detail")
    none = "There are no functions. Serve one with `outdial function add NAME python:PATH.py:HANDLER`."
    listing("functions", columns, shown, as_json=as_json, none=none)


@app.command("add")
def add(
    name: Name,
    spec: Annotated[str, typer.Argument(help="python:PATH.py:NAME, python:FOLDER:MODULE.NAME, node:…, or http(s)://…")],
    data: Data = None,
) -> None:
    """Serve a function, in place of what served it."""
    from ..config import function_spec
    from ..model.ids import FunctionName
    from .client import find, path_part

    known = function_spec(FunctionName(name), spec)
    whole = known.target if known.kind == "http" else f"{known.kind}:{known.target}:{known.handler}"
    _tell(find(data).put(f"/functions/{path_part(name)}", {"spec": whole}))


@app.command("reload")
def reload(name: Name, data: Data = None) -> None:
    """Start new workers from the files as they are now."""
    from .client import find, path_part

    _tell(find(data).post(f"/functions/{path_part(name)}/reload"))


def _tell(row: dict[str, Any]) -> None:
    print(f"{row['name']} is {row['state']}{': ' + row['detail'] if row.get('detail') else ''}")
    if row["state"] == "broken":
        raise typer.Exit(1)


def _serves(spec: Any) -> str:
    if not isinstance(spec, dict):
        return str(spec or "-")
    if spec.get("kind") == "http":
        return str(spec.get("target"))
    return f"{spec.get('kind')}:{spec.get('target')}:{spec.get('handler', '')}"
