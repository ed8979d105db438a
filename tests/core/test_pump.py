"""The pump delivers first in first out, one input at a time, and has one table of destinations."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.core import Deadline, Pump, Timers, Unrouted


class Doubler:
    """Puts out two strings for each number it is given, and wakes once at the moment it is told."""

    def __init__(self) -> None:
        self.out: deque[Any] = deque()
        self.wake: float | None = None

    def receive(self, item: Any, now: float) -> None:
        if isinstance(item, float):
            self.wake = item
        else:
            self.out.extend([f"{item}a", f"{item}b"])

    def handle_timer(self, now: float) -> None:
        if self.wake is not None and self.wake <= now:
            self.wake = None
            self.out.append("woke")

    def next_output(self) -> Any | None:
        return self.out.popleft() if self.out else None

    def next_deadline(self) -> Deadline | None:
        return None if self.wake is None else Deadline(self.wake, "wake")


def test_outputs_reach_the_port_in_order_and_observers_see_all() -> None:
    seen: list[str] = []
    passed: list[tuple[str, str, Any, float]] = []
    pump = Pump({"d": Doubler()}, {"p": lambda item, now: seen.append(item)}, {("d", str): "p"}, [lambda *all_: passed.append(all_)])
    pump.give("d", 1)
    pump.give("d", 2)
    pump.run(5.0)
    assert seen == ["1a", "1b", "2a", "2b"]
    assert passed[0] == ("world", "d", 1, 5.0)
    assert passed[-1] == ("d", "p", "2b", 5.0)
    assert pump.idle


def test_a_port_that_gives_back_queues_instead_of_recursing() -> None:
    order: list[Any] = []

    def port(item: Any, now: float) -> None:
        order.append(item)
        if item == "1a":
            pump.give("d", 9)
            pump.run(now)
            order.append("returned")

    pump = Pump({"d": Doubler()}, {"p": port}, {("d", str): "p"})
    pump.give("d", 1)
    pump.run(0.0)
    assert order == ["1a", "returned", "1b", "9a", "9b"]


def test_timers_fire_at_their_moment_and_not_before() -> None:
    seen: list[str] = []
    pump = Pump({"d": Doubler()}, {"p": lambda item, now: seen.append(item)}, {("d", str): "p"})
    pump.give("d", 3.0)
    pump.run(1.0)
    assert pump.next_deadline() == Deadline(3.0, "wake")
    pump.fire(2.9)
    assert seen == []
    pump.fire(3.0)
    assert seen == ["woke"]
    assert pump.next_deadline() is None


def test_a_value_without_a_route_is_a_bug_in_the_wiring() -> None:
    pump = Pump({"d": Doubler()}, {}, {})
    pump.give("d", 1)
    with pytest.raises(Unrouted, match="d put out str, and no route says where it goes"):
        pump.run(0.0)
    with pytest.raises(Unrouted, match="d str goes to nowhere, which is neither a core nor a port"):
        Pump({"d": Doubler()}, {}, {("d", str): "nowhere"})


def test_timers_move_cancel_and_fire_in_order() -> None:
    timers: Timers[str] = Timers()
    timers.set("a", 2.0, "timer_a")
    timers.set("b", 1.0, "timer_b")
    timers.set("a", 3.0, "timer_a")
    timers.set("c", 1.5, "timer_c")
    timers.cancel("c")
    assert timers.next_deadline() == Deadline(1.0, "timer_b")
    assert list(timers.due(2.5)) == ["b"]
    assert timers.next_deadline() == Deadline(3.0, "timer_a")
    assert "a" in timers
    assert len(timers) == 1
    assert list(timers.due(3.0)) == ["a"]
    assert timers.next_deadline() is None


def test_a_thousand_moves_leave_a_small_heap() -> None:
    timers: Timers[int] = Timers()
    for n in range(10_000):
        timers.set(n % 10, float(n), "t")
    assert len(timers._heap) <= 80
    assert sorted(timers.due(20_000.0)) == list(range(10))


class Choosy:
    """Sees strings only."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def wants(self, kind: type) -> bool:
        return kind is str

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        self.seen.append(value)


def test_an_observer_is_shown_what_it_wants() -> None:
    choosy = Choosy()
    pump = Pump({"d": Doubler()}, {"p": lambda item, now: None}, {("d", str): "p"}, [choosy])
    pump.give("d", 1)
    pump.run(0.0)
    assert choosy.seen == ["1a", "1b"]


class Clumsy(Doubler):
    """Raises on every 3, after it has put out something."""

    def receive(self, item: Any, now: float) -> None:
        super().receive(item, now)
        if item == 3:
            raise ValueError("three")


def test_a_core_that_raises_costs_its_input_and_nothing_else() -> None:
    seen: list[str] = []
    faults: list[tuple[str, Any, str]] = []

    def on_fault(where: str, item: Any, error: Exception) -> None:
        faults.append((where, item, str(error)))

    pump = Pump({"c": Clumsy()}, {"p": lambda item, now: seen.append(item)}, {("c", str): "p"}, on_fault=on_fault)
    for item in (2, 3, 4):
        pump.give("c", item)
    pump.run(0.0)
    assert seen == ["2a", "2b", "3a", "3b", "4a", "4b"]
    assert faults == [("c", 3, "three")]
    loud = Pump({"c": Clumsy()}, {"p": lambda item, now: None}, {("c", str): "p"})
    loud.give("c", 3)
    with pytest.raises(ValueError, match="three"):
        loud.run(0.0)


def test_an_observer_that_raises_keeps_nothing_from_being_delivered() -> None:
    seen: list[str] = []
    faults: list[tuple[str, Any, str]] = []

    def observer(source: str, destination: str, item: Any, now: float) -> None:
        raise OSError(f"no space for {item}")

    pump = Pump(
        {"d": Doubler()},
        {"p": lambda item, now: seen.append(item)},
        {("d", str): "p"},
        [observer],
        lambda where, item, error: faults.append((where, item, str(error))),
    )
    pump.give("d", 1)
    pump.run(5.0)
    assert seen == ["1a", "1b"]
    assert faults[0] == ("d", 1, "no space for 1")
    assert len(faults) == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("wake", "replace")), st.floats(0.0, 10.0)), max_size=30))
def test_the_soonest_deadline_is_that_of_all_cores(steps: list[tuple[str, str, float]]) -> None:
    cores = {name: Doubler() for name in "abc"}
    pump = Pump(cores, {"port": lambda item, now: None}, {(name, str): "port" for name in "abc"})
    now = 0.0
    for name, what, at in steps:
        if what == "replace":
            cores[name] = Doubler()
            pump.replace(name, cores[name])
        else:
            pump.give(name, now + at)
            pump.run(now)
        wanted = min((core.wake for core in cores.values() if core.wake is not None), default=None)
        found = pump.next_deadline()
        assert (None if found is None else found.at) == wanted
        if wanted is not None and at > 5.0:
            now = wanted
            pump.fire(now)
            assert all(core.wake is None or core.wake > now for core in cores.values())
