"""One way to drive any media engine: commands and packets in, events and packets out, on virtual or on real time.

A test is written against `Rig` and `Phone`. `VirtualRig` runs the core on a clock that jumps; `LiveRig` runs the engine's process behind
its client, with phones that are sockets. Nothing sleeps: `until` runs time on until something holds.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import soundfile

from outdial.io.ids import SeededIds
from outdial.io.media_client import MediaClient
from outdial.io.media_files import MediaFiles
from outdial.media import g711
from outdial.media.engine import Engine
from outdial.media.ports import SimulatedPorts
from outdial.media.values import Address, Packet, SendPacket
from outdial.model.ids import CommandId, LegId
from outdial.model.media import CloseStream, Command, Configure, Done, Failed, MediaEvent, OpenStream, Ready, SetRemote
from outdial.rtp import packet as rtp

E = TypeVar("E")
LEG = LegId("leg-1")


class Phone:
    """The far end: an address, what it received, and what it will send."""

    def __init__(self, rig: Rig, address: Address) -> None:
        self.rig = rig
        self.address = address
        self.inbox: list[tuple[float, bytes, Address]] = []
        self.sequence = 1000
        self.timestamp = 50_000
        self.ssrc = 0x0A0B0C0D
        self.sent = 0

    @property
    def packets(self) -> list[rtp.RtpPacket]:
        """The RTP packets that it received."""
        return [rtp.parse(data) for _, data, _ in self.inbox if not 192 <= data[1] <= 223]

    @property
    def audio(self) -> bytes:
        """The octets of the audio packets, in the order of arrival."""
        return b"".join(packet.payload for packet in self.packets if packet.payload_type in (0, 8))

    def send(self, data: bytes, to: int, after: float = 0.0) -> None:
        """Send a datagram to one of the engine's ports, `after` seconds from now."""
        self.rig.schedule(after, self, data, to)

    def rtp(self, payload: bytes, *, payload_type: int = 0, marker: bool = False, timestamp: int | None = None) -> bytes:
        """The next packet in sequence."""
        data = rtp.build(
            rtp.RtpPacket(
                payload_type=payload_type,
                marker=marker,
                sequence=self.sequence & 0xFFFF,
                timestamp=(self.timestamp if timestamp is None else timestamp) & 0xFFFFFFFF,
                ssrc=self.ssrc,
                payload=payload,
            )
        )
        self.sequence += 1
        return data

    def talk(self, octets: bytes, to: int, *, after: float = 0.0, ptime: int = 20, payload_type: int = 0) -> list[tuple[float, bytes]]:
        """The packets of some audio, each with its moment; `say` sends them."""
        out = []
        count = ptime * 8
        for at in range(0, len(octets), count):
            out.append((after + at / 8000, self.rtp(octets[at : at + count], payload_type=payload_type)))
            self.timestamp += count
        return out

    def say(self, octets: bytes, to: int, **options: Any) -> None:
        """Send audio in real time."""
        for at, data in self.talk(octets, to, **options):
            self.send(data, to, at)

    def digit(
        self,
        code: int,
        *,
        payload_type: int = 101,
        ms: int = 100,
        gap_ms: int = 100,
        ends: int = 3,
        same_end: bool = False,
        r_bit: bool = False,
    ) -> list[tuple[float, bytes]]:
        """The packets of one press, each with its moment (RFC 4733 §2.5); the phone's clock moves past it."""
        out = []
        start, count = self.timestamp, ms // 20
        for index in range(1, count + 1):
            body = bytes([code, 10 | (0x40 if r_bit else 0)]) + (index * 160).to_bytes(2, "big")
            out.append((index * 0.02, self.rtp(body, payload_type=payload_type, marker=index == 1, timestamp=start)))
        for index in range(ends):
            body = bytes([code, 0x80 | 10]) + (count * 160).to_bytes(2, "big")
            if same_end and index:
                self.sequence -= 1
            out.append((count * 0.02 + 0.001 * index, self.rtp(body, payload_type=payload_type, timestamp=start)))
        self.timestamp += (ms + gap_ms) * 8
        return out


class Rig(Protocol):
    """An engine under test."""

    live: bool
    events: list[MediaEvent]

    def submit(self, *commands: Command) -> None: ...
    def phone(self, host: str = "127.0.0.1") -> Phone: ...
    def schedule(self, after: float, phone: Phone, data: bytes, to: int) -> None: ...
    def run(self, seconds: float) -> None: ...
    def until(self, holds: Callable[[], Any], seconds: float = 10.0) -> None: ...
    def close(self) -> None: ...


