"""Two engines on one pump with a network between them: how virtual time drives them (DESIGN 3.1)."""

from __future__ import annotations

import heapq
import itertools
import random
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from helpers.media_rig import read_wav, sine, wav
from outdial.core import Pump
from outdial.io.ids import SeededIds
from outdial.io.media_files import MediaFiles
from outdial.media import g711
from outdial.media.engine import Engine
from outdial.media.ports import SimulatedPorts
from outdial.media.values import Packet, SendPacket
from outdial.model.ids import CommandId, LegId
from outdial.model.media import (
    CloseStream,
    Collect,
    Collected,
    Configure,
    Done,
    MediaEvent,
    OpenStream,
    Play,
    PlayEnded,
    Record,
    RecordEnded,
    SendDigits,
    SetRemote,
)

NODE, CARRIER = "192.0.2.1", "198.51.100.1"
LEG, CALLEE = LegId("leg"), LegId("callee")


class Network:
    """Takes `SendPacket`s of both engines, gives `Packet`s to the other after a delay, loses some."""

    def __init__(self, loss: float, seed: int) -> None:
        self.now = 500.0
        self.events: list[MediaEvent] = []
        self.trace: list[tuple[float, bytes]] = []
        self._chance = random.Random(seed)
        self._loss = loss
        self._flying: list[tuple[float, int, str, Packet]] = []
        self._count = itertools.count()
        engines = {
            name: Engine(SeededIds(f"{seed}{name}"), files=MediaFiles(), ports=SimulatedPorts(), wall=lambda at: round(at * 1000))
            for name in ("engine", "carrier_engine")
        }
        kinds = list(get_args(MediaEvent))
        routes: dict[tuple[str, type], str] = {}
        for name in engines:
            routes |= {(name, kind): "events" for kind in kinds} | {(name, SendPacket): "network"}
        self.pump = Pump(engines, {"events": self._event, "network": self._send}, routes)
        for name in engines:
            self.give(name, Configure())

    def give(self, name: str, item: Any) -> None:
        self.pump.give(name, item)
        self.pump.run(self.now)

    def _event(self, event: MediaEvent, now: float) -> None:
        self.events.append(event)

    def _send(self, packet: SendPacket, now: float) -> None:
        self.trace.append((now, packet.data))
        if self._chance.random() >= self._loss:
            name = {NODE: "engine", CARRIER: "carrier_engine"}[packet.destination[0]]
            delivered = Packet(port=packet.destination[1], data=packet.data, source=(packet.host, packet.port))
            heapq.heappush(self._flying, (now + 0.02 + self._chance.uniform(0, 0.01), next(self._count), name, delivered))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            deadline = self.pump.next_deadline()
            at = min(deadline.at if deadline else end + 1, self._flying[0][0] if self._flying else end + 1)
            if at > end:
                self.now = end
                return
            self.now = max(self.now, at)
            while self._flying and self._flying[0][0] <= self.now:
                _, _, name, packet = heapq.heappop(self._flying)
                self.give(name, packet)
            self.pump.fire(self.now)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def conversation(folder: Path, loss: float, seed: int) -> Network:
    """A prompt to the callee, digits and speech from it, a recording; some nine seconds of call."""
    net = Network(loss, seed)
    ids = itertools.count(1)

    def id() -> CommandId:
        return CommandId(next(ids))

    ports = {}
    for name, stream, host in (("engine", LEG, NODE), ("carrier_engine", CALLEE, CARRIER)):
        net.give(name, OpenStream(id=id(), stream=stream, local_host=host))
        ports[name] = net.of(Done)[-1].rtp_port
    for name, stream, host, port in (
        ("engine", LEG, CARRIER, ports["carrier_engine"]),
        ("carrier_engine", CALLEE, NODE, ports["engine"]),
    ):
        net.give(
            name,
            SetRemote(
                id=id(), stream=stream, address=host, port=port, rtcp_port=port + 1, codec="PCMU", send_type=0, accept_types=(0,),
                event_send_type=101, event_accept_types=(101,),
            ),
        )  # fmt: skip
    prompt = Play(id=id(), stream=LEG, path=wav(folder / "prompt.wav", sine(440, 4000)))
    net.give("engine", prompt)
    net.give("engine", Collect(id=id(), stream=LEG, max_digits=4, first_ms=5000, between_ms=3000, after=prompt.id))
    net.run(1.0)
    net.give("carrier_engine", SendDigits(id=id(), stream=CALLEE, digits="1#2*"))
    net.run(2.5)
    net.give("engine", Record(id=id(), stream=LEG, path=str(folder / "message.wav"), silence_ms=1000))
    net.give("carrier_engine", Play(id=id(), stream=CALLEE, path=wav(folder / "speech.wav", sine(700, 2000))))
    net.run(5.0)
    net.give("engine", CloseStream(id=id(), stream=LEG))
    net.give("carrier_engine", CloseStream(id=id(), stream=CALLEE))
    return net


@pytest.mark.parametrize(("loss", "seed"), [(0.0, 1), (0.01, 2), (0.05, 3), (0.2, 4)])
def test_a_call_between_two_engines(tmp_path: Path, loss: float, seed: int) -> None:
    net = conversation(tmp_path, loss, seed)
    (collected,) = net.of(Collected)
    assert (collected.digits, collected.why) == ("1#2*", "max")
    assert net.of(PlayEnded)[0].why == "digit"
    (recorded,) = net.of(RecordEnded)
    assert recorded.why == "silence"
    heard = read_wav(tmp_path / "message.wav")
    assert len(heard) == recorded.samples
    assert abs(len(heard) - 24_000) < 1600
    spoken = g711.decode("PCMU", g711.encode("PCMU", sine(700, 2000)))
    share = np.count_nonzero(np.abs(heard) > 2000) / np.count_nonzero(np.abs(spoken) > 2000)
    assert 1 - 2 * loss - 0.01 <= share <= 1.001
    assert net.pump.next_deadline() is None


def test_the_same_seed_gives_the_same_bytes_at_the_same_moments(tmp_path: Path) -> None:
    one, two = (conversation(tmp_path, 0.05, 9) for _ in range(2))
    assert one.trace == two.trace
    assert one.events == two.events
    other = conversation(tmp_path, 0.05, 10)
    assert other.trace != one.trace
