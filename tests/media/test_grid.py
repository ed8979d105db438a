"""The wheel and the ports: spread starts, absolute deadlines, no bursts, no wake-ups without streams; pairs, rest, skipping."""

from __future__ import annotations

import itertools
from pathlib import Path

from helpers.media_rig import LEG, VirtualRig, sine, wav
from outdial.media import g711
from outdial.media.grid import Wheel
from outdial.media.ports import PortPool, SimulatedPorts
from outdial.model.ids import LegId
from outdial.model.media import CloseStream, Configure, Done, Failed, Load, OpenStream, Play, PlayEnded


class Ticker:
    def __init__(self, period_ms: int = 20) -> None:
        self.period_ms = period_ms
        self.due_ms = 0
        self.on_grid = False
        self.ticks: list[int] = []
        self.left_out = 0

    def tick(self, due_ms: int, late_ms: float, now: float) -> None:
        self.ticks.append(due_ms)

    def missed(self, ticks: int, now: float) -> None:
        self.left_out += ticks


def run(wheel: Wheel, now: float, until: float) -> int:
    wakes = 0
    while (at := wheel.next_at()) is not None and at <= until:
        wheel.run(max(now, at))
        wakes += 1
    return wakes


def test_ticks_come_each_period_for_ever_at_absolute_moments() -> None:
    wheel = Wheel()
    tickers = [Ticker(period) for period in (10, 20, 30, 40, 50, 60)]
    for ticker in tickers:
        wheel.add(ticker, 100.0)
    run(wheel, 100.0, 130.0)
    for ticker in tickers:
        steps = {after - before for before, after in itertools.pairwise(ticker.ticks)}
        assert steps == {ticker.period_ms}
        assert len(ticker.ticks) in (30_000 // ticker.period_ms, 30_000 // ticker.period_ms + 1)


def test_starts_are_spread_and_no_moment_is_crowded() -> None:
    for count, most in ((10, 1), (100, 10), (400, 20), (800, 40)):
        wheel = Wheel()
        tickers = [Ticker() for _ in range(count)]
        for ticker in tickers:
            wheel.add(ticker, 50.0)
        phases = [ticker.due_ms % 20 for ticker in tickers]
        assert max(phases.count(phase) for phase in set(phases)) == most
        assert all(wheel.ms(50.0) < ticker.due_ms <= wheel.ms(50.0) + 20 for ticker in tickers)


def test_without_streams_nothing_wakes_up() -> None:
    wheel = Wheel()
    assert wheel.next_at() is None
    ticker = Ticker()
    wheel.add(ticker, 1.0)
    assert wheel.next_at() is not None
    wheel.remove(ticker)
    assert wheel.next_at() is None
    wheel.add(ticker, 5000.0)
    assert run(wheel, 5000.0, 5001.0) == 50


def test_removing_one_in_the_moment_of_another() -> None:
    wheel = Wheel()
    victim = Ticker()

    class Murderer(Ticker):
        def tick(self, due_ms: int, late_ms: float, now: float) -> None:
            wheel.remove(victim)

    for ticker in (Murderer(10), Murderer(10), Murderer(10), victim):
        wheel.add(ticker, 1.0)
    run(wheel, 1.0, 2.0)
    assert len(victim.ticks) <= 1
    assert len(wheel) == 3


def test_one_that_fails_costs_the_others_nothing() -> None:
    wheel = Wheel()

    class Broken(Ticker):
        def tick(self, due_ms: int, late_ms: float, now: float) -> None:
            raise ZeroDivisionError

    tickers = [Broken(10), *(Ticker(10) for _ in range(10))]
    for ticker in tickers:
        wheel.add(ticker, 1.0)
    failures = 0
    while (at := wheel.next_at()) is not None and at < 2.0:
        try:
            wheel.run(at)
        except ZeroDivisionError:
            failures += 1
    assert failures in (99, 100)
    assert all(len(ticker.ticks) >= 99 for ticker in tickers[1:])


def test_an_hour_of_standing_still_is_left_out_at_once() -> None:
    wheel = Wheel()
    tickers = [Ticker(), Ticker(50)]
    for ticker in tickers:
        wheel.add(ticker, 1.0)
    wheel.run(3601.0)
    for ticker in tickers:
        assert len(ticker.ticks) <= 2
        assert abs(ticker.left_out - 3_600_000 // ticker.period_ms) <= 1
    run(wheel, 3601.0, 3602.0)
    steps = {(after - before) % tickers[0].period_ms for before, after in itertools.pairwise(tickers[0].ticks)}
    assert steps == {0}, "the grid did not move"


def test_late_ticks_are_skipped_counted_and_never_made_up_by_a_burst(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    prompt = sine(440, 2000)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt)))
    for stall in (0.005, 0.025, 0.045, 0.065, 0.15, 0.3):
        virtual.run(0.1)
        before = len(phone.packets)
        virtual.now += stall
        virtual.engine.handle_timer(virtual.now)
        virtual._drain()
        assert len(phone.packets) - before <= 2
    ended = virtual.wait(PlayEnded)
    closed = virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    assert isinstance(closed, Done)
    assert closed.statistics is not None
    packets = phone.packets
    first = next(packet for packet in packets if packet.payload != b"\xff" * 160)
    encoded = g711.encode("PCMU", prompt)
    heard = 0
    for packet in packets:
        offset = (packet.timestamp - first.timestamp) & 0xFFFFFFFF
        if offset < len(encoded):
            assert packet.payload == encoded[offset : offset + 160], "timestamps run on with the prompt"
            heard += 1
    assert closed.statistics.skipped == 100 - heard > 15
    assert ended.played_ms == 2000


