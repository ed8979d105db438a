"""Environments of other releases and languages, made once a machine, outside of the tree."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotInstall(Exception):
    """What was wanted could not be had (no network, most likely)."""


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment that has exactly these requirements (`name==version`). Raises `CannotInstall`."""
    with _folder(f"py{sys.version_info.major}.{sys.version_info.minor}", requirements) as folder:
        python = folder / "bin" / "python"
        if not folder.exists():
            _run(sys.executable, "-m", "venv", str(folder))
            _install(folder, str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
        return python


def node_with(*requirements: str) -> Path:
    """A folder whose scripts can import these packages (`name@version`). Raises `CannotInstall`."""
    if shutil.which("npm") is None:
        raise CannotInstall("there is no npm")
    with _folder("node", requirements) as folder:
        if not folder.exists():
            folder.mkdir()
            _install(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *requirements)
        return folder


@contextmanager
def _folder(kind: str, requirements: tuple[str, ...]) -> Iterator[Path]:
    """Where an environment stands, for one process at a time: tests may run side by side."""
    root = Path(tempfile.gettempdir()) / f"outdial-environments-{os.getuid()}"
    root.mkdir(exist_ok=True)
    name = "-".join((kind, *requirements)).replace("==", "-").replace("/", "-")
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield root / name


def _install(folder: Path, *command: str) -> None:
    try:
        _run(*command)
    except CannotInstall:
        shutil.rmtree(folder)
        raise


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"{command[0]} took longer than 300 seconds") from None
    if done.returncode:
        raise CannotInstall(((done.stderr or done.stdout).strip() or f"{command[0]} failed").splitlines()[-1])
