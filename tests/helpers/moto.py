"""An S3 of one's own: moto's server, from an environment of its own (`scripts/moto`, or `OUTDIAL_MOTO_SERVER`)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@contextmanager
def moto_server() -> Iterator[str]:
    """Its address. Skips the test where moto is not installed."""
    program = os.environ.get("OUTDIAL_MOTO_SERVER") or str(ROOT / ".venv-moto" / "bin" / "moto_server")
    if not Path(program).exists():
        pytest.skip("moto is not installed; run scripts/moto")
    process = subprocess.Popen(
        ["timeout", "120", program, "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        said = ""
        while (running := re.search(r"Running on (http://127\.0\.0\.1:\d+)", said)) is None:
            line = process.stdout.readline()
            assert line, f"moto did not start: {said}"
            said += line
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield running[1]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        drain.join(5)
        process.stdout.close()
