"""A node as a person starts it: `outdial up` in a process of its own, on free ports."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

START = "from outdial.cli import main; main()"
HANDLER = '''
"""Answers with what the called number asks for, by the first argument."""


def handler(event, context):
    kind, action = event["InvocationEventType"], event.get("ActionData") or {}
    if kind == "CALL_ANSWERED":
        return {"SchemaVersion": "1.0", "Actions": [{"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}]}
    return {"SchemaVersion": "1.0", "Actions": []}
'''


class NodeProcess:
    """`with NodeProcess(folder) as node:`; ready when it has said so."""

    def __init__(self, folder: Path, *more: str, environment: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.handler = folder / "handler.py"
        self.handler.write_text(HANDLER)
        self._command = [
            *("timeout", "-s", "KILL", "180", sys.executable, "-c", START, "up", "--data", str(self.data), "--http", "127.0.0.1:0"),
            *("--sip", "127.0.0.1:0", "--rtp", "26000-27999", "--set", "carrier=127.0.0.1:0", "--set", "carrier_rtp=28000-29999"),
            *("--function", f"tested=python:{self.handler}:handler", *more),
        ]
        self._environment = dict(environment or {})
        self._folder = folder
        self.said: list[str] = []

    def __enter__(self) -> NodeProcess:
        env = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/local/bin:/usr/bin:/bin", **self._environment}
        self.process = subprocess.Popen(
            self._command, env=env, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if line.startswith("Try:"):
                break
        else:
            raise AssertionError("the node ended:\n" + "\n".join(self.said))
        self._rest = threading.Thread(target=self._read, daemon=True)
        self._rest.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.end()
        self._rest.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and wait until it has; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(40)

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait for something, 20 seconds at most."""
        pause = threading.Event()
        for _ in range(1000):
            if reached():
                return
            pause.wait(0.02)
        raise TimeoutError("\n".join(self.said))

    @property
    def facts(self) -> dict[str, Any]:
        """What `node.json` says."""
        found: dict[str, Any] = json.loads((self.data / "node.json").read_text())
        return found

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())
