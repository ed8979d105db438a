"""What concerns all calls: the engine's death, the drain, quotas, overload, the database, calls from outside."""

from __future__ import annotations

import pytest

from helpers.call_world import SPEAK, US, World
from outdial.model import media, work
from outdial.model.events import HungUp
from outdial.model.ids import KeyId
from outdial.model.invocations import Replied
from outdial.model.records import Cdr
from outdial.model.requests import Drain, Drained, Placed, Refused
from outdial.model.settings import CallSettings
from outdial.sip import values as sip


def load(**changes: int) -> media.Load:
    fields = {"streams": 10, "sent": 500, "late": 0, "worst_ms": 1, "ports_free": 4000, "ports": 5000, "cpu": 0.1}
    return media.Load(**(fields | changes))  # type: ignore[arg-type]


def test_the_death_of_the_engine_ends_every_call_properly() -> None:
    world = World()
    world.connect()
    world.reply(SPEAK)
    connected = world.call
    world.place()
    ringing = world.call
    world.rings()
    world.clear()
    world.give(media.EngineGone(detail="killed"))
    assert len(world.all(sip.Bye)) == 1
    assert len(world.all(sip.Cancel)) == 1
    assert not world.all(media.CloseStream)
    for call in (connected, ringing):
        assert not world.control._calls[call].alive
    world.place()
    assert world.refusal.reason == "no_media"
    assert world.refusal.detail == "The media engine is not ready. It is started again by itself; try again in a moment."
    world.give(media.Ready(version="again"))
    world.place()
    assert len(world.all(Placed)) == 1
    assert isinstance(world.given[-2].event, HungUp)
    assert world.given[-2].event.termination.reason == "media_lost"


def test_before_the_engine_is_ready_nothing_is_dialled() -> None:
    from helpers.call_world import wall
    from outdial.calls import Control
    from outdial.io.ids import SeededIds

    control = Control(SeededIds("fresh"), wall, CallSettings())
    control.receive(World().request(), 1.0)
    refused = control.next_output()
    assert isinstance(refused, Refused)
    assert refused.refusal.reason == "no_media"


def test_a_drain_without_calls_is_done_at_once() -> None:
    world = World()
    world.give(Drain(within=20.0))
    assert len(world.all(Drained)) == 1
    world.place()
    assert world.refusal.reason == "draining"
    assert world.control.next_deadline() is None


def test_a_drain_waits_for_calls_to_end() -> None:
    world = World()
    world.connect()
    world.reply()
    world.give(Drain(within=20.0))
    world.wait(10)
    world.bye()
    assert not world.all(Drained)
    world.reply()
    assert len(world.all(Drained)) == 1
    assert world.out[-1] == Drained()
    assert world.control.next_deadline() is None


def test_a_drain_that_runs_out_ends_calls() -> None:
    world = World()
    world.connect()
    world.reply()
    world.give(Drain(within=20.0))
    world.wait(19.9)
    assert not world.all(sip.Bye)
    world.wait(0.2)
    assert len(world.all(sip.Bye)) == 1
    assert isinstance(world.event, HungUp)
    assert (world.event.termination.reason, world.event.termination.answered) == ("shutdown", True)
    assert not world.all(Drained)
    world.reply()
    assert len(world.all(Drained)) == 1


def test_a_drain_waits_five_seconds_for_the_hangups() -> None:
    world = World()
    world.connect()
    world.reply()
    world.give(Drain(within=0.0))
    world.wait(4.9)
    assert not world.all(Drained)
    world.wait(0.2)
    assert len(world.all(Drained)) == 1
    world.reply()
    assert len(world.all(Drained)) == 1


def test_hang_up_now() -> None:
    world = World()
    world.connect()
    world.reply()
    world.give(Drain(within=20.0))
    world.wait(1)
    world.give(Drain(within=0.0))
    world.wait(0)
    assert len(world.all(sip.Bye)) == 1
    world.give(Drain(within=0.0))
    world.wait(5)
    assert len(world.all(Drained)) == 1


def test_calls_count_until_their_cdr() -> None:
    world = World(max_calls=2)
    world.place()
    world.connect()
    world.place()
    assert world.refusal.reason == "too_many_calls"
    world.reply()
    world.bye()
    world.place()
    assert len(world.all(Refused)) == 2
    world.reply()
    world.place()
    assert len(world.all(Placed)) == 3


