"""How a list runs (reference 6.3): in order, reported where it must be, replaced or continued by the reply to a report."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.call_world import ASK, HANGUP, LISTEN, PAUSE, PLAY, RECORD, SPEAK, World, action
from outdial.model import media, work
from outdial.model.events import ActionFailed, ActionInterrupted, ActionSucceeded, DigitsReceived, HungUp
from outdial.sip import values as sip


def connected(*actions: Any, **settings: Any) -> World:
    world = World(**settings)
    world.connect()
    world.reply(*actions)
    return world


def done(world: World) -> None:
    """The running action's long command ends well."""
    world.played()


def succeeded(world: World) -> str:
    assert isinstance(world.event, ActionSucceeded)
    return world.event.action.type


def test_a_list_without_data_is_reported_once_with_its_last_action() -> None:
    world = connected(PAUSE, PLAY, SPEAK)
    for _ in range(3):
        assert world.told[-1] == "Answered"
        done(world)
    assert succeeded(world) == "Speak"
    world.reply()
    assert world.told.count("ActionSucceeded") == 1


def test_arming_a_listener_is_done_at_once() -> None:
    world = connected(SPEAK, LISTEN)
    done(world)
    assert succeeded(world) == "ReceiveDigits"
    assert isinstance(world.event, ActionSucceeded)
    assert world.event.results == {"ReceivedDigits": ""}


def test_a_report_in_mid_list_makes_the_rest_wait() -> None:
    world = connected(RECORD, PLAY)
    world.recorded("digit", "#")
    assert succeeded(world) == "RecordAudio"
    assert not world.all(media.Play)
    world.reply()
    assert len(world.all(media.Play)) == 1
    done(world)
    assert succeeded(world) == "PlayAudio"


def test_an_answer_with_actions_replaces_the_rest() -> None:
    world = connected(RECORD, PLAY)
    world.recorded("limit")
    world.reply(PAUSE)
    assert world.last(media.Play).silence_ms == 1000
    done(world)
    assert succeeded(world) == "Pause"
    world.reply()
    assert len(world.all(media.Play)) == 1


def test_the_rest_waits_for_the_very_reply_to_the_report() -> None:
    world = connected(RECORD, PLAY)
    world.update()
    world.recorded("limit")
    world.reply()
    assert succeeded(world) == "RecordAudio"
    assert not world.all(media.Play), "the update's reply was not the report's"
    world.reply()
    assert len(world.all(media.Play)) == 1


def test_an_updates_reply_replaces_a_rest_that_waits() -> None:
    world = connected(RECORD, PLAY)
    world.update()
    world.recorded("limit")
    world.reply(PAUSE)
    assert world.last(media.Play).silence_ms == 1000
    world.reply()
    assert len(world.all(media.Play)) == 1


def test_after_a_bad_reply_to_a_report_the_rest_waits_for_the_next() -> None:
    world = connected(RECORD, PLAY)
    world.recorded("limit")
    world.bad_reply()
    assert not world.all(media.Play)
    world.reply()
    assert len(world.all(media.Play)) == 1


def test_a_failure_clears_the_rest() -> None:
    world = World()
    world.quiet(work.Prompt)
    world.connect()
    world.reply(PLAY, HANGUP)
    world.give(work.WorkFailed(token=world.last(work.Prompt).token, reason="not_found"))
    assert isinstance(world.event, ActionFailed)
    assert world.event.action.type == "PlayAudio"
    assert world.event.error_type == "InvalidAudioSource"
    world.reply()
    assert not world.all(sip.Bye)
    world.update()
    world.reply(HANGUP)
    assert len(world.all(sip.Bye)) == 1


def test_a_failure_does_not_clear_a_list_that_came_later() -> None:
    world = World()
    world.quiet(work.Prompt)
    world.connect()
    world.reply(ASK, HANGUP)
    world.update()
    world.reply(PAUSE)
    for prompt in world.all(work.Prompt):
        world.give(work.WorkFailed(token=prompt.token, reason="voice"))
    assert isinstance(world.event, ActionFailed)
    assert world.last(media.Play).silence_ms == 1000


def test_bad_parameters_are_found_when_the_turn_comes() -> None:
    world = connected(PLAY, action("Pause", DurationInMilliseconds="soon"), SPEAK)
    assert world.told[-1] == "Answered"
    done(world)
    assert isinstance(world.event, ActionFailed)
    assert (world.event.action.type, world.event.error_type) == ("Pause", "InvalidActionParameter")
    assert len(world.all(media.Play)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "CallAndBridge",
        "JoinChimeMeeting",
        "ModifyChimeMeetingAttendees",
        "StartBotConversation",
        "StartCallRecording",
        "StopCallRecording",
        "PauseCallRecording",
        "ResumeCallRecording",
        "VoiceFocus",
        "SomethingNew",
    ],
)
def test_an_action_that_is_not_served_yet_fails_by_name(name: str) -> None:
    world = connected(action(name), HANGUP)
    assert isinstance(world.event, ActionFailed)
    assert (world.event.error_type, world.event.message) == ("SystemException", f"{name} is not supported yet")
    assert not world.all(sip.Bye)


# --- interruption ---


