"""The media engine's process: sockets and one loop around `media.Engine` (`python -m outdial.io.media_process --fd N`).

Theory of operation. One thread. Each turn: wait until the next tick or until something can be read, tick, read each ready port once,
carry out commands for at most a millisecond and never past the next tick, write events. With many streams it does not wake up for
packets: the next tick is less than a millisecond away, and what arrived until then is read in one go. It ends when its end of the socket
closes.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import resource
import select
import socket
import sys
import traceback
from collections import deque
from typing import cast

import msgspec

from ..media.engine import Engine
from ..media.values import SendPacket
from ..model.media import Command, MediaEvent
from . import clock
from .frames import FrameReader, FrameTooLong, pack
from .ids import LiveIds, SeededIds
from .media_files import MediaFiles
from .udp_ports import UdpPorts

FRAME_LIMIT = 4 << 20
_UNREAD_LIMIT = 64 << 20
_WORK_S = 0.001
_REST_S = 0.002
_BATCH = 128
_MANY = 16
"""From this many streams on packets do not wake the loop."""
_PR_SET_TIMERSLACK = 29


class MediaProcess:
    """The shell around one engine."""

    def __init__(self, control: socket.socket) -> None:
        control.setblocking(False)
        self._control = control
        self._epoll = select.epoll()
        self._epoll.register(control.fileno(), select.EPOLLIN)
        self._ports = UdpPorts(self._epoll, lambda port: self._engine.by_port[port].inbound.rtp)
        self._engine = Engine(
            LiveIds(), files=MediaFiles(), ports=self._ports, wall=clock.Wall(), send=self._ports.send, cpu=_cpu_seconds, seeded=SeededIds
        )
        self._decoder = msgspec.msgpack.Decoder(list[Command])
        self._encoder = msgspec.msgpack.Encoder()
        self._reader = FrameReader(FRAME_LIMIT)
        self._commands: deque[Command] = deque()
        self._unread = bytearray()
        self._open = True

    def run(self) -> None:
        """Work until the other end of the socket closes."""
        engine, epoll, anyone, peer = self._engine, self._epoll, self._ports.anyone, self._ports.peer
        streams = engine.by_port
        control = self._control.fileno()
        now = clock.now()
        while self._open:
            at = engine.next_at()
            if self._commands:
                ready = epoll.poll(0, _BATCH)
            elif at is None:
                ready = epoll.poll(-1, _BATCH)
            else:
                if (wait := at - now) > 0:
                    if len(streams) >= _MANY:
                        select.select((control,), (), (), wait if wait < _REST_S else _REST_S)
                    else:
                        select.select((epoll,), (), (), wait)
                ready = epoll.poll(0, _BATCH)
            now = clock.now()
            if at is not None and at <= now:
                try:
                    engine.handle_timer(now)
                except Exception:
                    _our_bug("a tick")
            for fd, mask in ready:
                if (known := peer.get(fd)) is not None:
                    take, receive, source = known
                    try:
                        take(receive(2048), source, now)
                    except OSError:
                        continue  # the peer's host says that nobody listens there
                    except Exception:
                        _our_bug("a packet")
                elif (entry := anyone.get(fd)) is not None:
                    self._read(*entry, now)
                elif fd == control:
                    self._talk(mask)
            if self._commands:
                self._work()
            self._write()
            now = clock.now()

    def _read(self, port: int, sock: socket.socket, now: float) -> None:
        try:
            data, source = sock.recvfrom(2048)
        except OSError:
            return
        try:
            self._engine.packet(port, data, source if len(source) == 2 else source[:2], now)
        except Exception:
            _our_bug("a packet")

    def _talk(self, mask: int) -> None:
        if mask & (select.EPOLLIN | select.EPOLLHUP):
            try:
                data = self._control.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._open = False
                return
            try:
                for body in self._reader.feed(data):
                    self._commands.extend(self._decoder.decode(body))
            except (FrameTooLong, msgspec.DecodeError) as error:
                print(f"media engine: the node sent what is no list of commands: {error}", file=sys.stderr)
                self._open = False

    def _work(self) -> None:
        commands, engine = self._commands, self._engine
        began = now = clock.now()
        at = engine.next_at()
        until = began + _WORK_S if at is None else min(began + _WORK_S, at)
        while commands:
            command = commands.popleft()
            try:
                engine.command(command, now)
            except Exception:
                _our_bug(f"{command}")
            now = clock.now()
            if now >= until:
                return

    def _write(self) -> None:
        events: list[MediaEvent] = []
        while (output := self._engine.next_output()) is not None:
            if not isinstance(output, SendPacket):
                events.append(output)
        if not events and not self._unread:
            return
        if events:
            self._unread += pack(self._encoder.encode(events))
        try:
            sent = self._control.send(self._unread)
            del self._unread[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._open = False
        if len(self._unread) > _UNREAD_LIMIT:
            print("media engine: the node does not read events", file=sys.stderr)
            self._open = False
        if self._open:
            self._epoll.modify(self._control.fileno(), select.EPOLLIN | (select.EPOLLOUT if self._unread else 0))


def _our_bug(where: str) -> None:
    """Whatever escapes the core is a fault of ours; it must not cost the other calls."""
    print(f"media engine: bug while handling {where}\n{traceback.format_exc()}", file=sys.stderr, flush=True)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: list[str] | None = None) -> int:
    """Serve the socket on `--fd`."""
    parser = argparse.ArgumentParser(prog="python -m outdial.io.media_process")
    parser.add_argument("--fd", type=int, required=True)
    fd = cast(int, parser.parse_args(arguments).fd)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)  # nanoseconds; 50 µs by default
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except OSError:
        pass  # not allowed to go before others; on a machine with a core to spare it makes no difference
    process = MediaProcess(socket.socket(fileno=fd))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)  # a full collection takes milliseconds, and values here form no cycles
    process.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