class RigTools:
    """What is the same for every rig."""

    events: list[MediaEvent]

    def __init__(self) -> None:
        self.events = []
        self._ids = itertools.count(1)

    def id(self) -> CommandId:
        """The next command id."""
        return CommandId(next(self._ids))

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def ask(self: Any, command: Any) -> Done | Failed:
        """Submit one command and wait for its answer."""
        self.submit(command)
        answer: Done | Failed = self.answer(command.id)
        return answer

    def answer(self: Any, id: CommandId) -> Done | Failed:
        """Wait for a command's answer."""

        def found() -> list[Done | Failed]:
            return [event for event in self.events if isinstance(event, Done | Failed) and event.id == id]

        self.until(found)
        answers = found()
        assert len(answers) == 1
        return answers[0]

    def wait(self: Any, kind: type[E], count: int = 1, seconds: float = 10.0) -> E:
        """Run until there are `count` events of a kind; gives the last of them."""
        self.until(lambda: len(self.of(kind)) >= count, seconds)
        events: list[E] = self.of(kind)
        return events[count - 1]

    def more(self: Any, phone: Phone, count: int) -> None:
        """Run until `phone` has got more than `count` packets from here on."""
        so_far = len(phone.packets)
        self.until(lambda: len(phone.packets) > so_far + count)

    def exact(self: Any, stream: LegId = LEG) -> bool:
        """Close the stream; True where no tick was left out. Only a live engine on a machine that is too busy may leave some out."""
        done = self.ask(CloseStream(id=self.id(), stream=stream))
        assert isinstance(done, Done)
        assert done.statistics is not None
        assert self.live or done.statistics.skipped == 0
        return bool(done.statistics.skipped == 0)

    def open(self: Any, phone: Phone, stream: LegId = LEG, **remote: Any) -> int:
        """A stream to `phone`, in µ-law with telephone-event 101; gives its RTP port."""
        done = self.ask(OpenStream(id=self.id(), stream=stream))
        assert isinstance(done, Done), done
        assert done.rtp_port is not None
        self.remote(phone, stream, **remote)
        return done.rtp_port

    def remote(self: Any, phone: Phone, stream: LegId = LEG, **fields: Any) -> None:
        """Tell the engine the phone's address; fields replace those of `SetRemote`."""
        values: dict[str, Any] = {
            "address": phone.address[0],
            "port": phone.address[1],
            "rtcp_port": phone.address[1] + 1,
            "codec": "PCMU",
            "send_type": 0,
            "accept_types": (0,),
            "event_send_type": 101,
            "event_accept_types": (101,),
        }
        answer = self.ask(SetRemote(id=self.id(), stream=stream, **(values | fields)))
        assert isinstance(answer, Done), answer


class VirtualRig(RigTools):
    """The core on a clock that jumps from deadline to deadline."""

    live = False

    def __init__(self, settings: Configure) -> None:
        super().__init__()
        self.now = 1000.0
        self.ports = SimulatedPorts()
        self.engine = Engine(SeededIds(7), files=MediaFiles(), ports=self.ports, wall=lambda at: round(at * 1000) + 1_700_000_000_000)
        self._heap: list[tuple[float, int, Phone, bytes, int]] = []
        self._count = itertools.count()
        self._phones: dict[Address, Phone] = {}
        self._next_phone = itertools.count(40000, 2)
        self.give(settings)

    def give(self, item: Any) -> None:
        self.engine.receive(item, self.now)
        self._drain()

    def submit(self, *commands: Command) -> None:
        for command in commands:
            self.give(command)

    def phone(self, host: str = "127.0.0.1") -> Phone:
        phone = Phone(self, (host, next(self._next_phone)))
        self._phones[phone.address] = self._phones[phone.address[0], phone.address[1] + 1] = phone
        return phone

    def schedule(self, after: float, phone: Phone, data: bytes, to: int) -> None:
        heapq.heappush(self._heap, (self.now + after, next(self._count), phone, data, to))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._step(end):
            pass
        self.now = max(self.now, end)

    def until(self, holds: Callable[[], Any], seconds: float = 10.0) -> None:
        end = self.now + seconds
        while not holds():
            assert self._step(end), f"did not happen within {seconds} s; events: {self.events[-20:]}"

    def close(self) -> None:
        pass

    def _step(self, end: float) -> bool:
        deadline = self.engine.next_deadline()
        at = deadline.at if deadline is not None else end + 1
        if self._heap and self._heap[0][0] < at:
            at = self._heap[0][0]
            if at > end:
                return False
            self.now = max(self.now, at)
            _, _, phone, data, to = heapq.heappop(self._heap)
            phone.sent += 1
            self.give(Packet(port=to, data=data, source=phone.address))
            return True
        if at > end:
            return False
        self.now = max(self.now, at)
        self.engine.handle_timer(self.now)
        self._drain()
        return True

    def _drain(self) -> None:
        while (output := self.engine.next_output()) is not None:
            if isinstance(output, SendPacket):
                phone = self._phones.get(output.destination)
                if phone is not None:
                    phone.inbox.append((self.now, output.data, (output.host, output.port)))
            else:
                self.events.append(output)


