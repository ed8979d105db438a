"""`outdial calls ls|show|trace`: read from the data folder, whether a node runs on it or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import OutdialError
from .options import Data, Json, group

app = group("Calls on record.")
Which = Annotated[str, typer.Argument(metavar="CALL", help="The call's id, or how it begins; `last` for the newest.")]


@app.command("ls")
def ls(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List calls, newest first."""
    from ..model.numbers import masked
    from ..store.read import listed
    from . import output

    with database(data) as connection:
        summaries = listed(connection, limit=limit)
    if as_json:
        output.data({"calls": summaries})
        return
    rows = []
    for summary in summaries:
        call, cdr = summary.call, summary.cdr
        rows.append(
            {
                "call": call.call,
                "started": when(call.started_at),
                "from": masked(call.from_),
                "to": masked(call.to),
                "seconds": None if cdr is None else f"{(cdr.ended_at - cdr.started_at) / 1000:.1f}",
                "end": "in progress" if summary.state == "in_progress" else cdr.termination.reason if cdr else "ended",
            }
        )
    columns = ("call", "started", "from", "to", "seconds", "end")
    output.listing("calls", columns, rows, as_json=False, none="There are no calls yet. Place one with `outdial call NUMBER`.")


@app.command("show")
def show(call: Which, data: Data = None, as_json: Json = False) -> None:
    """Show one call: its events, actions, handler, recordings and end."""
    from . import output
    from .telling import Teller

    history = history_of(call, data)
    if as_json:
        output.data(history)
        return
    teller = Teller()
    start = history.call.started_at
    print(output.bold(f"call {history.call.call}"))
    for said in sorted((line for record in in_order(history) for line in teller.tell(record)), key=lambda line: line.at):
        print(f"{(said.at - start) / 1000:9.3f}  {said.who:<8} {said.text}")
    for recording in history.recordings:
        print(f"\nrecording  {recording.path}\n           {recording.bucket}/{recording.key}{_delivery(recording)}")
    if history.cdr is not None:
        cdr = history.cdr
        print(
            f"\nbillable   {cdr.billable_seconds} s\npackets    {cdr.packets_sent} sent, {cdr.packets_received} received, {cdr.lost} lost, "
            f"jitter {cdr.jitter_ms:.1f} ms"
        )
        if cdr.termination.result == "failure":
            from ..errors import TERMINATIONS

            print(f"\nhint: {TERMINATIONS[cdr.termination.reason].hint}")


@app.command("trace")
def trace(call: Which, data: Data = None) -> None:
    """Draw the ladder of one call: SIP, events and actions side by side, with times."""
    ladder = import_module("outdial.console.ladder")
    print(ladder.draw(history_of(call, data)))


def when(at: int) -> str:
    """Epoch milliseconds as local time."""
    from datetime import datetime

    return f"{datetime.fromtimestamp(at / 1000):%Y-%m-%d %H:%M:%S}"


def in_order(history: Any) -> list[Any]:
    """A call's records in the order of their happening."""
    from ..api.admin.calls import in_order as ordered

    return ordered(history)


@contextmanager
def database(data: Path | None) -> Iterator[Any]:
    """A connection that reads the folder's database. Raises `OutdialError` (`no_data`) where there is none."""
    from ..store.folder import Layout
    from ..store.read import engine
    from .client import folder_of

    folder = folder_of(data)
    path = Layout(folder).database
    if not path.exists():
        raise OutdialError("no_data", folder=folder)
    readers = engine(path)
    try:
        with readers.connect() as connection:
            yield connection
    finally:
        readers.dispose()


def history_of(call: str, data: Path | None) -> Any:
    """All that is on record about the call that is meant. Raises `OutdialError` (`no_such`, `several`)."""
    from ..store.read import find, history, listed

    with database(data) as connection:
        if call == "last":
            found = [summary.call.call for summary in listed(connection, limit=1)]
        else:
            found = find(connection, call.lower())
        if not found:
            raise OutdialError("no_such", kind="call", name=call, list="outdial calls ls")
        if len(found) > 1:
            raise OutdialError("several", name=call, count=len(found), kind="call", some=", ".join(id[:8] for id in found))
        return history(connection, found[0])


def _delivery(recording: Any) -> str:
    if recording.delivered:
        return ""
    return f" (not delivered yet{': ' + recording.error if recording.error else ''})"
