from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command import Ran, run


@pytest.fixture
def outdial(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """The command line, in an empty folder, with none of our variables set."""
    for name in [name for name in os.environ if name.startswith("OUTDIAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(capsys, monkeypatch, [str(argument) for argument in arguments])