def test_load_is_told_each_second_while_streams_are_up(virtual: VirtualRig) -> None:
    virtual.run(5)
    assert virtual.of(Load) == []
    virtual.open(virtual.phone())
    virtual.run(3.05)
    loads = virtual.of(Load)
    assert len(loads) == 3
    assert [(load.streams, load.late, load.ports, load.ports - load.ports_free) for load in loads] == [(1, 0, 5000, 1)] * 3
    assert all(load.sent in (49, 50, 51) for load in loads)
    virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    virtual.run(5)
    assert len(virtual.of(Load)) == 3
    assert virtual.engine.next_deadline() is None


# -- ports


def test_pairs_are_even_and_odd_and_rest_two_seconds() -> None:
    sockets = SimulatedPorts()
    pool = PortPool(10_001, 10_006, sockets)
    assert pool.total == 2
    assert [pool.take("127.0.0.1", 0.0) for _ in range(3)] == [10_002, 10_004, None]
    pool.give_back(10_002, 1.0)
    assert set(sockets.hosts) == {10_004}
    assert pool.take("127.0.0.1", 2.9) is None
    assert pool.take("127.0.0.1", 3.0) == 10_002


def test_a_pair_that_somebody_else_holds_is_skipped_and_tried_again_later() -> None:
    sockets = SimulatedPorts()
    sockets.taken = {10_000, 10_002}
    pool = PortPool(10_000, 10_007, sockets)
    assert [pool.take("127.0.0.1", 0.0) for _ in range(3)] == [10_004, 10_006, None]
    sockets.taken.clear()
    assert pool.take("127.0.0.1", 1.0) == 10_000


def test_when_no_port_is_left_opening_fails_by_name() -> None:
    rig = VirtualRig(Configure(ports=(10_000, 10_003)))
    answers = [rig.ask(OpenStream(id=rig.id(), stream=LegId(f"leg-{n}"))) for n in range(3)]
    assert [answer.rtp_port if isinstance(answer, Done) else answer.reason for answer in answers] == [10_000, 10_002, "no_port"]
    assert isinstance(answers[2], Failed)
    assert answers[2].detail == "no free pair of ports from 10000 to 10003 on 127.0.0.1"