@pytest.mark.parametrize("running", [PLAY, SPEAK, PAUSE, RECORD])
def test_what_can_be_interrupted_is_stopped_at_once(running: Any) -> None:
    world = connected(running, HANGUP)
    world.update()
    world.reply(SPEAK)
    assert len(world.all(media.Stop)) == 1
    assert isinstance(world.event, ActionInterrupted)
    assert world.event.action.type == running.type
    assert world.last(media.Play).path == "/cache/prompt.wav"
    world.reply(HANGUP)
    assert not world.all(sip.Bye), "the actions of the reply to ACTION_INTERRUPTED are ignored"


def test_what_cannot_be_interrupted_completes_first() -> None:
    world = connected(ASK)
    world.update()
    world.reply(PAUSE)
    assert not world.all(media.Stop)
    collect = world.last(media.Collect)
    world.give(media.PlayEnded(id=world.last(media.Play).id, stream=world.leg, why="stopped", played_ms=100))
    world.give(media.Collected(id=collect.id, stream=world.leg, digits="1", why="max"))
    assert succeeded(world) == "SpeakAndGetDigits"
    assert world.last(media.Play).silence_ms == 1000


def test_a_list_that_comes_while_the_action_is_being_stopped_wins() -> None:
    world = World()
    world.quiet(media.Stop)
    world.connect()
    world.reply(PLAY)
    world.update()
    world.update()
    world.reply(SPEAK)
    world.reply(PAUSE)
    stop = world.last(media.Stop)
    assert len(world.all(media.Play)) == 1
    world.give(media.PlayEnded(id=stop.target, stream=world.leg, why="stopped", played_ms=100), media.Done(id=stop.id, stream=world.leg))
    assert [play.silence_ms for play in world.all(media.Play)] == [None, 1000]


def test_a_reply_to_digits_while_an_action_is_being_stopped_wins_too() -> None:
    world = World()
    world.quiet(media.Stop)
    world.connect()
    world.reply(LISTEN, PLAY)
    world.update()
    world.presses("1")
    world.wait(1.0)
    world.reply(SPEAK)
    assert isinstance(world.event, DigitsReceived)
    world.reply(PAUSE)
    stop = world.last(media.Stop)
    world.give(media.PlayEnded(id=stop.target, stream=world.leg, why="stopped", played_ms=100), media.Done(id=stop.id, stream=world.leg))
    assert [play.silence_ms for play in world.all(media.Play)] == [None, 1000]


def test_the_callee_goes_while_an_action_is_being_stopped() -> None:
    world = World()
    world.quiet(media.Stop)
    world.connect()
    world.reply(PLAY)
    world.update()
    world.reply(SPEAK)
    world.bye()
    assert isinstance(world.event, HungUp)
    world.reply()
    assert world.told.count("ActionInterrupted") == 0
    assert world.cdr


# --- hanging up ---


def test_hangup_of_the_only_leg_gives_hangup_and_nothing_else() -> None:
    world = connected(PAUSE, PLAY, HANGUP, SPEAK)
    done(world)
    done(world)
    assert isinstance(world.event, HungUp)
    assert world.given[-1].sequence == 4
    world.reply()
    assert len(world.all(media.Play)) == 2


@pytest.mark.parametrize(("code", "wanted"), [("0", 0), ("480", 480), (486, 486), (None, 0)])
def test_the_code_that_the_application_named_stays_with_the_leg(code: Any, wanted: int) -> None:
    world = connected(action("Hangup", **({} if code is None else {"SipResponseCode": code})))
    assert isinstance(world.event, HungUp)
    assert world.event.termination.hangup_code == wanted
    assert world.event.termination.reason == "completed"


def test_what_runs_on_a_leg_that_goes_is_dropped() -> None:
    for running in (PLAY, PAUSE, ASK):
        world = connected(running, SPEAK)
        world.bye()
        assert isinstance(world.event, HungUp)
        world.reply()
        assert world.told == ["NewOutboundCall", "Ringing", "Answered", "HungUp"]
        assert world.control.next_deadline() is None


# --- the listener ---


def test_a_listener_hears_while_a_prompt_plays_and_stays_armed() -> None:
    world = connected(LISTEN, PLAY)
    world.presses("1")
    world.wait(1.0)
    assert world.event == DigitsReceived(action=world.event.action, digits="1")
    assert world.event.action.type == "ReceiveDigits"
    world.reply()
    world.presses("9")
    world.wait(11)
    assert world.told.count("DigitsReceived") == 1
    world.presses("2")
    world.wait(1.0)
    assert world.told.count("DigitsReceived") == 2


def test_a_listener_hears_nothing_while_an_action_owns_the_digits() -> None:
    world = connected(LISTEN, ASK)
    world.presses("1")
    world.wait(2.0)
    assert "DigitsReceived" not in world.told


def test_a_new_listener_takes_the_place_of_the_old() -> None:
    other = action(
        "ReceiveDigits", InputDigitsRegex="^9$", InBetweenDigitsDurationInMilliseconds=500, FlushDigitsDurationInMilliseconds=5000
    )
    world = connected(LISTEN, other)
    world.reply()
    world.presses("1")
    world.wait(6)
    world.presses("9")
    world.wait(0.6)
    assert isinstance(world.event, DigitsReceived)
    assert world.event.digits == "9"


def test_a_listener_is_gone_with_its_leg() -> None:
    world = World()
    world.connect()
    world.reply(LISTEN)
    world.reply()
    world.quiet(work.Match)
    world.presses("1")
    world.wait(1.0)
    world.bye()
    world.give(work.Matched(token=world.last(work.Match).token, yes=True))
    world.reply()
    assert world.told[-1] == "HungUp"
    assert world.control.next_deadline() is None
