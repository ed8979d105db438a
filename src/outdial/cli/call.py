"""`outdial call`: place a call over the API and follow it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..errors import OutdialError
from .options import Data, Json


def call(
    to: Annotated[str, typer.Argument(metavar="NUMBER", help="Whom to call, in E.164: +12065550150.")],
    from_: Annotated[str | None, typer.Option("--from", metavar="NUMBER", help="The number called from; the first one owned.")] = None,
    application: Annotated[str | None, typer.Option("--app", metavar="ID|NAME", help="The application; the only one there is.")] = None,
    argument: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Goes into ArgumentsMap.")] = None,
    header: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A SIP header (X-…, User-to-User).")] = None,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Print the call's id and go.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Place a call and follow it to its end; exits 1 where it fails."""
    from .client import find, path_part
    from .output import data as print_json
    from .up import pairs

    node = find(data)
    app = choose_application(node, application)
    body: dict[str, Any] = {"FromPhoneNumber": from_ or first_number(node), "ToPhoneNumber": to}
    if argument:
        body["ArgumentsMap"] = pairs("--argument", argument, "NAME=VALUE", "name=Ada")
    if header:
        body["SipHeaders"] = pairs("--header", header, "NAME=VALUE", "X-Order=17")
    placed = node.ask("POST", f"/sip-media-applications/{path_part(app['id'])}/calls", body)
    id = placed["SipMediaApplicationCall"]["TransactionId"]
    if no_follow:
        if as_json:
            print_json({"call": id})
        else:
            print(id)
        return
    raise typer.Exit(follow(node, id, as_json))


def choose_application(node: Any, wanted: str | None) -> dict[str, Any]:
    """The application of that id or name, or the only one. Raises `OutdialError` (`no_such`, `several`)."""
    known: list[dict[str, Any]] = node.get("/applications")["applications"]
    found = [app for app in known if wanted in (None, app["id"], app["name"])]
    if not found:
        raise OutdialError("no_such", kind="application", name=wanted or "yet: make one with `outdial app add`", list="outdial app ls")
    if len(found) > 1:
        some = ", ".join(f"--app {app['id']} ({app['name']})" for app in found[:3])
        raise OutdialError("several", name=wanted or "No --app", count=len(found), kind="application", some=some)
    return found[0]


def first_number(node: Any) -> str:
    """The first number owned. Raises `OutdialError` where there is none."""
    known = node.get("/numbers")["numbers"]
    if not known:
        raise OutdialError("no_such", kind="number", name="to call from yet: add one with `outdial number add`", list="outdial number ls")
    return str(known[0]["e164"])


def follow(node: Any, id: str, as_json: bool = False) -> int:
    """Tell a call as it happens; the exit status that its end means."""
    import msgspec

    from ..console.told import Teller
    from ..model.records import CallEnded, Record
    from .client import path_part
    from .output import say

    decoder = msgspec.json.Decoder(Record)
    teller = Teller()
    status = 1
    try:
        for line in node.lines(f"/calls/{path_part(id)}/follow"):
            record: Any = decoder.decode(line)
            for told in [line.decode().rstrip()] if as_json else teller.tell(record):
                print(told, flush=True)
            if isinstance(record, CallEnded):
                status = 0 if record.termination.result == "success" else 1
    except KeyboardInterrupt:
        say(f"\nThe call goes on; `outdial calls show {id[:8]}` shows it.")
    return status
