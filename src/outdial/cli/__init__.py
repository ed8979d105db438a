"""The command line: one module a command. `main` turns what goes wrong into a sentence, a hint and an exit code."""

from __future__ import annotations

import os
import sys

from ..errors import OutdialError

FAILED, USED_WRONGLY = 1, 2
WRONG_USE = {"bad_argument", "function", "setting", "unknown_setting", "config_file"}
"""Codes that say that the command was used wrongly."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 used wrongly."""
    from .commands import app

    try:
        app()
    except OutdialError as error:
        print(f"{_red('error:')} {error.sentence}\n\nhint: {error.hint}", file=sys.stderr)
        sys.exit(USED_WRONGLY if error.code in WRONG_USE else FAILED)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`); nothing more may be written at the interpreter's end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(FAILED)


def _red(text: str) -> str:
    plain = os.environ.get("NO_COLOR") or not sys.stderr.isatty()
    return text if plain else f"\x1b[31m{text}\x1b[0m"
