"""`outdial app`: SIP media applications, over the API as any program makes them."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Data, Json, group

app = group("SIP media applications.")


@app.command("ls")
def ls(data: Data = None, as_json: Json = False) -> None:
    """List applications with the function that serves each."""
    from .client import find
    from .output import listing, say

    rows = find(data).get("/applications")["applications"]
    columns = ("id", "name", "function", "state")
    listing("applications", columns, rows, as_json=as_json, none="There are no applications. Make one with `outdial app add NAME`.")
    for row in rows if not as_json else ():
        if row["state"] != "served":
            how = f"serve it with `outdial function add {row['function']} SPEC`" if row["state"] == "unserved" else row["detail"]
            say(f"\n{row['name']}: the function {row['function']} is {row['state']}; {how}")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    function: Annotated[str | None, typer.Option(metavar="NAME", help="The function that serves it; the application's name.")] = None,
    region: Annotated[str, typer.Option(help="Its Region.")] = "us-east-1",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make an application."""
    from . import output
    from .client import find

    node = find(data)
    account = node.get("/config").get("account", "000000000000")
    arn = f"arn:aws:lambda:{region}:{account}:function:{function or name}"
    made = node.ask("POST", "/sip-media-applications", {"AwsRegion": region, "Name": name, "Endpoints": [{"LambdaArn": arn}]})
    row = made["SipMediaApplication"]
    if as_json:
        output.data(row)
    else:
        print(f"{row['SipMediaApplicationId']}  {name}, served by the function {function or name}")


@app.command("rm")
def rm(application: Annotated[str, typer.Argument(metavar="ID|NAME", help="Its id or name.")], data: Data = None) -> None:
    """Delete an application."""
    from .call import choose_application
    from .client import find, path_part

    node = find(data)
    found = choose_application(node, application)
    node.ask("DELETE", f"/sip-media-applications/{path_part(found['id'])}")
    print(f"{found['id']} {found['name']} is deleted.")
