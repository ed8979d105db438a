"""The media engine's core: all streams, their ports, one wheel and one heap of timers (DESIGN 4, reference/processes 1).

Theory of operation. It takes `model.media` commands and `Packet`s and gives `model.media` events and `SendPacket`s. A live shell may give
packets by `packet` and take what is sent by a `Sender` of its own: the logic is the same. A stream belongs to the port it was opened on;
RTP is even, RTCP odd.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..core import Deadline
from ..model.ids import CommandId, Ids, LegId, Wall
from ..model.media import (
    CloseStream,
    Collect,
    Command,
    Configure,
    Done,
    Echo,
    Failed,
    Load,
    MediaEvent,
    OpenStream,
    Play,
    Press,
    Ready,
    Record,
    SendDigits,
    SetRemote,
    Stop,
    Unecho,
    Unwatch,
    Watch,
)
from .address import canonical
from .dialler import valid
from .files import BadPrompt, Files
from .grid import EARLY, Wheel
from .outlet import Outlet
from .player import Job, Prompts
from .ports import PortPool, Sockets
from .stream import Stream
from .values import Address, Packet, Sender, SendPacket

VERSION = "1"
_ALARMS = 64
"""In one go: a thousand that go off together must not hold up packets; the deadline stays due."""
_LOAD = (LegId(""), "load", CommandId(0))


def _epoch_ms(now: float, /) -> int:
    return round(now * 1000)


class Engine:
    """A `Core`: inputs are commands and `Packet`, outputs are `MediaEvent` and `SendPacket`."""

    def __init__(
        self,
        ids: Ids,
        *,
        files: Files,
        ports: Sockets,
        wall: Wall = _epoch_ms,
        send: Sender | None = None,
        cpu: Callable[[], float] = lambda: 0.0,
        seeded: Callable[[int], Ids] | None = None,
    ) -> None:
        """`cpu` gives the process's CPU seconds; `seeded` makes ids of `Configure.seed`."""
        self._ids = ids
        self._files = files
        self._sockets = ports
        self._cpu = cpu
        self._seeded = seeded
        self._outlet = Outlet(wall, ports.aim, send)
        self.queue = self._outlet.queue
        """What `next_output` takes from; for the shell's short cut."""
        self._prompts = Prompts(files)
        self._wheel = Wheel()
        self._settings = Configure()
        self._pool: PortPool | None = None
        self._streams: dict[LegId, Stream] = {}
        self.by_port: dict[int, Stream] = {}
        """RTP port to stream; for the shell's short cut."""
        self._load_from = (0.0, 0.0)

    # -- the four methods

    def receive(self, item: Command | Packet, now: float) -> None:
        """Take a command or a packet."""
        if isinstance(item, Packet):
            self.packet(item.port, item.data, item.source, now)
        else:
            self.command(item, now)

    def handle_timer(self, now: float) -> None:
        """Tick what is due and fire what has run out."""
        self._wheel.run(now)
        for _ in range(_ALARMS):
            alarm = self._outlet.due(now + EARLY)
            if alarm is None:
                return
            if alarm == _LOAD:
                self._tell_load(now)
            elif (stream := self._streams.get(alarm[0])) is not None:
                stream.alarm(alarm[1], alarm[2], now)

    def next_output(self) -> MediaEvent | SendPacket | None:
        """The oldest event or packet not yet taken."""
        queue = self._outlet.queue
        return queue.popleft() if queue else None

    def next_deadline(self) -> Deadline | None:
        """The next tick or timer; None without streams."""
        tick, alarm = self._wheel.next_at(), self._outlet.alarm_at()
        if tick is None or (alarm is not None and alarm < tick):
            return None if alarm is None else Deadline(alarm, "alarm")
        return Deadline(tick, "tick")

    def next_at(self) -> float | None:
        """The same moment without its name; for the shell's short cut."""
        tick, alarm = self._wheel.next_at(), self._outlet.alarm_at()
        if tick is None or (alarm is not None and alarm < tick):
            return alarm
        return tick

    # -- packets

    def packet(self, port: int, data: bytes, source: Address, now: float) -> None:
        """A datagram on one of our ports."""
        stream = self.by_port.get(port & ~1)
        if stream is None:
            return
        if port & 1:
            stream.rtcp(data, source, now)
        else:
            stream.inbound.rtp(data, source, now)

    # -- commands

    def command(self, command: Command, now: float) -> None:
        """Carry out one command; exactly one answer, now or when it takes effect."""
        match command:
            case Configure():
                self._configure(command)
                return
            case OpenStream():
                self._open(command, now)
                return
        stream = self._streams.get(command.stream)
        if stream is None:
            self._fail(command.id, command.stream, "no_stream", f"no stream {command.stream} is open", now)
            return
        match command:
            case SetRemote():
                self._set_remote(stream, command, now)
            case CloseStream():
                self._close(stream, command, now)
            case Play():
                self._play(stream, command, now)
            case Collect():
                stream.hearing.collect(command, now)
            case SendDigits():
                if valid(command.digits):
                    stream.send_digits(command, now)
                else:
                    self._fail(command.id, stream.id, "bad_digit", f"{command.digits!r}: wanted 0-9, *, #, A-D and commas", now)
            case Press():
                if valid(command.digit) and len(command.digit) == 1 and command.digit != ",":
                    stream.hearing.press(command, now)
                else:
                    self._fail(command.id, stream.id, "bad_digit", f"{command.digit!r}: wanted one of 0-9, *, #, A-D", now)
            case Record():
                self._record(stream, command, now)
            case Echo() | Unecho():
                stream.echo(isinstance(command, Echo))
                stream.done(command.id, now)
            case Watch() | Unwatch():
                stream.hearing.watch(command if isinstance(command, Watch) else None, now)
                stream.done(command.id, now)
            case Stop():
                stream.stop(command.id, command.target, now)

    def _configure(self, command: Configure) -> None:
        self._settings = command
        if command.seed is not None and self._seeded is not None:
            self._ids = self._seeded(command.seed)
        self._pool = PortPool(*command.ports, self._sockets)
        self._outlet.emit(Ready(version=VERSION))

    def _open(self, command: OpenStream, now: float) -> None:
        if command.stream in self._streams:
            self._fail(command.id, command.stream, "exists", f"stream {command.stream} is open already", now)
            return
        port = None if self._pool is None else self._pool.take(command.local_host, now)
        if port is None:
            first, last = self._settings.ports
            self._fail(command.id, command.stream, "no_port", f"no free pair of ports from {first} to {last} on {command.local_host}", now)
            return
        self._outlet.hosts[port] = command.local_host
        stream = Stream(
            command,
            port=port,
            outlet=self._outlet,
            prompts=self._prompts,
            comfort=self._settings.comfort == "silence",
            rtp_timeout_s=self._settings.rtp_timeout_s,
            bits=self._ids.bits(80),
            now=now,
        )
        if not self._streams:
            self._load_from = (now, self._cpu())
            self._outlet.arm(_LOAD, now + 1.0, "load")
        self._streams[command.stream] = self.by_port[port] = stream
        self._outlet.emit(Done(id=command.id, stream=command.stream, rtp_port=port, rtcp_port=port + 1, time=now))

    def _set_remote(self, stream: Stream, command: SetRemote, now: float) -> None:
        if command.codec not in ("PCMU", "PCMA") or command.ptime_ms not in range(10, 61, 10):
            self._fail(command.id, stream.id, "codec", f"{command.codec} in packets of {command.ptime_ms} ms", now)
            return
        host = canonical(command.address)
        if host is None or not 0 <= command.port <= 65535 or not 0 <= command.rtcp_port <= 65535:
            self._fail(command.id, stream.id, "address", f"{command.address}, ports {command.port} and {command.rtcp_port}", now)
            return
        stream.set_remote(msgspec.structs.replace(command, address=host, sip_host=canonical(command.sip_host) or ""), now)
        if not stream.on_grid:
            self._wheel.add(stream, now)
        stream.done(command.id, now)

    def _close(self, stream: Stream, command: CloseStream, now: float) -> None:
        self._wheel.remove(stream)
        stream.close(command.id, now)
        del self._streams[stream.id], self.by_port[stream.port], self._outlet.hosts[stream.port]
        if self._pool is not None:
            self._pool.give_back(stream.port, now)
        if not self._streams:
            self._outlet.disarm(_LOAD)

    def _play(self, stream: Stream, command: Play, now: float) -> None:
        if (command.path is None) == (command.silence_ms is None):
            self._fail(command.id, stream.id, "format", "wanted exactly one of path and silence_ms", now)
            return
        if command.path is None:
            job = Job(id=command.id, total=(command.silence_ms or 0) * 8, repeat=command.repeat, stop_digits=command.stop_digits)
        else:
            try:
                samples = self._prompts.open(command.path)
            except BadPrompt as error:
                self._fail(command.id, stream.id, "format", f"{command.path}: {error}", now)
                return
            except (OSError, ValueError) as error:
                self._fail(command.id, stream.id, "not_found", f"{command.path}: {error}", now)
                return
            job = Job(
                id=command.id,
                total=len(samples) // 2,
                path=command.path,
                samples=samples,
                repeat=command.repeat,
                stop_digits=command.stop_digits,
                at=max(0, command.start_sample),
            )
        stream.play(job, now)

    def _record(self, stream: Stream, command: Record, now: float) -> None:
        try:
            file = self._files.recording(command.path)
            stream.hearing.record(command, file, now)
        except (OSError, ValueError) as error:
            full = isinstance(error, OSError) and error.errno in (28, 122)  # ENOSPC, EDQUOT
            self._fail(command.id, stream.id, "disk_full" if full else "path", f"{command.path}: {error}", now)

    def _fail(self, id: CommandId, stream: LegId, reason: str, detail: str, now: float) -> None:
        self._outlet.emit(Failed(id=id, stream=stream, reason=reason, detail=detail, time=now))

    def _tell_load(self, now: float) -> None:
        outlet, pool = self._outlet, self._pool
        since, cpu = self._load_from
        self._load_from = (now, self._cpu())
        outlet.emit(
            Load(
                streams=len(self._streams),
                sent=outlet.sent,
                late=outlet.late,
                worst_ms=round(self._wheel.worst_ms, 3),
                ports_free=pool.free if pool is not None else 0,
                ports=pool.total if pool is not None else 0,
                cpu=round((self._load_from[1] - cpu) / max(1e-9, now - since), 4),
                time=now,
            )
        )
        outlet.sent = outlet.late = 0
        self._wheel.worst_ms = 0.0
        outlet.arm(_LOAD, now + 1.0, "load")
