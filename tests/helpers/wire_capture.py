"""tshark as a witness: it captures what goes over loopback and dissects it (test-peers section 5)."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

import pytest

CAN_CAPTURE = shutil.which("tshark") is not None and os.geteuid() == 0
needs_capture = pytest.mark.skipif(not CAN_CAPTURE, reason="tshark is not installed (apt-get install tshark), or only root may capture")
WORST = 8388608
"""PI_ERROR: what tshark's experts call an error."""


class WireCapture:
    """`with WireCapture(folder) as wire:` captures UDP on loopback; it can be read after `wire.end()`."""

    def __init__(self, folder: Path, filter: str = "udp", seconds: int = 60) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "wire.pcapng"
        self._said = folder / "tshark.txt"
        self._command = ["timeout", str(seconds), "tshark", "-q", "-i", "lo", "-f", filter, "-w", str(self.file)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> WireCapture:
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        end = time.monotonic() + 20
        while b"Capturing on" not in self._said.read_bytes() or not self.file.exists() or not self.file.stat().st_size:
            assert time.monotonic() < end, self._said.read_text(errors="replace")
            assert self._process.poll() is None, self._said.read_text(errors="replace")
            select.select([], [], [], 0.02)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Stop it, and wait until the file is whole."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)

    def shown(self, display_filter: str, *fields: str, more: tuple[str, ...] = ()) -> list[list[str]]:
        """The packets that a filter lets through; of each these fields, or its line."""
        wanted = ["-T", "fields", *(part for field in fields for part in ("-e", field))] if fields else []
        return [line.split("\t") for line in self._read("-Y", display_filter, *wanted, *more)]

    def streams(self) -> list[str]:
        """tshark's own table of RTP streams: a line for each."""
        return [line for line in self._read("-q", "-z", "rtp,streams") if "0x" in line]

    def _read(self, *more: str) -> list[str]:
        done = subprocess.run(["tshark", "-r", str(self.file), *more], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.splitlines()
