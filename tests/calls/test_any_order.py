"""Whatever comes, in whatever order: Sequence has no gap, each leg ends once, one CDR, nothing after the last event, no exception."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.call_chaos import Chaos
from helpers.call_world import REPEAT
from outdial.model.events import HungUp, NewOutboundCall
from outdial.model.records import CallEnded, CallRow, Cdr, EventRow, LegEnded, RepeatRow
from outdial.model.requests import Placed, Refused
from outdial.sip import values as sip

CHOICES = st.lists(st.integers(min_value=0, max_value=2**20), min_size=5, max_size=80)
FAULTS = ("came to a",)


def play(choices: list[int], **knobs: Any) -> Chaos:
    world = Chaos(ring_timeout_s=30.0, max_call_s=200.0, **knobs)
    world.place(repeat=REPEAT)
    if choices[0] % 4:
        world.set_up()
        world.call = world.all(Placed)[-1].call
    for choice in choices:
        world.choose(choice)
        if not world.call and (placed := world.all(Placed)):
            world.call = placed[-1].call
    world.settle()
    return world


def check(world: Chaos) -> None:
    placed, refused = world.all(Placed), [it for it in world.all(Refused) if it.refusal.reason not in ("no_call", "too_many_events")]
    assert len(placed) + len(refused) == 1
    assert not [note for note in world.notes() if any(fault in note for fault in FAULTS)], world.notes()
    assert world.control.next_deadline() is None
    assert not world.control.shared.active
    assert not world.control.shared.owners
    assert not world.control.shared._waiting
    assert not world.control.shared._alarms
    if refused:
        assert not world.all(sip.Go)
        assert not world.given
        assert not world.records(CallEnded)
        return
    assert [invoke.sequence for invoke in world.given] == list(range(1, len(world.given) + 1))
    assert isinstance(world.given[0].event, NewOutboundCall)
    assert isinstance(world.given[-1].event, HungUp)
    assert sum(isinstance(invoke.event, HungUp) for invoke in world.given) == 1
    assert len(world.records(CallRow)) == len(world.records(RepeatRow)) == 1
    assert len(world.records(LegEnded)) == len(world.records(Cdr)) == len(world.records(CallEnded)) == 1
    numbers = [row.number for row in world.records(EventRow)]
    assert numbers == list(range(1, len(numbers) + 1))
    given = [invoke.number for invoke in world.given]
    assert given == sorted(given)
    if not any(note.startswith("events were dropped") for note in world.notes()):
        assert given == numbers
    assert world.cdr.invocations == len(world.given)
    assert len(world.all(sip.Bye)) + len(world.all(sip.Cancel)) <= 1


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHOICES)
def test_any_order_of_events_answers_and_faults(choices: list[int]) -> None:
    check(play(choices))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHOICES)
def test_the_same_inputs_give_the_same_outputs(choices: list[int]) -> None:
    assert play(choices).out == play(choices).out


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHOICES)
def test_several_calls_do_not_disturb_each_other(choices: list[int]) -> None:
    world = Chaos(ring_timeout_s=30.0, max_call_s=200.0)
    for n in range(4):
        world.place()
        if choices[0] >> n & 1:
            world.set_up()
    for choice in choices:
        world.choose(choice)
    world.settle()
    assert not [note for note in world.notes() if any(fault in note for fault in FAULTS)], world.notes()
    assert not world.control.shared.active
    for placed in world.all(Placed):
        given_to = [invoke for invoke in world.given if invoke.call == placed.call]
        assert [invoke.sequence for invoke in given_to] == list(range(1, len(given_to) + 1))
        assert isinstance(given_to[-1].event, HungUp)
        assert len({invoke.leg for invoke in given_to}) == 1
        assert sum(row.call == placed.call for row in world.records(Cdr)) == 1
        assert sum(row.call == placed.call for row in world.records(CallEnded)) == 1
    assert len(world.records(LegEnded)) == len(world.all(Placed))
