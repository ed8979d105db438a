"""The pytest plugin, as somebody uses it who tests a handler of their own: the examples, and what a failure looks like."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"


def pytest_in(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "src"), str(folder)])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--rootdir",
        str(folder),
        str(folder),
        *more,
    ]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120, check=False
    )


def copied(folder: Path) -> Path:
    for file in (*(EXAMPLES / "testing").iterdir(), EXAMPLES / "handlers" / "reminder.py"):
        if file.is_file():
            shutil.copy(file, folder)
    return folder


def test_the_examples_pass_and_a_handler_that_changed_fails_with_its_ladder(tmp_path: Path) -> None:
    good = pytest_in(copied(tmp_path))
    assert good.returncode == 0, good.stdout + good.stderr
    assert "4 passed" in good.stdout
    handler = tmp_path / "reminder.py"
    handler.write_text(handler.read_text().replace('"Repeat": 3', '"Repeat": 2').replace("We have noted that.", "Noted."))
    bad = pytest_in(tmp_path)
    assert bad.returncode == 1
    assert "1 failed, 3 passed" in bad.stdout
    assert "the handler answered" in bad.stdout
    assert "us > handler     CALL_ANSWERED seq=3" in bad.stdout
    assert "Traceback" not in bad.stdout


def test_a_handler_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "test_reminder.py").unlink()
    scenarios = folder / "reminder.ladder"
    scenarios.write_text(scenarios.read_text().replace("reminder.handler", "reminder.no_such"))
    bad = pytest_in(folder)
    assert "the handler reminder.no_such cannot be imported" in bad.stdout
