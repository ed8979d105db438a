"""Silence and speech, told by the level of each 20 ms (a Watch command)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..model.media import Watch
from .g711 import Samples

_FRAME = 160


class Watcher:
    """Says `silence` or `speech` once each time one of them has lasted; the other re-arms it."""

    def __init__(self, command: Watch) -> None:
        self.command = command
        self._rest = np.zeros(0, dtype=np.int16)
        self._quiet = 0
        self._loud = 0
        self._said: Literal["", "silence", "speech"] = ""

    def feed(self, samples: Samples) -> list[tuple[Literal["silence", "speech"], int]]:
        """Take the next samples; gives what began, with how long it has lasted in ms."""
        audio = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(audio) // _FRAME * _FRAME
        self._rest = audio[whole:]
        out: list[tuple[Literal["silence", "speech"], int]] = []
        if not whole:
            return out
        for level in np.abs(audio[:whole].astype(np.int32)).reshape(-1, _FRAME).mean(axis=1):
            if level < self.command.threshold:
                self._quiet, self._loud = self._quiet + 20, 0
            else:
                self._quiet, self._loud = 0, self._loud + 20
            if self._quiet >= self.command.silence_ms and self._said != "silence":
                self._said = "silence"
                out.append(("silence", self._quiet))
            elif self._loud >= self.command.speech_ms and self._said != "speech":
                self._said = "speech"
                out.append(("speech", self._loud))
        return out
