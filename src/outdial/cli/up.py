"""`outdial up`: a node in the foreground."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import OutdialError

Flag = Annotated[str | None, typer.Option(show_default=False)]


def up(
    data: Annotated[Path | None, typer.Option(help="Folder for all that is kept (./outdial-data).", show_default=False)] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (./outdial.toml, where there is one).", show_default=False)] = None,
    http: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where the API listens (127.0.0.1:8060).")] = None,
    sip: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where SIP listens (127.0.0.1:5060).")] = None,
    rtp: Annotated[str | None, typer.Option(metavar="FROM-TO", help="Ports for audio (10000-19999).")] = None,
    advertise: Annotated[str | None, typer.Option(metavar="ADDRESS", help="This machine's address as the trunk sees it.")] = None,
    trunk: Annotated[list[str] | None, typer.Option(metavar="URI", help="Where calls go out; none: the built-in carrier.")] = None,
    function: Annotated[list[str] | None, typer.Option(metavar="NAME=SPEC", help="What serves a handler.")] = None,
    s3: Annotated[str | None, typer.Option(metavar="URL", help="An S3-compatible store for buckets.")] = None,
    carrier: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where the built-in carrier listens (127.0.0.1:5070).")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other setting.")] = None,
) -> None:
    """Start a node here; Ctrl-C ends it when its calls have ended, twice at once."""
    from ..config import load

    flags: dict[str, Any] = {
        "data": data, "http": http, "sip": sip, "rtp": rtp, "advertise": advertise, "s3": s3, "carrier": carrier,
        "trunk": tuple(trunk) if trunk else None,
        "function": pairs("--function", function or [], "NAME=SPEC", "reminder=python:handlers/reminder.py:handler") or None,
    }  # fmt: skip
    flags |= pairs("--set", set_ or [], "NAME=VALUE", "ring_timeout=30s")
    run(load(flags, file=config))


def pairs(argument: str, given: list[str], wanted: str, example: str) -> dict[str, str]:
    """`NAME=VALUE` arguments as a dictionary. Raises `OutdialError` for one that is none."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise OutdialError(
                "bad_argument", argument=argument, value=f'"{text}"', wanted=wanted, mend=f"Write for example {argument} {example}."
            )
        found[name.strip()] = value.strip()
    return found


def run(config: Any) -> None:
    """Be the node until it ends."""
    check_holder(config.data)
    live = import_module("outdial.node.live")
    sys.exit(live.run(config, lambda node: announce(config, node.addresses, node.store.resources)))


def check_holder(data: Path) -> None:
    """Raise `OutdialError` (`data_locked`) where another node holds the folder."""
    from ..store.folder import Layout

    try:
        holder = Layout(data).holder()
    except OSError:
        return  # who cannot read the lock is told by who takes it
    if holder is not None:
        raise OutdialError("data_locked", folder=data, pid=holder)


def announce(config: Any, facts: Mapping[str, Any], resources: Any) -> None:
    """Tell what the node listens on and what to try; `facts` are those of node.json, `resources` what it keeps."""
    from .. import __version__
    from .output import say

    http = str(facts.get("http") or f"http://{config.http}")
    if config.builtin_carrier:
        trunk = f"the built-in carrier at {facts.get('carrier') or config.carrier}: +12065550150 to +12065550199"
    else:
        trunk = config.trunk[0].uri
    keys = "outdial / outdial, on this machine only" if config.http.loopback else f"those in {Path(config.data).absolute() / 'keys.json'}"
    say(f"Outdial {__version__}")
    for name, value in (
        ("API", http if "://" in http else f"http://{http}"),
        ("SIP", f"{facts.get('sip') or config.sip} (UDP)"),
        ("RTP", config.rtp),
        ("trunk", trunk),
        ("data", Path(config.data).absolute()),
        ("keys", keys),
    ):
        say(f"  {name:<6} {value}")
    say(f"Try:     {_try(config, resources)}")


def _try(config: Any, resources: Any) -> str:
    """One line that works as it stands."""
    from .client import folder_of

    if not config.builtin_carrier:
        return "outdial doctor"
    steps = []
    if not resources.numbers.list(limit=1):
        steps.append("outdial number add +12065550100")
    if not resources.applications.list(limit=1):
        if not config.function:
            return "outdial demo      (a first call, on a node of its own)"
        steps.append(f"outdial app add {next(iter(config.function))}")
    there = "" if config.data == folder_of(None) else f" --data {config.data}"
    return " && ".join(f"{step}{there}" for step in [*steps, "outdial call +12065550150"])
