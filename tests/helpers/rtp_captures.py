"""Captures of RTP that SIPp plays (`play_pcap_audio`): digits as events or as tones, and tones. SIPp changes only addresses."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile

KEYS = "0123456789*#ABCD"
"""Their place is their number in RFC 4733 §3.2."""
RATE = 8000
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
"""ITU-T Q.23."""


def events(digits: str, payload_type: int = 101, ms: int = 100, gap: int = 100) -> list[tuple[float, bytes]]:
    """Keys as telephone events (RFC 4733): moment in seconds and packet."""
    out, number, steps = [], 1000, ms // 20
    for k, digit in enumerate(digits):
        for i, end in [(i, 0) for i in range(1, steps + 1)] + [(steps, 0x80)] * 3:
            header = struct.pack("!BBHII", 0x80, payload_type | (i == 1) << 7, number, 8000 + k * (ms + gap) * 8, 0x0D1A1000)
            out.append(((k * (ms + gap) + i * 20) / 1000, header + struct.pack("!BBH", KEYS.index(digit), end | 10, i * 160)))
            number += 1
    return out


def audio(samples: Any, ptime: int = 20, law: Literal["ULAW", "ALAW"] = "ULAW") -> list[tuple[float, bytes]]:
    """Samples (-1 to 1) as packets of so many milliseconds. libsndfile does the coding."""
    coded = io.BytesIO()
    soundfile.write(coded, np.asarray(samples, dtype=float), RATE, format="RAW", subtype=law)
    data, size = coded.getvalue(), ptime * RATE // 1000
    return [
        (
            n * ptime / 1000,
            struct.pack("!BBHII", 0x80, (0 if law == "ULAW" else 8) | (n == 0) << 7, n + 1, n * size, 0x0D1A2000)
            + data[n * size : (n + 1) * size],
        )
        for n in range(len(data) // size)
    ]


def keys_as_tones(digits: str, ms: int = 100, gap: int = 100) -> Any:
    """Samples of keys pressed, as DTMF (ITU-T Q.23), with silence before, between and after."""
    clock = np.arange(ms * RATE // 1000) / RATE
    silence = np.zeros(gap * RATE // 1000)
    parts: list[Any] = [silence]
    for digit in digits:
        row = next(i for i, keys in enumerate(PAD) if digit in keys)
        pair = LOW[row], HIGH[PAD[row].index(digit)]
        parts += [sum(0.25 * np.sin(2 * np.pi * hertz * clock) for hertz in pair), silence]
    return np.concatenate(parts)


def capture(path: Path, packets: Iterable[tuple[float, bytes]]) -> Path:
    """Write them as a capture of Ethernet."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for at, rtp in packets:
        ip = struct.pack("!BBHHHBBHII", 0x45, 0, 28 + len(rtp), 0, 0, 64, 17, 0, 0x7F000001, 0x7F000001)
        frame = bytes(12) + b"\x08\0" + ip + struct.pack("!HHHH", 5000, 5002, 8 + len(rtp), 0) + rtp
        out.append(struct.pack("<IIII", int(at), round(at % 1 * 1e6), len(frame), len(frame)) + frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(out))
    return path
