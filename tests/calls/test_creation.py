"""How a call comes to be, arrow by arrow (DESIGN 3.2): before the commit everything is taken back, after it everything is told."""

from __future__ import annotations

import pytest

from helpers.call_world import APPLICATION, REPEAT, World, wall
from outdial.model import media, work
from outdial.model.events import HungUp, NewOutboundCall
from outdial.model.ids import FunctionName
from outdial.model.invocations import FunctionState, Invoke
from outdial.model.records import CallEnded, CallRow, Cdr, EventRow, LegEnded, LegInvite, LegRow, RepeatRow
from outdial.model.requests import Drain, Drained, Placed, Refused
from outdial.sip import values as sip


def nothing_is_left(world: World) -> None:
    assert not world.all(Placed)
    assert not world.all(sip.Go)
    assert not world.all(Invoke)
    assert world.control.next_deadline() is None
    assert not world.control.shared.active


def test_no_port_is_a_refusal() -> None:
    world = World()
    world.quiet(media.OpenStream)
    world.place()
    opening = world.last(media.OpenStream)
    world.give(media.Failed(id=opening.id, stream=opening.stream, reason="no_port"))
    assert world.refusal.reason == "no_media"
    assert world.refusal.detail == "No port for audio is free (no_port). Widen --rtp, or place fewer calls."
    nothing_is_left(world)


@pytest.mark.parametrize("silent", [media.OpenStream, sip.Dial])
def test_what_takes_longer_than_three_seconds_is_refused_and_taken_back(silent: type) -> None:
    world = World()
    world.quiet(silent)
    world.place()
    world.wait(2.9)
    assert not world.all(Refused)
    world.wait(0.2)
    assert world.refusal.reason == "timeout"
    assert world.refusal.detail == "The call could not be set up within 3 s, and nothing was dialled. Try again."
    assert len(world.all(media.CloseStream)) == 1
    assert len(world.all(sip.Cancel)) == (silent is sip.Dial)
    nothing_is_left(world)


def test_a_commit_that_does_not_come_is_withdrawn_and_nothing_dials_later() -> None:
    world = World()
    world.quiet(work.Save)
    world.place()
    world.wait(3.1)
    assert world.last(work.Withdraw).token == world.last(work.Save).token
    assert world.refusal.reason == "store"
    assert world.refusal.detail == (
        "The database did not take the call within 3 s, and nothing was dialled. "
        "Look at the disk and at who locks the file; then try again."
    )
    assert world.kinds()[-3:] == ["Cancel", "CloseStream", "Refused"]
    nothing_is_left(world)


def test_a_withdrawal_that_comes_too_late_is_a_call() -> None:
    world = World()
    world.quiet(work.Save, work.Withdraw)
    world.place()
    world.wait(3.1)
    assert not world.all(Refused)
    world.give(work.Saved(token=world.last(work.Withdraw).token))
    assert world.kinds()[-3:] == ["Placed", "Go", "Invoke"]
    assert not world.all(Refused)


def test_a_name_that_does_not_resolve_is_a_call_without_invite() -> None:
    world = World()
    world.quiet(sip.Dial)
    world.place()
    world.fails(503, "the name trunk.example.com does not exist", who="network")
    assert world.all(Placed)
    assert not world.all(sip.Go)
    assert not world.records(LegInvite)
    assert isinstance(world.event, NewOutboundCall)
    world.reply()
    assert isinstance(world.event, HungUp)
    assert world.event.termination.reason == "unreachable"
    world.reply()
    assert world.cdr.termination.reason == "unreachable"
    world.place()
    assert len(world.all(media.OpenStream)) == 2, "the trunk has not failed: a name has"


def test_the_engine_dies_before_anything_is_saved() -> None:
    for silent in (media.OpenStream, sip.Dial):
        world = World()
        world.quiet(silent)
        world.place()
        world.give(media.EngineGone())
        assert world.refusal.reason == "no_media"
        assert world.refusal.detail == (
            "The media engine died while the call was being set up; nothing was dialled. Try again in a moment."
        )
        assert not world.all(media.CloseStream)
        nothing_is_left(world)


def test_the_engine_dies_while_the_commit_is_under_way() -> None:
    world = World()
    world.quiet(work.Save)
    world.place()
    world.give(media.EngineGone())
    world.give(work.Saved(token=world.last(work.Save).token))
    assert world.all(Placed)
    assert not world.all(sip.Go)
    assert len(world.all(sip.Cancel)) == 1
    world.reply()
    world.reply()
    assert world.cdr.termination.reason == "media_lost"


@pytest.mark.parametrize("late", [False, True])
def test_the_session_is_over_while_the_commit_is_under_way(late: bool) -> None:
    world = World()
    world.quiet(work.Save, work.Withdraw)
    world.place()
    if late:
        world.wait(3.1)
    world.give(sip.Over(session=world.leg, who="network", status=503))
    world.give(work.Saved(token=world.last(work.Save).token))
    assert world.all(Placed)
    assert not world.all(sip.Go)
    world.reply()
    world.reply()
    assert world.cdr.termination.reason == "unreachable"


