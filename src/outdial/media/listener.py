"""Everything that hears what arrives on a stream: recordings, silence and speech, tones. It exists only while somebody listens.

Theory of operation. Packets are placed on the local clock; what lies `DELAY` behind it is read and given to all, by 20 ms where one of
them must know soon, else by 200 ms. So each hears the same samples, as many as the clock says, whatever the network did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..model.ids import CommandId
from ..model.media import Codec
from ..rtp.placement import DELAY, Placement
from . import g711
from .recorder import Recorder
from .tones import ToneDetector
from .watcher import Watcher

_FINE = 160
_COARSE = 1600


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOver:
    id: CommandId
    why: Literal["limit", "silence", "disk_full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChanged:
    what: Literal["silence", "speech"]
    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneHeard:
    digit: str
    start: int
    """On the stream's clock."""


Finding = RecordingOver | LevelChanged | ToneHeard


class Listener:
    """One stream's ears."""

    def __init__(self, codec: Codec, at: int) -> None:
        self._codec: Codec = codec
        self._placement = Placement(g711.SILENCE[codec], at)
        self.recorders: dict[CommandId, Recorder] = {}
        self.watcher: Watcher | None = None
        self.tones: ToneDetector | None = None
        self.put = self._placement.put
        self.where = self._placement.where

    @property
    def wanted(self) -> bool:
        """Somebody listens."""
        return bool(self.recorders) or self.watcher is not None or self.tones is not None

    @property
    def late(self) -> int:
        """Packets that came after their place had been read."""
        return self._placement.late

    def use(self, codec: Codec, at: int) -> list[Finding]:
        """Go over to another codec; what came before is read first."""
        findings: list[Finding] = []
        if codec != self._codec:
            findings = self._read(at)
            late = self._placement.late
            self._codec = codec
            self._placement = Placement(g711.SILENCE[codec], max(at, self._placement.read_to))
            self._placement.late = late
            self.put, self.where = self._placement.put, self._placement.where
        return findings

    @property
    def due(self) -> int:
        """When the stream's clock shows this, there is enough to `advance`."""
        start = self._placement.read_to
        if self.watcher is not None or self.tones is not None or any(recorder.needs_frames for recorder in self.recorders.values()):
            return start + DELAY + _FINE
        ends = min((recorder.ends_at for recorder in self.recorders.values()), default=start + _COARSE)
        return DELAY + max(start + _FINE, min(ends, start + _COARSE))

    def advance(self, at: int) -> list[Finding]:
        """The clock shows `at`: give what is old enough to those who listen."""
        return self._read(at - DELAY)

    def catch_up(self, at: int) -> list[Finding]:
        """Give everything up to `at`: a recording ends now."""
        return self._read(at)

    def _read(self, upto: int) -> list[Finding]:
        start = self._placement.read_to
        octets = self._placement.read(upto)
        findings: list[Finding] = []
        if not octets:
            return findings
        samples = g711.decode(self._codec, octets)
        for id, recorder in self.recorders.items():
            skip = recorder.start + recorder.samples - start
            if skip >= len(samples) or recorder.over:
                continue
            try:
                why = recorder.feed(samples[max(0, skip) :])
            except OSError:
                recorder.over = True
                findings.append(RecordingOver(id=id, why="disk_full"))
                continue
            if why:
                recorder.over = True
                findings.append(RecordingOver(id=id, why=why))
        if self.watcher is not None:
            findings += [LevelChanged(what=what, ms=ms) for what, ms in self.watcher.feed(samples)]
        if self.tones is not None:
            findings += [ToneHeard(digit=heard.digit, start=heard.start) for heard in self.tones.feed(samples, start)]
        return findings
