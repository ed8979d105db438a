"""Virtual environments of other releases, made once a machine, outside of the tree."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path


class CannotInstall(Exception):
    """pip did not get what was wanted (no network, most likely)."""


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment that has exactly these requirements (`name==version`). Raises `CannotInstall`."""
    root = Path(tempfile.gettempdir()) / f"outdial-venvs-py{sys.version_info.major}.{sys.version_info.minor}"
    root.mkdir(exist_ok=True)
    folder = root / "-".join(requirement.replace("==", "-") for requirement in requirements)
    python, done = folder / "bin" / "python", folder / "installed"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run side by side
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=120)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
            result = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
            if result.returncode:
                raise CannotInstall(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "pip failed")
            done.touch()
    return python
