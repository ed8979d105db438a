"""The carrier as it runs: a process of its own, by itself, on a free port."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil


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
        self.process = subprocess.Popen(self._command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        first = self.process.stderr.readline()
        host, _, port = first.partition("udp:")[2].partition(";")[0].partition(":")
        assert port, first + self.process.stderr.read()
        self.address = (host, int(port))
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def until(self, what: str) -> None:
        """Wait until a subscriber has done or heard this, 20 seconds at most."""
        self._await(lambda: any(line.get("what") == what for line in self.story), what)

    def until_process(self, module: str, *, other_than: int) -> None:
        """Wait until a child runs this module, another one than that."""
        me = psutil.Process(self.process.pid)
        self._await(lambda: any(child.pid != other_than and module in child.cmdline() for child in me.children(recursive=True)), module)

    def _await(self, reached: Callable[[], bool], what: str) -> None:
        pause = threading.Event()
        for _ in range(1000):
            try:
                if reached():
                    return
            except psutil.Error:  # a child that has just ended
                pass
            pause.wait(0.02)
        raise TimeoutError(f"{what} did not come: {self.told}")

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
