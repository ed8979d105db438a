"""One stream: its ports, its grid, what it sends at each tick, and who hears what arrives.

Theory of operation. `open` gives it a clock (samples since it was opened); `remote` gives it a peer and a grid. At each tick exactly one
thing leaves: a digit that is being sent, else the next frame of what plays, else what came in (echo), else silence. Commands take effect
at the next tick. RTP time is the grid's own time, whether or not something is sent. What is heard is `hearing`'s affair.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from ..model.ids import CommandId, LegId
from ..model.media import (
    Codec,
    DigitsSent,
    Done,
    NoMedia,
    OpenStream,
    PlayEnded,
    SendDigits,
    SetRemote,
    StreamStatistics,
)
from ..rtp.packet import HEADER
from . import g711
from .dialler import Dialler, EventFrame
from .hearing import NEVER, Hearing
from .inbound import Inbound
from .outlet import Outlet
from .player import Job, Player, Prompts
from .reports import INTERVAL_S, Reports

PlayEnd = Literal["finished", "digit", "stopped", "stream_closed"]

_LATE_MS = 40.0
_pack = HEADER.pack
_ECHO_PREFILL = 160
_ECHO_MOST = 1600


class Stream:
    """The engine's half of one leg's audio. A `grid.Ticker`."""

    def __init__(
        self,
        command: OpenStream,
        *,
        port: int,
        outlet: Outlet,
        prompts: Prompts,
        comfort: bool,
        rtp_timeout_s: float,
        bits: int,
        now: float,
    ) -> None:
        self.id: LegId = command.stream
        self.port = port
        self.outlet = outlet
        self.opened = now
        self.period_ms = 20
        self.due_ms = 0
        self.on_grid = False
        self.remote: SetRemote | None = None
        self._comfort = comfort
        self._rtp_timeout_s = rtp_timeout_s
        self._sequence = bits & 0xFFFF
        self._time_base = bits >> 16 & 0xFFFFFFFF
        self.ssrc = bits >> 48 & 0xFFFFFFFF
        self._count = 160
        self._head = 0
        self._sends = False
        self._plain = False
        """What plays may leave without a closer look."""
        self._silence = b""
        self._pause = True
        self._packets = 0
        self._octets = 0
        self._skipped = 0
        self._rtp_now = 0
        self._ticked = now
        self._quiet_since: float | None = None
        self._no_media_said = False
        self.player = Player(prompts)
        self._diallers: deque[Dialler] = deque()
        self._echo: bytearray | None = None
        self._echo_ready = False
        self.inbound = Inbound(self.id, port, outlet, now)
        self.listen_at = NEVER
        """When the clock shows this, `hearing` wants to read."""
        self.hearing = Hearing(self)
        self.inbound.on_press = self.hearing.event
        self.inbound.on_still = self.hearing.still
        self.reports = Reports(self.ssrc, f"{self.ssrc:08x}@{command.local_host}")
        self._rtcp_to: tuple[str, int] | None = None
        self.stopping: dict[CommandId, list[CommandId]] = {}
        """Stops that wait for the end event of what they stop."""

    # -- commands

    def clock(self, now: float) -> int:
        """Samples since the stream was opened."""
        return round((now - self.opened) * 8000)

    def done(self, id: CommandId, now: float, samples: int | None = None) -> None:
        """Answer a command."""
        self.outlet.emit(Done(id=id, stream=self.id, samples=samples, at=self.clock(now), time=now))

    def set_remote(self, remote: SetRemote, now: float) -> None:
        """Where to send and whom to believe, from now on."""
        if self.remote is None:
            self.outlet.arm((self.id, "rtcp", CommandId(0)), now + INTERVAL_S * (0.5 + (self.ssrc & 0xFF) / 256), "rtcp")
        self.remote = remote
        self.inbound.configure(remote, now)
        self.period_ms = remote.ptime_ms
        self._count = remote.ptime_ms * 8
        self._head = remote.send_type
        self._sends = remote.way in ("sendrecv", "sendonly")
        quiet = self._comfort and remote.way == "sendrecv"
        self._silence = bytes((g711.SILENCE[remote.codec],)) * self._count if quiet else b""
        self._rtcp_to = (remote.address, remote.rtcp_port) if remote.rtcp_port else None
        self._plain = self._sends and self.inbound.destination is not None and not self._diallers
        self.player.settle()
        self.hearing.configure(remote, now)
        if remote.way in ("sendrecv", "recvonly"):
            self.outlet.arm((self.id, "no_media", CommandId(0)), now + self._rtp_timeout_s, "no_media")
        else:
            self.outlet.disarm((self.id, "no_media", CommandId(0)))

    def play(self, job: Job, now: float) -> None:
        """Play when everything before it has ended."""
        self.player.jobs.append(job)
        if len(self.player.jobs) == 1:
            self._announce(job, now)

    def send_digits(self, command: SendDigits, now: float) -> None:
        """Send digits when those before them have left."""
        by_events = self.remote is None or self.remote.event_send_type is not None
        self._diallers.append(Dialler(command, by_events))
        self._plain = False
        self.done(command.id, now)

    def echo(self, on: bool) -> None:
        """What arrives goes back, or no longer."""
        self._echo = bytearray() if on else None
        self._echo_ready = False
        self.hearing.audio_changed()

    def stop(self, id: CommandId, target: CommandId, now: float) -> None:
        """Stop what `target` began; `Done` follows its end event."""
        for job in self.player.jobs:
            if job.id == target:
                self.stopping.setdefault(target, []).append(id)
                self.player.stop(job, "stopped")
                if not self.on_grid:
                    self._settle(now)
                return
        for dialler in self._diallers:
            if dialler.id == target:
                self.stopping.setdefault(target, []).append(id)
                dialler.stop()
                if not self.on_grid:
                    self._diallers.remove(dialler)
                    self._digits_sent(dialler.id, "stopped", now)
                return
        self.hearing.stop(target, now)
        self.done(id, now)

    def close(self, id: CommandId, now: float) -> None:
        """End what runs, say goodbye, and answer with what the stream carried."""
        self.player.settle()
        while self.player.jobs:
            job = self.player.jobs.popleft()
            if not job.announced:
                self._announce(job, now)
            self._play_ended(job, "stream_closed", now)
        while self._diallers:
            self._digits_sent(self._diallers.popleft().id, "stream_closed", now)
        self.hearing.close(now)
        if self.remote is not None:
            self._report(now, bye=True)
        for what in ("rtcp", "no_media"):
            self.outlet.disarm((self.id, what, CommandId(0)))
        self.outlet.emit(
            Done(
                id=id,
                stream=self.id,
                rtp_port=self.port,
                rtcp_port=self.port + 1,
                statistics=self.inbound.statistics(
                    StreamStatistics(packets_sent=self._packets, octets_sent=self._octets, late=self.hearing.late, skipped=self._skipped)
                ),
                at=self.clock(now),
                time=now,
            )
        )

    # -- the grid

    def tick(self, due_ms: int, late_ms: float, now: float) -> None:
        """The moment for one packet has come (`late_ms` ago)."""
        inbound = self.inbound
        self._rtp_now = clock = due_ms * 8
        self._ticked = now
        if inbound.waiting:
            inbound.ripen(now)
        if late_ms > _LATE_MS or late_ms >= 2 * self.period_ms:
            self._skip(1, now)
        elif self._plain and not self._pause and (payload := self.player.quick(self._count)) is not None:
            self._transmit(payload, self._head, clock, late_ms)
        else:
            self._send_tick(clock, late_ms, now)
        if self.listen_at is not NEVER and self.clock(now) >= self.listen_at:
            self.hearing.advance(now)

    def missed(self, ticks: int, now: float) -> None:
        """So many ticks passed while the engine stood still."""
        self._skip(ticks, now)

    def _skip(self, ticks: int, now: float) -> None:
        self._skipped += ticks
        if self._sends:
            self.outlet.sent += ticks
            self.outlet.late += ticks
        self._pause = True
        for _ in range(ticks):
            if not self.player.jobs:
                break
            job = self._current(now)
            if job is not None and not self.player.skip(job, self._count):
                self._next_job(job, now)

    def _send_tick(self, clock: int, late_ms: float, now: float) -> None:
        payload: bytes | None = None
        marker = self._pause
        head = self._head
        at = clock
        job = self._current(now) if self.player.jobs else None
        if self._diallers:
            if job is not None and not self.player.skip(job, self._count):
                self._next_job(job, now)
            frame = self._dial(clock, now)
            if isinstance(frame, EventFrame):
                assert self.remote is not None
                payload, at, marker = frame.payload, frame.began, frame.marker
                head = self.remote.event_send_type if self.remote.event_send_type is not None else head
            elif frame is not None:
                payload = g711.encode(self._codec, frame)
        elif job is not None:
            while job is not None:
                payload = self.player.frame(job, self._codec, self._count)
                if payload is not None:
                    if not job.started:
                        job.started = marker = True
                    break
                job = self._next_job(job, now)
        if payload is None:
            payload = self._from_echo() or self._silence
        if not payload or not self._sends or self.inbound.destination is None:
            self._pause = True
            return
        self._pause = False
        self._transmit(payload, head | marker << 7, at, late_ms)

    def _transmit(self, payload: bytes, second: int, at: int, late_ms: float) -> None:
        self._sequence = sequence = (self._sequence + 1) & 0xFFFF
        self._packets += 1
        self._octets += len(payload)
        outlet = self.outlet
        outlet.sent += 1
        if late_ms > 20.0:
            outlet.late += 1
        data = _pack(0x80, second, sequence, (self._time_base + at) & 0xFFFFFFFF, self.ssrc) + payload
        out = self.inbound.out
        if out is not None:
            try:
                out(data)
            except OSError:
                pass  # lost, as networks lose packets too: no route, a full buffer, nobody listening over there
        elif (destination := self.inbound.destination) is not None:
            outlet.send(self.port, data, destination)

    @property
    def _codec(self) -> Codec:
        assert self.remote is not None
        return self.remote.codec

    def _dial(self, clock: int, now: float) -> EventFrame | g711.Samples | None:
        while self._diallers:
            frame = self._diallers[0].frame(clock, self._count)
            if frame is not None:
                return frame
            dialler = self._diallers.popleft()
            self._digits_sent(dialler.id, "stopped" if dialler.stopped else "finished", now)
        self._plain = self._sends and self.inbound.destination is not None
        return None

    def _from_echo(self) -> bytes:
        echo = self._echo
        if echo is None:
            return b""
        if len(echo) < self._count + (0 if self._echo_ready else _ECHO_PREFILL):
            self._echo_ready = False
            return b""
        self._echo_ready = True
        payload = bytes(echo[: self._count])
        del echo[: self._count]
        return payload

    @property
    def echoes(self) -> bool:
        """What arrives goes back."""
        return self._echo is not None

    def give_back(self, audio: bytes) -> None:
        """Something arrived that is to go back."""
        echo = self._echo
        if echo is not None:
            echo += audio
            if len(echo) > _ECHO_MOST:
                del echo[: len(echo) - _ECHO_MOST]

    # -- what plays

    def _current(self, now: float) -> Job | None:
        jobs = self.player.jobs
        if self.player.disturbed:
            self._settle(now)
        return jobs[0] if jobs else None

    def _settle(self, now: float) -> None:
        """End every play that was stopped, in order; the next one becomes current."""
        jobs = self.player.jobs
        self.player.settle()
        self.player.disturbed = False
        for job in [job for job in jobs if job.stop]:
            jobs.remove(job)
            if not job.announced:
                self._announce(job, now)
            self._play_ended(job, job.stop or "stopped", now)
        if jobs and not jobs[0].announced:
            self._announce(jobs[0], now)

    def _next_job(self, job: Job, now: float) -> Job | None:
        jobs = self.player.jobs
        self.player.settle()
        jobs.popleft()
        self._play_ended(job, "finished", now)
        if not jobs:
            return None
        if not jobs[0].announced:
            self._announce(jobs[0], now)
        return jobs[0]

    def _announce(self, job: Job, now: float) -> None:
        job.announced = True
        self.done(job.id, now, samples=job.total)

    def _play_ended(self, job: Job, why: PlayEnd, now: float) -> None:
        self.outlet.emit(PlayEnded(id=job.id, stream=self.id, why=why, played_ms=job.played // 8, at=self.clock(now), time=now))
        self._stopped(job.id, now)
        self.hearing.play_ended(job.id, now)

    def _digits_sent(self, id: CommandId, why: Literal["finished", "stopped", "stream_closed"], now: float) -> None:
        self.outlet.emit(DigitsSent(id=id, stream=self.id, why=why, at=self.clock(now), time=now))
        self._stopped(id, now)

    def _stopped(self, target: CommandId, now: float) -> None:
        for id in self.stopping.pop(target, ()):
            self.done(id, now)

    # -- timers and RTCP

    def alarm(self, what: str, id: CommandId, now: float) -> None:
        """A timer of this stream fired."""
        if what == "rtcp":
            self._report(now)
            self.outlet.arm((self.id, "rtcp", CommandId(0)), now + INTERVAL_S * (0.5 + (self._sequence * 37 & 0xFF) / 256), "rtcp")
        elif what == "no_media":
            self._no_media(now)
        else:
            self.hearing.alarm(id, now)

    def rtcp(self, data: bytes, source: tuple[str, int], now: float) -> None:
        """Take a datagram of the RTCP port; one from elsewhere than the peer's hosts is dropped."""
        inbound = self.inbound
        believed = inbound.believed
        if self.remote is None or source[0] not in (self.remote.address, believed[0] if believed else None):
            inbound.strangers += 1
            return
        if self.reports.receive(data, now):
            self._rtcp_to = source

    def _report(self, now: float, bye: bool = False) -> None:
        if self._rtcp_to is None:
            return
        inbound = self.inbound
        heard = None if inbound.reception is None else (inbound.ssrc, inbound.reception)
        data = self.reports.compound(
            now=now,
            epoch_ms=self.outlet.wall(now),
            rtp_time=self._time_base + self._rtp_now + round((now - self._ticked) * 8000),
            packets=self._packets,
            octets=self._octets,
            heard=heard,
            bye=bye,
        )
        self.outlet.send(self.port + 1, data, self._rtcp_to)

    def _no_media(self, now: float) -> None:
        last = self.inbound.last_at
        limit = self._rtp_timeout_s
        if last is not None and now - last < limit - 1e-6:
            at = last + limit
        else:
            at = now + limit
            if self._quiet_since != last or not self._no_media_said:
                self.outlet.emit(NoMedia(stream=self.id, ms=round(1000 * (now - (last or now - limit))), at=self.clock(now), time=now))
            self._quiet_since, self._no_media_said = last, True
        self.outlet.arm((self.id, "no_media", CommandId(0)), at, "no_media")
