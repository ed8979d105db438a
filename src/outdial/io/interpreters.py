"""Which program runs a function's handler (DESIGN 6): its own setting, `.venv` beside the file, or the node's; `node` on the path."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ..model.workers import FunctionSpec

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
BOOTSTRAP_NODE = Path(__file__).with_name("bootstrap.mjs")


class CannotRun(Exception):
    """There is nothing to run the handler with, or nothing to run; the text says how to mend it."""


def folder_of(spec: FunctionSpec) -> Path:
    """The handler's folder: its working directory and first import path. Raises `CannotRun` where the target does not exist."""
    target = Path(spec.target).expanduser().absolute()
    if not target.exists():
        raise CannotRun(f"{target} does not exist")
    return target if target.is_dir() else target.parent


def command_line(spec: FunctionSpec, search_path: str | None = None) -> list[str]:
    """The interpreter with our bootstrap. `search_path` is the worker's PATH. Raises `CannotRun`."""
    folder = folder_of(spec)
    if spec.kind == "python":
        beside = folder / ".venv" / "bin" / "python"
        python = _existing(spec, search_path) if spec.interpreter else str(beside) if beside.exists() else sys.executable
        return [python, str(BOOTSTRAP)]
    node = _existing(spec, search_path) if spec.interpreter else shutil.which("node", path=search_path)
    if node is None:
        raise CannotRun("node was not found on the path: install Node 16 or later, or set the function's interpreter")
    return [node, f"--max-old-space-size={spec.memory_mb}", str(BOOTSTRAP_NODE)]


def _existing(spec: FunctionSpec, search_path: str | None) -> str:
    wanted = str(Path(spec.interpreter or "").expanduser())
    found = shutil.which(wanted, path=search_path)
    if found is None:
        raise CannotRun(f"the interpreter {spec.interpreter} of {spec.name} was not found, or may not be executed")
    return found
