"""When a child that died is started again."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from outdial.children.child import CHILD, ChildInput, ChildPhase
from outdial.children.children import Children
from outdial.children.values import Child, ChildExited, ChildReady, EndChild, StartChild, Unwant, Want
from outdial.core import missing

START, END = StartChild(child="engine"), EndChild(child="engine")


def drain(children: Children) -> list[Any]:
    return list(iter(children.next_output, None))


def give(children: Children, item: Any, now: float) -> list[Any]:
    children.receive(item, now)
    return drain(children)


def wait(children: Children, until: float) -> list[tuple[float, Any]]:
    """Let time pass; what came out, and when."""
    out: list[tuple[float, Any]] = []
    while (deadline := children.next_deadline()) is not None and deadline.at <= until:
        children.handle_timer(deadline.at)
        out += [(deadline.at, item) for item in drain(children)]
    return out


def running(ready_at: float = 0.0) -> Children:
    children = Children()
    assert give(children, Want(child="engine"), ready_at) == [START]
    assert give(children, ChildReady(child="engine"), ready_at) == []
    return children


def dies(children: Children, at: float) -> None:
    assert give(children, ChildExited(child="engine", status=-11), at) == []


def test_the_table_is_total() -> None:
    assert missing(CHILD, ChildPhase, ChildInput) == []


@pytest.mark.parametrize("name", get_args(Child))
def test_a_child_starts_when_it_is_first_wanted_and_once(name: Child) -> None:
    children = Children()
    assert drain(children) == []
    assert children.state(name, 0.0).state == "absent"
    assert give(children, Want(child=name), 0.0) == [StartChild(child=name)]
    assert give(children, Want(child=name), 0.1) == []
    assert children.state(name, 0.1).state == "starting"
    give(children, ChildReady(child=name), 0.2)
    assert children.state(name, 0.2).state == "ready"
    assert children.next_deadline() is None


def test_the_first_death_is_followed_by_a_start_at_once() -> None:
    children = running()
    dies(children, 10.0)
    assert wait(children, 20.0) == [(10.0, START)]


def test_the_second_death_within_a_minute_waits_a_second() -> None:
    children = running()
    dies(children, 10.0)
    wait(children, 10.0)
    dies(children, 30.0)
    assert wait(children, 40.0) == [(31.0, START)]


def test_three_deaths_within_a_minute_make_it_rest_for_30_seconds() -> None:
    children = running()
    for at in (10.0, 11.0):
        dies(children, at)
        wait(children, at + 1)
    dies(children, 20.0)
    state = children.state("engine", 25.0)
    assert (state.state, state.resting_s, state.detail) == ("resting", 25.0, "signal 11")
    assert wait(children, 100.0)[0] == (50.0, START)


def test_deaths_more_than_a_minute_apart_are_first_deaths() -> None:
    children = running()
    for at in (10.0, 80.0, 150.0):
        dies(children, at)
        assert wait(children, at + 5) == [(at, START)]
        give(children, ChildReady(child="engine"), at + 5)


def test_an_end_that_we_made_is_no_death() -> None:
    children = running()
    assert give(children, Unwant(child="engine"), 10.0) == [END]
    assert give(children, ChildExited(child="engine", status=-15), 10.1) == []
    assert children.next_deadline() is None
    assert give(children, Want(child="engine"), 11.0) == [START]
    give(children, ChildReady(child="engine"), 11.0)
    dies(children, 12.0)
    assert wait(children, 20.0) == [(12.0, START)]


def test_a_child_wanted_again_while_it_ends_starts_when_it_has_gone() -> None:
    children = running()
    give(children, Unwant(child="engine"), 10.0)
    assert give(children, Want(child="engine"), 10.1) == []
    assert give(children, ChildExited(child="engine", status=0), 10.5) == [START]


def test_a_child_that_never_becomes_ready_is_ended_and_counts_as_dead() -> None:
    children = Children(ready_within_s=15.0)
    give(children, Want(child="engine"), 0.0)
    assert wait(children, 20.0) == [(15.0, END)]
    assert give(children, ChildExited(child="engine", status=-9), 17.0) == []
    assert wait(children, 17.0) == [(17.0, START)]


def test_a_resting_child_that_is_no_longer_wanted_stays_away() -> None:
    children = running()
    dies(children, 10.0)
    give(children, Unwant(child="engine"), 10.0)
    assert children.next_deadline() is None
    assert children.state("engine", 10.0).state == "absent"
