"""baresip as a telephone: it dials, plays a file, and keeps what it hears (test-peers section 2)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
