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
    modules = "".join(f"module {name}.so\n" for name in ("g711", "aufile", "sndfile"))
    (folder / "config").write_text(
        f"sip_listen 127.0.0.1:{free_port()}\nnet_interface 127.0.0.1\nrtp_ports {first}-{first + 10}\n"
        f"audio_source aufile,{folder}/say.wav\nsnd_path {folder}\nmodule_path /usr/lib/baresip/modules\n{modules}module_tmp account.so\nmodule_app menu.so\n"
    )
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
