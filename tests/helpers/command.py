"""Running the command line inside the test's process: what it printed, and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from outdial.cli import main
from outdial.errors import OutdialError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    status: int
    out: str
    err: str
    code: str = ""
    """The catalogue's code of the error that ended it."""


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]) -> Ran:
    """Run `outdial ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["outdial", *arguments])
    capsys.readouterr()
    code = ""
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
        code = getattr(end.__context__, "code", "") if isinstance(end.__context__, OutdialError) else ""
    printed = capsys.readouterr()
    return Ran(status=status, out=printed.out, err=printed.err, code=code)