def test_the_engine_dies_while_the_commit_is_being_withdrawn() -> None:
    world = World()
    world.quiet(work.Save, work.Withdraw)
    world.place()
    world.wait(3.1)
    world.give(media.EngineGone())
    world.give(work.Withdrawn(token=world.last(work.Withdraw).token))
    assert world.refusal.reason == "store"
    assert not world.all(media.CloseStream)
    nothing_is_left(world)


@pytest.mark.parametrize(
    "state",
    [
        FunctionState(function=APPLICATION.function, state="broken", detail="/srv/app.py, line 3: invalid syntax"),
        FunctionState(function=APPLICATION.function, state="unserved"),
    ],
    ids=["broken", "unserved"],
)
def test_a_function_that_cannot_be_invoked_is_a_call_that_is_not_dialled(state: FunctionState) -> None:
    world = World()
    world.give(state)
    world.place(repeat=REPEAT)
    assert world.kinds() == ["Save", "Placed"]
    save = world.last(work.Save)
    assert save.grade == "synced"
    assert [type(record) for record in save.unit] == [CallRow, LegRow, EventRow, LegEnded, Cdr, CallEnded, RepeatRow]
    (event,) = world.records(EventRow)
    assert isinstance(event.event, HungUp)
    assert event.participants[0].status == "Disconnected"
    assert world.cdr.termination.reason == "handler_failed"
    assert world.cdr.termination.detail == f"The function reminder cannot be invoked: {state.detail or 'unserved'}"
    assert world.cdr.ended_at == wall(world.now)
    nothing = World()
    nothing.give(state)
    nothing.quiet(work.Save)
    nothing.place()
    nothing.wait(3.1)
    assert nothing.refusal.reason == "store"
    nothing_is_left(nothing)
    assert not nothing.all(media.CloseStream)


def test_a_function_that_nobody_ever_spoke_of_is_unserved() -> None:
    world = World()
    facts = world.request().facts
    from msgspec.structs import replace

    other = replace(APPLICATION, function=FunctionName("later"))
    world.place(facts=replace(facts, application=other))
    assert world.cdr.termination.detail == (
        "The function later cannot be invoked: nothing serves it. Serve it with --function NAME=SPEC, "
        "or name it under [function] in the configuration."
    )
    assert not world.all(sip.Dial)


@pytest.mark.parametrize("silent", [media.OpenStream, sip.Dial, work.Save])
def test_a_drain_that_runs_out_takes_creations_back(silent: type) -> None:
    world = World()
    world.quiet(silent)
    world.place()
    world.give(Drain(within=1.0))
    world.wait(1.1)
    assert world.refusal.reason == "draining"
    assert world.refusal.detail == ("This node is shutting down, and nothing was dialled. Try another node, or this one after its restart.")
    assert len(world.all(Drained)) == 1
    nothing_is_left(world)


def test_a_call_that_was_saved_after_all_is_ended_by_the_drain() -> None:
    world = World()
    world.quiet(work.Save, work.Withdraw)
    world.place()
    world.give(Drain(within=1.0))
    world.wait(1.1)
    world.give(work.Saved(token=world.last(work.Withdraw).token))
    assert world.all(Placed)
    assert not world.all(sip.Go)
    world.reply()
    world.reply()
    assert world.cdr.termination.reason == "shutdown"
    assert len(world.all(Drained)) == 1


def test_the_uris_of_the_invite() -> None:
    from outdial.model.settings import Trunk

    world = World(trunk=Trunk(name="pstn", uri="sips:user@trunk.example.com:5061;transport=tls"), local_host="2001:db8::1")
    world.place(to="12065550150", from_="12065550100")
    dial = world.last(sip.Dial)
    assert dial.target == "sips:user@trunk.example.com:5061;transport=tls"
    assert dial.uri == dial.to_uri == "sips:+12065550150@trunk.example.com:5061"
    assert dial.from_uri == "sips:+12065550100@[2001:db8::1]"
    assert world.records(LegRow)[0].trunk == "pstn"
    assert world.records(LegRow)[0].participant.to == "+12065550150"


def test_an_invite_again_waits_for_its_own_commit() -> None:
    world = World()
    world.place()
    world.quiet(work.Save)
    world.give(sip.Held(session=world.leg, invite=b"INVITE with credentials", source=world_source(), destination=world_source()))
    _, second = world.records(LegInvite)
    assert second.invite == b"INVITE with credentials"
    assert len(world.all(sip.Go)) == 1
    world.give(work.Saved(token=world.last(work.Save).token))
    assert len(world.all(sip.Go)) == 2
    world.rings()
    world.give(sip.Held(session=world.leg, invite=b"INVITE to the next", source=world_source(), destination=world_source()))
    assert len(world.all(sip.Go)) == 2
    world.wait(1.0)
    assert len(world.all(sip.Go)) == 3, "while the database refuses it is held for 1 s and no longer"
    assert "invite did not wait for its commit any longer" in world.notes()


def world_source() -> sip.Address:
    return sip.Address(host="192.0.2.9", port=5060)
