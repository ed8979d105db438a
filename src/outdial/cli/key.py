"""`outdial key`: access keys. The first one can be made before the node has ever run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .options import Data, Json, group

app = group("Access keys for the API.")


@app.command("ls")
def ls(data: Data = None, as_json: Json = False) -> None:
    """List keys, without their secrets."""
    from .client import find
    from .output import listing

    rows = find(data).get("/keys")["keys"]
    none = "There are no keys; outdial / outdial works on this machine only. Make one with `outdial key create`."
    listing("keys", ("id", "label", "account", "active"), rows, as_json=as_json, none=none)


@app.command("create")
def create(label: Annotated[str, typer.Option(help="What it is for.")] = "", data: Data = None, as_json: Json = False) -> None:
    """Make a key; its secret is shown now and never again."""
    from . import output
    from .client import folder_of, running

    node = running(data)
    row = node.post("/keys", {"label": label}) if node is not None else _without_node(folder_of(data), label)
    if as_json:
        output.data(row)
    else:
        output.facts([("AWS_ACCESS_KEY_ID", row["id"]), ("AWS_SECRET_ACCESS_KEY", row["secret"])])


@app.command("rm")
def rm(key: Annotated[str, typer.Argument(help="Its id.")], data: Data = None) -> None:
    """Delete a key; requests signed with it are refused from now on."""
    from .client import find, path_part

    find(data).delete(f"/keys/{path_part(key)}")
    print(f"{key} is deleted.")


def _without_node(folder: Any, label: str) -> dict[str, Any]:
    """Make a key in a folder on which no node runs."""
    import asyncio

    from ..api.keys import make_key
    from ..config import load
    from ..errors import DataFolderError
    from ..io.clock import Wall, now
    from ..io.ids import LiveIds
    from ..store.folder import Folder, FolderError
    from ..store.store import Store

    try:
        held = Folder.hold(folder)
    except FolderError as error:
        raise DataFolderError(str(error), error.hint) from None
    try:
        try:
            store = Store.open(held.database)
        except FolderError as error:
            raise DataFolderError(str(error), error.hint) from None
        try:
            row = make_key(LiveIds(), load().account, label, Wall()(now()))
            asyncio.run(store.resources.keys.create(row))
        finally:
            store.close()
    finally:
        held.release()
    return {"id": row.id, "secret": row.secret, "account": row.account, "label": row.label}