def test_calls_are_counted_for_each_key() -> None:
    world = World(max_calls_per_key=1)
    world.place()
    world.place()
    assert world.refusal.detail == (
        "1 calls of this access key are in progress, and max_calls_per_key is 1. Wait for one to end, or raise it."
    )
    world.place(key=KeyId("AKOTHER"))
    assert len(world.all(Placed)) == 2


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (load(late=5), "5 of 500 packets were later than 20 ms within the last second."),
        (load(ports_free=99), "only 99 of 5000 ports for audio are free."),
        (work.MachineState(loop_lag_ms=101.0), "the node's loop lagged by 101 ms within the last second."),
    ],
    ids=["late", "ports", "lag"],
)
def test_a_machine_that_does_not_keep_up_takes_no_calls(state: object, why: str) -> None:
    world = World()
    world.give(state)
    world.place()
    assert world.refusal.reason == "overloaded"
    assert world.refusal.detail == f"This machine does not keep up: {why} Try again in a second, or place fewer calls."
    world.wait(2.0)
    world.place()
    assert len(world.all(Placed)) == 1


@pytest.mark.parametrize("state", [load(late=4), load(sent=1000, late=9), load(ports_free=100), work.MachineState(loop_lag_ms=100.0)])
def test_a_machine_that_keeps_up(state: object) -> None:
    world = World()
    world.give(state)
    world.place()
    assert world.all(Placed)


def test_while_the_database_refuses_only_creates_fail() -> None:
    world = World()
    world.connect()
    world.give(work.StoreState(refusing=True, detail="database is locked"))
    world.reply(SPEAK)
    assert world.all(media.Play)
    world.place()
    assert world.refusal.reason == "store"
    assert world.refusal.detail == (
        "The database takes no writes at the moment (database is locked). Look at the disk and at who locks the file; then try again."
    )
    world.give(work.StoreState(refusing=False))
    world.place()
    assert len(world.all(Placed)) == 2


def test_two_thousand_calls_at_once() -> None:
    world = World()
    for _ in range(2000):
        world.place()
    calls = world.all(Placed)
    assert len({placed.call for placed in calls}) == 2000
    world.wait(90)
    assert len(world.all(sip.Cancel)) == 2000
    for _ in range(2):
        for invoke in list({given.call: given for given in world.given}.values()):
            world.give(Replied(call=invoke.call, sequence=invoke.sequence))
    assert len(world.records(Cdr)) == 2000
    assert not world.control.shared.active
    assert world.control.next_deadline() is None


def test_a_call_from_outside_finds_nobody() -> None:
    world = World()
    world.give(
        sip.Incoming(session="s", uri="sip:a@b", from_uri="sip:c@d", from_name="", to_uri="sip:a@b", headers=(), body=b"", source=US)
    )
    assert world.out == [sip.Reject(session="s", status=404)]


def test_what_nobody_knows_any_more_is_dropped() -> None:
    world = World()
    world.give(
        sip.ByeReceived(session="gone"),
        sip.Over(session="gone", who="peer", status=0),
        work.Saved(token=world.request().token),
        media.Done(id=1, stream="gone"),  # type: ignore[arg-type]
        media.Digit(stream="gone", digit="1", duration_ms=0, how="event"),  # type: ignore[arg-type]
    )
    assert world.out == []


def test_what_the_engine_notices_is_noted() -> None:
    world = World()
    world.connect()
    world.give(
        media.FirstPacket(stream=world.leg, source="192.0.2.9:40000"),
        media.SourceAdopted(stream=world.leg, source="198.51.100.1:5000"),
        media.Stranger(stream=world.leg, source="203.0.113.1:5000", count=50),
    )
    assert world.notes()[-3:] == [
        "the first packet has been received",
        "audio is believed from another address than the SDP's",
        "audio from a stranger was dropped while the far end's own address is silent",
    ]
    assert world.last(work.Note).facts["hint"] == "if the trunk sits behind NAT, set nat for it"
    assert not [note for note in world.all(work.Note) if "203.0.113.1" in str(note)]
