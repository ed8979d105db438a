"""linphone as a telephone that answers: it plays a file and records what it hears (test-peers section 3).

`scripts/peers` does not install it.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import soundfile

from .sipp import free_media_port, free_port

HAVE_LINPHONE = shutil.which("linphonec") is not None
needs_linphone = pytest.mark.skipif(not HAVE_LINPHONE, reason="linphone is not installed (apt-get install linphone-cli, 136 MB)")


class Linphone:
    """`with Linphone(folder, samples) as phone:` waits until it listens; `tell("terminate")` and the like."""

    def __init__(self, folder: Path, says: Any, seconds: int = 60) -> None:
        (folder / "home" / ".local" / "share" / "linphone").mkdir(parents=True)
        soundfile.write(str(folder / "say.wav"), says, 8000, subtype="PCM_16")
        self._folder, self._seconds = folder, seconds
        port = free_port()
        self.address = ("127.0.0.1", port)
        (folder / "rc").write_text(
            f"[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\nverify_server_certs=0\n"
            f"[rtp]\naudio_rtp_port={free_media_port()}\n[net]\nfirewall_policy=0\n"
        )

    def __enter__(self) -> Linphone:
        command = ["timeout", str(self._seconds), "linphonec", "-c", "rc", "-a", "-d", "1", "-l", "linphone.log"]
        with (self._folder / "said.txt").open("wb") as said:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env={**os.environ, "HOME": str(self._folder / "home")},
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
            )
        for line in ("soundcard use files", "play say.wav", "record heard.wav"):
            self.tell(line)
        self.until(self._listens, "its port")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        # It binds all addresses, of both families.
        wanted = f":{self.address[1]:04X} "
        return any(wanted in table.read_text() for table in (Path("/proc/net/udp"), Path("/proc/net/udp6")) if table.exists())

    def tell(self, line: str) -> None:
        """A command of its prompt."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    @property
    def said(self) -> str:
        return (self._folder / "said.txt").read_text(errors="replace")

    def until(self, reached: Any, what: str, within: float = 20.0) -> None:
        end = time.monotonic() + within
        while not reached():
            assert time.monotonic() < end, f"waited for {what}: {self.said[-2000:]}"
            assert self._process.poll() is None, self.said[-2000:]
            select.select([], [], [], 0.02)

    @property
    def heard(self) -> Any:
        """What it recorded, at 8 kHz (it may use another rate: then every so many samples)."""
        samples, rate = soundfile.read(str(self._folder / "heard.wav"))
        return samples, rate