class LivePhone(Phone):
    """A phone that is a pair of sockets on loopback."""

    def __init__(self, rig: LiveRig, host: str) -> None:
        self.sockets = _pair(host)
        super().__init__(rig, self.sockets[0].getsockname())
        for sock in self.sockets:
            rig.loop.add_reader(sock, self._read, sock)

    def _read(self, sock: socket.socket) -> None:
        data, source = sock.recvfrom(4096)
        self.inbox.append((time.monotonic(), data, source))

    def leave(self, data: bytes, to: int) -> None:
        self.sent += 1
        self.sockets[to & 1].sendto(data, ("127.0.0.1", to))

    def close(self) -> None:
        for sock in self.sockets:
            self.rig.loop.remove_reader(sock)  # type: ignore[attr-defined]
            sock.close()


class LiveRig(RigTools):
    """The engine's process behind its client."""

    live = True

    def __init__(self, settings: Configure) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self._phones: list[LivePhone] = []
        self.client = MediaClient(settings, self.take)
        self.loop.run_until_complete(self._start())
        self.wait(Ready)

    def take(self, batch: Sequence[MediaEvent]) -> None:
        self.events.extend(batch)

    async def _start(self) -> None:
        self.client.start()

    def submit(self, *commands: Command) -> None:
        self.client.submit(commands)

    def phone(self, host: str = "127.0.0.1") -> Phone:
        phone = LivePhone(self, host)
        self._phones.append(phone)
        return phone

    def schedule(self, after: float, phone: Phone, data: bytes, to: int) -> None:
        assert isinstance(phone, LivePhone)
        self.loop.call_later(after, phone.leave, data, to)

    def run(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def until(self, holds: Callable[[], Any], seconds: float = 10.0) -> None:
        async def wait() -> None:
            end = self.loop.time() + seconds
            while not holds():
                assert self.loop.time() < end, f"did not happen within {seconds} s; events: {self.events[-20:]}"
                await asyncio.sleep(0.002)

        self.loop.run_until_complete(wait())

    def close(self) -> None:
        self.loop.run_until_complete(self.client.close())
        for phone in self._phones:
            phone.close()
        self.loop.close()


def free_range(pairs: int = 50) -> tuple[int, int]:
    """A range of ports of which the first pair is free now."""
    a, b = _pair("127.0.0.1")
    first = a.getsockname()[1]
    a.close()
    b.close()
    return first, min(65534, first + 2 * pairs)


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(200):
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        first.setblocking(False)
        second.setblocking(False)
        first.bind((host, 0))
        port = first.getsockname()[1]
        try:
            if port % 2 == 0:
                second.bind((host, port + 1))
                return first, second
        except OSError:
            pass
        first.close()
        second.close()
    raise OSError("no free pair of ports")


def frames_of(phone: Phone, encoded: bytes) -> int:
    """How many whole frames of a prompt arrived, each at its own timestamp."""
    first = next(
        packet for packet in phone.packets if packet.payload[:1] == encoded[:1] and packet.payload == encoded[: len(packet.payload)]
    )
    count = 0
    for packet in phone.packets:
        at = (packet.timestamp - first.timestamp) & 0xFFFFFFFF
        if at < len(encoded):
            assert packet.payload == encoded[at : at + len(packet.payload)]
            count += 1
    return count


def sine(hz: float, ms: int, amplitude: float = 8000.0) -> g711.Samples:
    """A tone, at 8 kHz."""
    return np.rint(amplitude * np.sin(2 * np.pi * hz * np.arange(ms * 8) / 8000)).astype(np.int16)


def wav(path: Path, samples: g711.Samples) -> str:
    """Write a prepared prompt (by libsndfile, not by us)."""
    soundfile.write(path, samples, 8000, subtype="PCM_16")
    return str(path)


def read_wav(path: Path) -> g711.Samples:
    """A recording's samples (by libsndfile, not by us)."""
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8000
    return samples  # type: ignore[no-any-return]
