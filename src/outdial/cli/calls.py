"""`outdial calls ls|show|trace`: read from the data folder, whether a node runs on it or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import OutdialError
from .options import Data, Json, group

app = group("Calls on record.")
Which = Annotated[str, typer.Argument(metavar="CALL", help="The call's id, or how it begins; `last` for the newest.")]


Full = Annotated[bool, typer.Option("--full", help="Show telephone numbers whole.")]


@app.command("ls")
def ls(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    reason: Annotated[str | None, typer.Option(help="Only those that ended so: busy, no_answer, handler_failed …")] = None,
    number: Annotated[str | None, typer.Option(help="Only those to or from this number.")] = None,
    full: Full = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List calls, newest first."""
    from ..console.call_list import call_list
    from ..store.read import Filter, listed
    from . import output

    with database(data) as connection:
        summaries = listed(connection, limit=limit, which=Filter(reason=reason, number=number))
    if as_json:
        output.data({"calls": summaries})
    elif summaries:
        print(call_list(summaries, width=output.width(), full=full, zone=None), end="")
    else:
        output.say("There are no such calls. Place one with `outdial call NUMBER`.")


@app.command("show")
def show(call: Which, full: Full = False, data: Data = None, as_json: Json = False) -> None:
    """Show one call: its events, its handler's replies and output, its recordings, how it ended and what to do about it."""
    from ..console.call_story import call_story
    from ..errors import TERMINATIONS
    from . import output

    history = history_of(call, data)
    if as_json:
        output.data(history)
        return
    print(call_story(history, width=output.width(), full=full, zone=None), end="")
    if history.ended is not None and history.ended.termination.result == "failure":
        print(f"\nhint: {TERMINATIONS[history.ended.termination.reason].hint}")


@app.command("trace")
def trace(call: Which, full: Full = False, data: Data = None) -> None:
    """Draw the ladder of one call: SIP, events and actions side by side, with times."""
    from ..console.ladder import ladder
    from . import output

    print(ladder(history_of(call, data), width=output.width(), full=full, zone=None), end="")


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
