"""The carrier as it runs: a process of its own, by itself, on a free port."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any


class CarrierProcess:
    """`with CarrierProcess(folder) as carrier:`; `carrier.address` is where to call."""

    def __init__(self, folder: Path, *more: str) -> None:
        self._folder = folder
        self._command = [
            *("timeout", "120", sys.executable, "-m", "outdial.cli.carrier", "--sip", "127.0.0.1:0", "--rtp", "24000-25999"),
            *("--cache", str(folder), *more),
        ]
        self.address = ("", 0)

    def __enter__(self) -> CarrierProcess:
        env = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
        self._process = subprocess.Popen(self._command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        first = self._process.stderr.readline()
        host, _, port = first.partition("udp:")[2].partition(";")[0].partition(":")
        assert port, first + self._process.stderr.read()
        self.address = (host, int(port))
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def uri(self, number: str) -> str:
        return f"sip:{number}@{self.address[0]}:{self.address[1]}"

    @property
    def story(self) -> list[dict[str, Any]]:
        """What subscribers did and heard, in order."""
        return [json.loads(line) for line in (self._folder / "carrier.jsonl").read_text().splitlines()[1:]]

    @property
    def told(self) -> list[str]:
        """The same, `what text`."""
        return [f"{line['what']} {line.get('text', '')}".strip() for line in self.story]
