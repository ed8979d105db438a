"""Every command by its name. What a command needs beyond its options it imports when it runs, so that all start at once."""

from __future__ import annotations

from typing import Annotated

import typer

from . import app_command, call, calls, config_check, demo, doctor, function, key, number, trunk, up, version

app = typer.Typer(
    name="outdial",
    help="Self-hosted programmable voice, wire-compatible with Amazon Chime SDK PSTN audio.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _outdial(
    version_: Annotated[bool, typer.Option("--version", help="Print the version and go.", is_eager=True, callback=version.shown)] = False,
) -> None:
    pass


app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("call")(call.call)
app.add_typer(calls.app, name="calls")
app.add_typer(trunk.app, name="trunk")
app.add_typer(number.app, name="number")
app.add_typer(app_command.app, name="app")
app.add_typer(function.app, name="function")
app.add_typer(key.app, name="key")
app.command("doctor")(doctor.doctor)
app.add_typer(config_check.app, name="config")
app.command("version")(version.version)
