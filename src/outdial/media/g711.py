"""G.711 (ITU-T G.711, µ-law and A-law): tables between octets and 16-bit samples.

Theory of operation. The decoding tables follow the standard's segments; an encoding table of 65,536 octets has the nearest code for each
sample, so that numpy encodes by look-up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.media import Codec

Samples = NDArray[np.int16]


def _ulaw(code: int) -> int:
    """ITU-T G.711 table 2, scaled from 14 to 16 bits."""
    code = ~code & 0xFF
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw(code: int) -> int:
    """ITU-T G.711 table 1, scaled from 13 to 16 bits."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << exponent - 1
    return magnitude if code & 0x80 else -magnitude


def _encoding(values: Samples) -> NDArray[np.uint8]:
    """The code of each 16-bit pattern: nearest value; where two codes mean one value (µ-law's zeros), the positive one."""
    order = np.argsort(values, kind="stable")
    ordered = values[order].astype(np.int32)
    samples = np.arange(-32768, 32768, dtype=np.int32)
    right = np.clip(np.searchsorted(ordered, samples), 1, len(ordered) - 1)
    left = right - 1
    nearer_left = samples - ordered[left] < ordered[right] - samples
    codes = order[np.where(nearer_left, left, right)].astype(np.uint8)
    for code in range(256):
        if values[code] == 0 and code & 0x80:
            codes[32768] = code
    return np.concatenate([codes[32768:], codes[:32768]])


_VALUES: dict[Codec, Samples] = {
    "PCMU": np.array([_ulaw(code) for code in range(256)], dtype=np.int16),
    "PCMA": np.array([_alaw(code) for code in range(256)], dtype=np.int16),
}
_CODES: dict[Codec, NDArray[np.uint8]] = {codec: _encoding(values) for codec, values in _VALUES.items()}
SILENCE: dict[Codec, int] = {"PCMU": 0xFF, "PCMA": 0xD5}
"""The code of the smallest positive value."""


def decode(codec: Codec, octets: bytes) -> Samples:
    """One 16-bit sample an octet."""
    return _VALUES[codec][np.frombuffer(octets, dtype=np.uint8)]


def encode(codec: Codec, samples: NDArray[Any]) -> bytes:
    """One octet a 16-bit sample."""
    return _CODES[codec][samples.astype(np.int16, copy=False).view(np.uint16)].tobytes()
