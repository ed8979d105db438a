"""The media engine's CPU per 100 calls beside a bare epoll loop, and its packet timing (DESIGN 7). `python -m bench.media`.

Each figure comes from processes of this run: the engine, the floor (the same packets in and out, nothing decided), and one far end for
both, whose socket notes the kernel's time of each arrival.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from outdial.io.media_client import MediaClient
from outdial.model.ids import CommandId, LegId
from outdial.model.media import (
    Collect,
    Command,
    Configure,
    Done,
    Load,
    MediaEvent,
    OpenStream,
    Play,
    Ready,
    Record,
    SetRemote,
)

SO_TIMESTAMPNS = 35
HEADER = struct.Struct("!BBHII")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from the scheduler's own account where there is one (ns), else by ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    try:
        return sum(int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0]) for task in os.listdir(f"/proc/{pid}/task")) / 1e9
    except (OSError, ValueError, IndexError):
        return ticks


def far_end(port_file: str, seconds: float) -> None:
    """Reads ports from stdin (one JSON list), sends each a packet per 20 ms, notes arrivals; prints lateness figures."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setblocking(False)
    print(sock.getsockname()[1], flush=True)
    ports = json.loads(sys.stdin.readline())
    payload = b"\xd5" * 160
    arrivals: dict[int, list[tuple[int, int]]] = {}
    begin = time.monotonic()
    tick, count = 0, len(ports)
    slots = [[(index, port) for index, port in enumerate(ports) if index % 20 == slot] for slot in range(20)]
    end = begin + seconds
    while (now := time.monotonic()) < end:
        due = int((now - begin) * 1000)
        while tick <= due:
            turn, slot = divmod(tick, 20)
            for index, port in slots[slot]:
                sock.sendto(HEADER.pack(0x80, 0, turn & 0xFFFF, turn * 160, index) + payload, ("127.0.0.1", port))
            tick += 1
        try:
            for _ in range(100):
                data, ancillary, _, source = sock.recvmsg(2048, 64)
                seconds_part, nanos = struct.unpack("qq", ancillary[0][2])
                if len(data) >= 12 and not 192 <= data[1] <= 223:
                    arrivals.setdefault(source[1], []).append((seconds_part * 10**9 + nanos, HEADER.unpack_from(data)[3]))
        except BlockingIOError:
            select.select([sock], [], [], max(0.0, begin + tick / 1000 - time.monotonic()))
    lateness: list[float] = []
    for seen in arrivals.values():
        if len(seen) > 50:
            stamps = np.array(seen[25:], dtype=np.int64)
            offset = stamps[:, 0] - (stamps[:, 1] - stamps[0, 1]) * 125_000
            lateness += list((offset - np.percentile(offset, 0.5)) / 1e6)
    figures: dict[str, float] = {"received": sum(map(len, arrivals.values())), "streams": len(arrivals), "expected": count}
    if lateness:
        figures |= {"p50": float(np.percentile(lateness, 50)), "p99": float(np.percentile(lateness, 99)), "worst": float(max(lateness))}
    print(json.dumps(figures), flush=True)


def floor(calls: int, destination: int) -> None:
    """The bare loop: epoll, sockets, one packet in and out per call and 20 ms."""
    epoll = select.epoll()
    sockets = []
    by_fd = {}
    for _ in range(calls):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        epoll.register(sock.fileno(), select.EPOLLIN)
        by_fd[sock.fileno()] = sock
        sockets.append(sock)
    print(json.dumps([sock.getsockname()[1] for sock in sockets]), flush=True)
    to = ("127.0.0.1", destination)
    slots = [[sock for index, sock in enumerate(sockets) if index % 20 == slot] for slot in range(20)]
    payload = b"\xff" * 160
    begin, tick = time.monotonic(), 0
    while True:
        wait = begin + tick / 1000 - time.monotonic()
        if wait > 0:
            select.select((), (), (), wait)
        for sock in slots[tick % 20]:
            sock.sendto(HEADER.pack(0x80, 0, tick & 0xFFFF, tick * 8, 1) + payload, to)
        tick += 1
        for fd, _ in epoll.poll(0, 256):
            data, _source = by_fd[fd].recvfrom(2048)
            HEADER.unpack_from(data)


