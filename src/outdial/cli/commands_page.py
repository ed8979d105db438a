"""Every command and option as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from .commands import app


def commands_page() -> str:
    """One section a command, in the order of `outdial --help`."""
    out = [
        "# Commands",
        "",
        "Data goes to standard output, the rest to standard error; `--json` stands wherever something is listed, `NO_COLOR` is honoured.",
        "The exit status is 0, 1 (failed) or 2 (used wrongly). Commands find a node by `--data DIR`, then `OUTDIAL_DATA`, then",
        "`./outdial-data`; `calls` also reads the folder of a node that does not run.",
        "",
    ]
    for path, command in _all(get_command(app), ()):
        arguments = [_shape(one) for one in command.params if one.param_type_name == "argument"]
        options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
        out += [f"## `{' '.join(['outdial', *path, *arguments])}`", "", _text(command), ""]
        if options:
            out += ["| option | what it does |", "|---|---|"]
            out += [f"| `{_option(one)}` | {(one.help or '').strip()} |" for one in options]
            out.append("")
    return "\n".join(out)


def _all(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in command.commands.items():
        if hasattr(one, "commands"):
            yield from _all(one, (*path, name))
        else:
            yield (*path, name), one


def _shape(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def _option(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper().rstrip('_')}"
    return f"{', '.join(option.opts)}{value}".replace("|", "\\|")


def _text(command: Any) -> str:
    return " ".join((command.help or "").split())
