"""What real applications rely on (reference/real-handlers, section 2), as far as call control decides it; each test names its trait."""

from __future__ import annotations

import re
from typing import Any

import pytest

from helpers.call_world import HANGUP, LISTEN, PAUSE, PLAY, RECORD, SPEAK, World, action
from outdial.model import media, work
from outdial.model.events import ActionSucceeded, DigitsReceived, HungUp, NewOutboundCall, Ringing, UpdateRequested
from outdial.model.records import CallEnded
from outdial.model.requests import Placed
from outdial.sip import values as sip


def connected(*actions: Any) -> World:
    world = World()
    world.connect()
    world.reply(*actions)
    return world


@pytest.mark.parametrize("returned", [(), (SPEAK,), (PLAY, HANGUP)], ids=["nothing", "Speak", "stale actions with a Hangup"])
def test_trait_1_replies_to_new_outbound_call_and_ringing_are_ignored(returned: tuple[Any, ...]) -> None:
    world = World()
    world.place()
    world.reply(*returned)
    world.rings()
    world.reply(*returned)
    assert not world.all(media.Play) + world.all(work.Prompt) + world.all(sip.Cancel) + world.all(sip.Bye)
    world.answers()
    assert world.told[-1] == "Answered"


@pytest.mark.parametrize("returned", [(HANGUP,), (), (action(""),)], ids=["a leg already gone", "absent", "an empty string"])
def test_trait_2_a_reply_to_hangup_neither_loops_nor_keeps_the_call_alive(returned: tuple[Any, ...]) -> None:
    world = connected()
    world.bye()
    world.reply(*returned)
    assert world.records(CallEnded)
    assert world.told[-1] == "HungUp"
    bad = connected()
    bad.bye()
    bad.bad_reply()
    assert bad.records(CallEnded)
    assert "InvalidReply" not in bad.told


def test_trait_3_a_hangup_of_the_only_leg_gives_hangup_next() -> None:
    world = connected(PLAY, HANGUP)
    before = world.given[-1].sequence
    world.played()
    assert isinstance(world.event, HungUp)
    assert world.given[-1].sequence == before + 1
    assert world.invoked.participants[0].status == "Disconnected"


def test_trait_4_one_action_successful_a_list_with_its_last_action() -> None:
    world = connected(SPEAK, LISTEN)
    world.played()
    assert world.told.count("ActionSucceeded") == 1
    assert isinstance(world.event, ActionSucceeded)
    assert world.event.action.type == "ReceiveDigits"
    assert "DigitsReceived" not in world.told


def test_trait_5_digits_received_carries_digits_and_receive_digits() -> None:
    world = connected(LISTEN)
    world.reply()
    world.presses("2")
    world.wait(1)
    assert isinstance(world.event, DigitsReceived)
    assert (world.event.action.type, world.event.digits) == ("ReceiveDigits", "2")


@pytest.mark.parametrize("selectors", [{}, {"CallId": ""}, {"ParticipantTag": ""}, {"CallId": "", "ParticipantTag": ""}])
@pytest.mark.parametrize("kind", ["Speak", "Hangup"])
def test_traits_8_and_9_empty_and_absent_selectors_mean_leg_a(kind: str, selectors: dict[str, str]) -> None:
    world = connected(action(kind, Text="Hello", **selectors) if kind == "Speak" else action(kind, **selectors))
    if kind == "Speak":
        assert world.last(media.Play).stream == world.leg
    else:
        assert world.last(sip.Bye).session == world.leg


@pytest.mark.parametrize("name", ["Answer", "StartMediaStreamingPipeline"])
def test_trait_10_an_unknown_action_that_got_here_fails_and_crashes_nothing(name: str) -> None:
    world = connected(action(name))
    assert world.told[-1] == "ActionFailed"


def test_trait_12_attributes_are_absent_then_echoed_in_every_event_kept_when_not_returned_and_may_be_nested() -> None:
    nested = {"state": {"step": 2, "list": [1, None, "x"]}, "n": 1.5}
    world = World()
    world.place()
    assert world.invoked.attributes is None
    world.reply(attributes=nested)
    world.rings()
    world.reply()
    world.answers()
    world.reply(SPEAK)
    world.played()
    world.reply()
    world.bye()
    assert [invoke.attributes for invoke in world.given[1:]] == [nested] * 4


def test_trait_13_arguments_are_in_new_outbound_call_only_where_they_were_given() -> None:
    world = World()
    world.place(arguments={"k": "v"})
    assert world.event == NewOutboundCall(arguments={"k": "v"})
    world.reply()
    world.rings()
    assert world.event == Ringing()
    without = World()
    without.place()
    assert without.event == NewOutboundCall(arguments=None)
    empty = World()
    empty.place(arguments={})
    assert empty.event == NewOutboundCall(arguments={})
    update = connected()
    update.update(arguments={"action": "mute"})
    assert update.event == UpdateRequested(arguments={"action": "mute"})


def test_traits_14_and_15_status_is_absent_first_then_connected_then_disconnected() -> None:
    world = World()
    world.connect()
    world.reply()
    world.bye()
    assert [invoke.participants[0].status for invoke in world.given] == [None, None, "Connected", "Disconnected"]
    assert {invoke.participants[0].tag for invoke in world.given} == {"LEG-A"}
    never = World()
    never.place()
    never.reply()
    never.fails(486, "Busy Here")
    assert never.invoked.participants[0].status == "Disconnected"


def test_trait_16_the_transaction_id_is_a_lower_case_uuid() -> None:
    world = World()
    world.place()
    for text in (world.last(Placed).call, world.leg):
        assert re.fullmatch(r"[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", text)


def test_trait_18_the_recording_is_delivered_before_its_event() -> None:
    world = World()
    world.quiet(work.Deliver)
    world.connect()
    world.reply(RECORD)
    world.recorded("digit", "#")
    assert world.told[-1] == "Answered"
    world.give(work.Delivered(token=world.last(work.Deliver).token))
    assert isinstance(world.event, ActionSucceeded)
    assert world.event.results["RecordingDestination"]["Key"] == world.last(work.Deliver).key


def test_trait_19_a_handler_that_throws_on_an_informational_event_ends_nothing() -> None:
    world = World()
    world.place()
    world.reply()
    world.rings()
    world.handler_fails()
    world.answers()
    world.reply(PAUSE)
    world.update()
    world.reply(SPEAK)
    assert world.told[-1] == "ActionInterrupted"
    world.handler_fails()
    assert not world.all(sip.Bye)
    world.bye()
    world.handler_fails()
    assert world.cdr.termination.reason == "completed"


def test_trait_20_a_handler_may_take_eighteen_seconds() -> None:
    world = World()
    world.connect()
    world.wait(18)
    world.reply(SPEAK)
    assert world.all(media.Play)
