"""baresip as a telephone: it dials or answers, plays a file, and keeps what it hears (test-peers section 2)."""

from __future__ import annotations

import json
import select
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import pytest
import soundfile

from .sipp import free_media_port, free_port

HAVE_BARESIP = shutil.which("baresip") is not None
needs_baresip = pytest.mark.skipif(not HAVE_BARESIP, reason="baresip is not installed (apt-get install baresip)")
RATE = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call was like at baresip's end."""

    output: str
    heard: Any
    """Samples, -1 to 1; empty where nothing was heard."""


def dial(folder: Path, uri: str, says: Any, seconds: int) -> Call:
    """Dial, say these samples (-1 to 1, at 8 kHz) and then nothing, hang up after so many seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = np.concatenate([np.asarray(says, dtype=float), np.zeros(RATE * (seconds + 10))])
    soundfile.write(str(folder / "say.wav"), samples, RATE, subtype="PCM_16")
    first = free_media_port()
    (folder / "contacts").touch()
    (folder / "accounts").write_text(f"<sip:bob@127.0.0.1:{free_port()}>;regint=0;answermode=auto\n")
    settings = [
        f"sip_listen 127.0.0.1:{free_port()}", "net_interface 127.0.0.1", f"rtp_ports {first}-{first + 10}",
        f"audio_source aufile,{folder}/say.wav", f"snd_path {folder}", "module_path /usr/lib/baresip/modules",
        *(f"module {name}.so" for name in ("g711", "aufile", "sndfile")), "module_tmp account.so", "module_app menu.so",
    ]  # fmt: skip
    (folder / "config").write_text("\n".join(settings) + "\n")
    command = ["timeout", str(seconds + 10), "baresip", "-f", str(folder), "-t", str(seconds), "-e", f"d {uri}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    files = sorted(folder.glob("dump-*-dec.wav"))
    heard = soundfile.read(str(files[0]))[0] if files else np.zeros(0)
    return Call(output=done.stdout.decode(errors="replace"), heard=heard)


def level(samples: Any, hertz: float) -> float:
    """The amplitude of one frequency in some samples."""
    if not len(samples):
        return 0.0
    n = np.arange(len(samples))
    return float(2 * np.abs(np.mean(samples * np.exp(-2j * np.pi * hertz * n / RATE))))


class Telephone:
    """A baresip that waits for calls: it says a file, keeps what it hears and says, and does what it is told over its control port."""

    def __init__(self, folder: Path, says: Any, *, number: str, answers: bool = True, codec: str = "pcmu", seconds: int = 60) -> None:
        """`says` is samples (-1 to 1, at 8 kHz), from the beginning of each call; it hangs up where they end. `number` is its own."""
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(str(folder / "say.wav"), np.asarray(says, dtype=float), RATE, subtype="PCM_16")
        (folder / "contacts").touch()
        self._folder, self._seconds = folder, seconds
        self._number = number
        self._mode, self._codec = "auto" if answers else "manual", codec
        self._buffer = b""
        self.events: list[tuple[str, str]] = []
        """(type, parameter) of all that it told."""

    def __enter__(self) -> Telephone:
        for _ in range(3):
            self._start()
            if self._ready():
                return self
        raise AssertionError((self._folder / "said.txt").read_text(errors="replace")[-2000:])

    def _start(self) -> None:
        port, control, first = free_port(), free_port(), free_media_port()
        self.media_ports = (first, first + 20)
        self.address, self._control_port = ("127.0.0.1", port), control
        account = f"@127.0.0.1:{port}>;regint=0;answermode={self._mode};audio_codecs={self._codec}\n"
        (self._folder / "accounts").write_text(f"<sip:{self._number}{account}")
        settings = [
            f"sip_listen 127.0.0.1:{port}", "net_interface 127.0.0.1", f"rtp_ports {first}-{first + 20}",
            f"audio_source aufile,{self._folder}/say.wav", f"snd_path {self._folder}", "module_path /usr/lib/baresip/modules",
            *(f"module {name}.so" for name in ("g711", "aufile", "sndfile")), "module_tmp account.so", "module_app menu.so",
            "module_app ctrl_tcp.so", f"ctrl_tcp_listen 127.0.0.1:{control}",
        ]  # fmt: skip
        (self._folder / "config").write_text("\n".join(settings) + "\n")
        with (self._folder / "said.txt").open("wb") as said:
            self._process = subprocess.Popen(
                ["timeout", str(self._seconds + 5), "baresip", "-f", str(self._folder), "-t", str(self._seconds)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def _ready(self) -> bool:
        end = time.monotonic() + 10
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self._control = socket.create_connection(("127.0.0.1", self._control_port))
                return True
            except ConnectionRefusedError:
                select.select([], [], [], 0.02)
        self._process.kill()
        self._process.wait()
        return False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._control.close()
        self._process.terminate()
        self._process.wait(10)

    def command(self, command: str, params: str = "") -> None:
        """`hangup`, `accept`, `sndcode 5` and so on."""
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def until(self, kind: str, count: int = 1, within: float = 20.0) -> None:
        """Wait until so many events of a type have come since it was started."""
        end = time.monotonic() + within
        while sum(one == kind for one, _ in self.events) < count:
            left = end - time.monotonic()
            assert left > 0, (kind, self.events)
            if select.select([self._control], [], [], left)[0]:
                self._buffer += self._control.recv(65536)
                self._read()

    def _read(self) -> None:
        while (found := self._buffer.partition(b":"))[1] and len(found[2]) > int(found[0]):
            item = json.loads(found[2][: int(found[0])])
            self._buffer = found[2][int(found[0]) + 1 :]
            if item.get("event"):
                self.events.append((str(item.get("type", "")), str(item.get("param", ""))))

    @property
    def digits(self) -> str:
        """The keys that it was sent."""
        return "".join(param for kind, param in self.events if kind == "CALL_DTMF_START")

    def kept(self, what: Literal["heard", "said"]) -> list[Any]:
        """Samples (-1 to 1) of each call so far, in order."""
        files = sorted(self._folder.glob("dump-*-dec.wav" if what == "heard" else "dump-*-enc.wav"))
        return [soundfile.read(str(file))[0] for file in files]
