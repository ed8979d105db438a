"""What a stream does with what it hears: digits from all ways, collecting them, recordings, silence and speech.

Theory of operation. Three ways report presses; `digits.Merger` makes one of them. A press is told (`Digit`), then ends recordings that
wait for it, then stops what plays, then goes to each Collect. A `listener.Listener` exists while audio itself is wanted: by a recording,
a watch, an echo or, where telephone-event was not negotiated, by the tone detector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..model.ids import CommandId
from ..model.media import Collect, Collected, Digit, Press, Record, RecordEnded, SetRemote, Silence, Speech, Watch
from ..rtp.telephone_event import Pressed
from .digits import CollectEnd, Collector, How, Merger
from .files import RecordingFile
from .listener import Finding, LevelChanged, Listener, RecordingOver, ToneHeard
from .recorder import Recorder
from .tones import ToneDetector
from .watcher import Watcher

if TYPE_CHECKING:
    from .stream import Stream


RecordEnd = Literal["limit", "silence", "digit", "stopped", "stream_closed", "disk_full"]
NEVER = 1 << 62


class Hearing:
    """The listening half of a stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._merger = Merger()
        self._collectors: dict[CommandId, Collector] = {}
        self.listener: Listener | None = None
        self._late_before = 0
        self._tones: ToneDetector | None = None

    # -- commands

    def configure(self, remote: SetRemote, now: float) -> None:
        """An answer says what arrives from now on."""
        in_band = not remote.event_accept_types
        if self.listener is not None:
            self._act(self.listener.use(remote.codec, self._stream.clock(now)), now)
        if not in_band:
            self._tones = None
        elif self._tones is None:
            self._tones = ToneDetector()
        if self._tones is not None:
            self._listen(now).tones = self._tones
        elif self.listener is not None:
            self.listener.tones = None
            self._drop_listener()
        self.audio_changed()

    def collect(self, command: Collect, now: float) -> None:
        """Collect digits from now on."""
        self._collectors[command.id] = Collector(command)
        self._stream.done(command.id, now)
        if command.after is None or all(job.id != command.after for job in self._stream.player.jobs):
            self._arm(command.id, now + command.first_ms / 1000, "first")

    def press(self, command: Press, now: float) -> None:
        """A digit came another way."""
        self._stream.done(command.id, now)
        self._take(command.digit.upper(), command.how, command.duration_ms, self._stream.clock(now) - 8 * command.duration_ms, now)

    def record(self, command: Record, file: RecordingFile, now: float) -> None:
        """Record from now on. Raises `OSError`."""
        at = self._stream.clock(now)
        recorder = Recorder(command, file, at)
        self._listen(now).recorders[command.id] = recorder
        self.audio_changed()
        self._stream.done(command.id, now)

    def watch(self, command: Watch | None, now: float) -> None:
        """Arm silence and speech, or disarm them."""
        if command is not None:
            self._listen(now).watcher = Watcher(command)
        elif self.listener is not None:
            self.listener.watcher = None
            self._drop_listener()
        self.audio_changed()

    def stop(self, target: CommandId, now: float) -> None:
        """End a collect or a recording; harmless where there is none."""
        if target in self._collectors:
            self._collected(target, "stopped", "", now)
        elif self.listener is not None and target in self.listener.recorders:
            self._finish(target, "stopped", now)

    def close(self, now: float) -> None:
        """The stream closes."""
        for id in list(self._collectors):
            self._collected(id, "stream_closed", "", now)
        if self.listener is not None:
            for id in list(self.listener.recorders):
                self._finish(id, "stream_closed", now)

    @property
    def late(self) -> int:
        """Packets that came too late to be heard."""
        return self._late_before + (self.listener.late if self.listener is not None else 0)

    # -- what arrives

    def audio_changed(self) -> None:
        """Who wants audio has changed."""
        stream, listener = self._stream, self.listener
        if listener is None:
            stream.listen_at = NEVER
            stream.inbound.on_audio = self._back if stream.echoes else None
        else:
            stream.listen_at = listener.due
            stream.inbound.on_audio = self._both if stream.echoes else listener.put

    def _back(self, timestamp: int, audio: bytes, at: int) -> None:
        self._stream.give_back(audio)

    def _both(self, timestamp: int, audio: bytes, at: int) -> None:
        self._stream.give_back(audio)
        if self.listener is not None:
            self.listener.put(timestamp, audio, at)

    def event(self, pressed: Pressed, now: float) -> None:
        """A telephone event announced a press."""
        at = self._stream.clock(now)
        began = at
        if self.listener is not None:
            where = self.listener.where(pressed.timestamp)
            if where is not None and abs(where - at) < 8000:
                began = where
        self._take(pressed.digit, "event", pressed.duration // 8, began, now)

    def still(self, digit: str, now: float) -> None:
        """A press that events announced goes on."""
        self._merger.still(digit, "event", now)

    def advance(self, now: float) -> None:
        """A tick passed, and the clock shows `listen_at`: those who listen hear what is old enough."""
        if self.listener is not None:
            self._act(self.listener.advance(self._stream.clock(now)), now)
        if self.listener is not None:
            self._stream.listen_at = self.listener.due
        if self._tones is not None and self._tones.current:
            self._merger.still(self._tones.current, "tone", now)

    def _act(self, findings: list[Finding], now: float) -> None:
        stream = self._stream
        for finding in findings:
            match finding:
                case RecordingOver(id=id, why=why):
                    self._finish(id, why, now)
                case LevelChanged(what="silence", ms=ms):
                    stream.outlet.emit(Silence(stream=stream.id, ms=ms, at=stream.clock(now), time=now))
                case LevelChanged():
                    stream.outlet.emit(Speech(stream=stream.id, at=stream.clock(now), time=now))
                case ToneHeard(digit=digit, start=start):
                    self._take(digit, "tone", max(0, stream.clock(now) - start) // 8, start, now)

    def _take(self, digit: str, how: How, duration_ms: int, began: int, now: float) -> None:
        if not self._merger.take(digit, how, now):
            return
        stream = self._stream
        stream.outlet.emit(Digit(stream=stream.id, digit=digit, duration_ms=duration_ms, how=how, at=stream.clock(now), time=now))
        if self.listener is not None:
            for id, recorder in list(self.listener.recorders.items()):
                if digit in recorder.command.end_digits:
                    self._finish(id, "digit", now, digit=digit, cut=began)
        for job in stream.player.jobs:
            if digit in job.stop_digits:
                stream.player.stop(job, "digit")
        for id, collector in list(self._collectors.items()):
            if collector.command.stop_playing and not collector.digits:
                stream.player.stop_all("digit")
            over = collector.press(digit)
            if over is None:
                self._arm(id, now + collector.command.between_ms / 1000, "between")
            else:
                self._collected(id, *over, now)

    # -- collecting

    def play_ended(self, id: CommandId, now: float) -> None:
        """A play ended: collects that wait for it begin to count."""
        for collector in self._collectors.values():
            if collector.command.after == id and not collector.digits:
                self._arm(collector.command.id, now + collector.command.first_ms / 1000, "first")

    def alarm(self, id: CommandId, now: float) -> None:
        """A collect's time is over."""
        if (collector := self._collectors.get(id)) is not None:
            self._collected(id, "between" if collector.digits else "first", "", now)

    def _arm(self, id: CommandId, at: float, why: str) -> None:
        self._stream.outlet.arm((self._stream.id, "collect", id), at, why)

    def _collected(self, id: CommandId, why: CollectEnd, terminator: str, now: float) -> None:
        stream = self._stream
        collector = self._collectors.pop(id)
        stream.outlet.disarm((stream.id, "collect", id))
        stream.outlet.emit(
            Collected(
                id=id,
                stream=stream.id,
                digits="".join(collector.digits),
                terminator=terminator,
                why=why,
                at=stream.clock(now),
                time=now,
            )
        )

    # -- recording

    def _listen(self, now: float) -> Listener:
        if self.listener is None:
            remote = self._stream.remote
            self.listener = Listener("PCMU" if remote is None else remote.codec, self._stream.clock(now))
        return self.listener

    def _drop_listener(self) -> None:
        if self.listener is not None and not self.listener.wanted:
            self._late_before += self.listener.late
            self.listener = None

    def _finish(self, id: CommandId, why: RecordEnd, now: float, digit: str = "", cut: int | None = None) -> None:
        listener = self.listener
        assert listener is not None
        stream = self._stream
        recorder = listener.recorders[id]
        others: list[Finding] = []
        if not recorder.over:
            others = [
                finding for finding in listener.catch_up(stream.clock(now)) if not (isinstance(finding, RecordingOver) and finding.id == id)
            ]
        del listener.recorders[id]
        try:
            recorder.finish(cut)
        except OSError:
            why = "disk_full"
        stream.outlet.emit(
            RecordEnded(
                id=id,
                stream=stream.id,
                why=why,
                path=recorder.path,
                samples=recorder.samples,
                digit=digit,
                peak=recorder.peak,
                at=stream.clock(now),
                time=now,
            )
        )
        self._act(others, now)
        self._drop_listener()
        self.audio_changed()