class Bench:
    """An engine with `calls` streams that play and receive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[MediaEvent] = []
        self.next = 0
        prompt = folder / "prompt.wav"
        with wave.open(str(prompt), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.rint(8000 * np.sin(np.arange(80000) * 0.3)).astype("<i2").tobytes())
        self.prompt = str(prompt)

    def id(self) -> CommandId:
        self.next += 1
        return CommandId(self.next)

    async def wait(self, kind: type, count: int) -> None:
        while sum(isinstance(event, kind) for event in self.events) < count:
            await asyncio.sleep(0.01)

    async def run(self, calls: int, seconds: float, record: bool, burst: bool) -> tuple[float, dict[str, float], list[Load]]:
        far = subprocess.Popen(
            [sys.executable, __file__, "--far", str(seconds + 3)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert far.stdout is not None
        assert far.stdin is not None
        port = int(far.stdout.readline())
        client = MediaClient(Configure(ports=(20000, 20000 + 4 * calls)), self.take)
        client.start()
        await self.wait(Ready, 1)
        legs = [LegId(f"leg-{index}") for index in range(calls)]
        client.submit([OpenStream(id=self.id(), stream=leg) for leg in legs])
        await self.wait(Done, calls)
        ports = [event.rtp_port for event in self.events if isinstance(event, Done)]
        commands: list[Command] = []
        for leg in legs:
            commands.append(
                SetRemote(
                    id=self.id(),
                    stream=leg,
                    address="127.0.0.1",
                    port=port,
                    rtcp_port=0,
                    codec="PCMU",
                    send_type=0,
                    accept_types=(0,),
                    event_send_type=101,
                    event_accept_types=(101,),
                )
            )
            commands.append(Play(id=self.id(), stream=leg, path=self.prompt, repeat=1000))
            if record:
                commands.append(Record(id=self.id(), stream=leg, path=str(self.folder / f"{leg}.wav")))
        client.submit(commands)
        await self.wait(Done, calls + len(commands))
        far.stdin.write(json.dumps(ports) + "\n")
        far.stdin.flush()
        await asyncio.sleep(2)
        assert client.pid is not None
        before, began = cpu_seconds(client.pid), time.monotonic()
        if burst:
            for _ in range(int(seconds)):
                client.submit([Collect(id=self.id(), stream=legs[n % calls], first_ms=10, between_ms=10) for n in range(1000)])
                await asyncio.sleep(1)
        else:
            await asyncio.sleep(seconds)
        used = (cpu_seconds(client.pid) - before) / (time.monotonic() - began)
        out = await asyncio.to_thread(far.communicate)
        await client.close()
        return used, json.loads(out[0]), [event for event in self.events if isinstance(event, Load)]

    def take(self, batch: Sequence[MediaEvent]) -> None:
        self.events.extend(batch)


def run_floor(calls: int, seconds: float) -> tuple[float, dict[str, float]]:
    """CPU share and figures of the bare loop."""
    far = subprocess.Popen([sys.executable, __file__, "--far", str(seconds + 2)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert far.stdout is not None
    assert far.stdin is not None
    port = int(far.stdout.readline())
    bare = subprocess.Popen([sys.executable, __file__, "--floor", str(calls), str(port)], stdout=subprocess.PIPE, text=True)
    assert bare.stdout is not None
    ports = bare.stdout.readline()
    far.stdin.write(ports)
    far.stdin.flush()
    time.sleep(1)
    before, began = cpu_seconds(bare.pid), time.monotonic()
    time.sleep(seconds)
    used = (cpu_seconds(bare.pid) - before) / (time.monotonic() - began)
    out, _ = far.communicate()
    bare.kill()
    bare.wait()
    bare.stdout.close()
    return used, json.loads(out)


def timing(figures: dict[str, float]) -> str:
    """Lateness as text."""
    if "p50" not in figures:
        return "the far end heard too little for a timing"
    return f"lateness p50 {figures['p50']:.2f} p99 {figures['p99']:.2f} worst {figures['worst']:.1f} ms ({figures['received']:.0f} packets)"


def main() -> None:
    """Print each row beside its floor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--far", type=float)
    parser.add_argument("--floor", type=int, nargs=2)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if options.far:
        far_end("", options.far)
        return
    if options.floor:
        floor(*options.floor)
        return
    calls, seconds = options.calls, options.seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {
            "play": (calls, False, False),
            "record": (calls, True, False),
            "400": (400, False, False),
            "burst": (400, False, True),
        }
        if not options.only or options.only == "floor":
            share, figures = run_floor(calls, seconds)
            print(f"floor: bare epoll loop, {calls} calls: {100 * share * 100 / calls:.1f} % of a core per 100 calls; {timing(figures)}")
        for label, (count, record, burst) in rows.items():
            if options.only and options.only != label:
                continue
            share, figures, _ = asyncio.run(Bench(folder).run(count, seconds, record, burst))
            print(f"{label}: {count} calls: {100 * share * 100 / count:.1f} % of a core per 100 calls; {timing(figures)}", flush=True)


if __name__ == "__main__":
    main()
