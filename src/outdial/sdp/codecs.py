"""Payload types and what they stand for: `rtpmap`, `fmtp`, the static numbers of RFC 3551, and packet times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .description import Media

Codec = Literal["PCMU", "PCMA"]
CODECS: dict[str, Codec] = {"PCMU": "PCMU", "PCMA": "PCMA"}
"""What we speak, by name in capitals (encoding names are case-insensitive, RFC 4855 §3)."""
STATIC_NUMBERS: dict[Codec, int] = {"PCMU": 0, "PCMA": 8}
EVENT = "TELEPHONE-EVENT"
EVENT_NUMBER = 101
EVENT_RANGE = "0-15"
"""The sixteen keys of RFC 4733 §3.2."""

STATIC = {0: "PCMU", 3: "GSM", 4: "G723", 5: "DVI4", 7: "LPC", 8: "PCMA", 9: "G722", 12: "QCELP", 13: "CN", 15: "G728", 18: "G729"}
"""RFC 3551 §6, those of one channel at 8,000 Hz."""

_RTPMAP = re.compile(r"(\d{1,3})\s+([^\s/]+)\s*/\s*(\d{1,6})(?:\s*/\s*(\d{1,2}))?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One payload type of an `m=` line."""

    number: int
    name: str
    """In capitals; empty where nothing says what it is."""
    rate: int = 8000
    channels: int = 1
    parameters: str = ""
    """The value of its `a=fmtp`."""

    @property
    def codec(self) -> Codec | None:
        """The codec of ours that it stands for, or None."""
        return CODECS.get(self.name) if self.rate == 8000 and self.channels == 1 else None

    @property
    def is_event(self) -> bool:
        """Telephone events on the audio's clock: of several rates only this one goes with G.711 (RFC 4733 §2.1)."""
        return self.name == EVENT and self.rate == 8000

    def __str__(self) -> str:
        return f"{self.number} ({self.name}/{self.rate})" if self.name else str(self.number)


def formats(media: Media) -> tuple[Format, ...]:
    """The payload types of an RTP medium in order of preference; what is no payload type is left out."""
    named: dict[int, re.Match[str]] = {}
    for value in media.attributes("rtpmap"):
        found = _RTPMAP.fullmatch(value)
        if found is not None:
            named.setdefault(int(found[1]), found)
    parameters: dict[str, str] = {}
    for value in media.attributes("fmtp"):
        key, _, rest = value.partition(" ")
        parameters.setdefault(key, rest.strip())
    out = []
    for text in media.formats:
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 127):
            continue
        number = int(text)
        found = named.get(number)
        if found is None:
            out.append(Format(number=number, name=STATIC.get(number, ""), parameters=parameters.get(text, "")))
        else:
            out.append(
                Format(
                    number=number,
                    name=found[2].upper(),
                    rate=int(found[3]),
                    channels=int(found[4] or 1),
                    parameters=parameters.get(text, ""),
                )
            )
    return tuple(out)


def packet_time(media: Media) -> int:
    """Milliseconds a packet that we send to this medium: its `a=ptime` in tens from 10 to 60, within its `a=maxptime`, else 20."""
    wanted = _milliseconds(media.attribute("ptime"))
    most = _milliseconds(media.attribute("maxptime"))
    ptime = wanted if wanted is not None and 10 <= wanted <= 60 and wanted % 10 == 0 else 20
    if most is not None and ptime > most:
        ptime = max(10, min(20, most // 10 * 10))
    return ptime


def _milliseconds(value: str | None) -> int | None:
    # Some devices write "20.0" (RFC 8866 §6.4 allows a fraction).
    found = re.match(r"\d{1,5}", value or "")
    return int(found[0]) if found is not None else None
