"""What a reply does: one event at a time, attributes, bad replies, failures, limits, updates (DESIGN 3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.call_world import HANGUP, LISTEN, PAUSE, PLAY, SPEAK, World, action
from outdial.model import media, work
from outdial.model.events import ActionInterrupted, HungUp, InvalidReply, UpdateRequested
from outdial.model.ids import ApplicationId, CallId
from outdial.model.invocations import Invoke, Replied
from outdial.model.records import EventRow
from outdial.model.requests import Refused, Updated
from outdial.sip import values as sip


def end(world: World) -> None:
    """Answer whatever is still to be given."""
    while world.control._calls:
        world.reply()


# --- one at a time ---


def test_events_wait_their_turn_and_are_committed_as_they_happen() -> None:
    world = World()
    world.place()
    world.rings()
    world.answers()
    world.bye()
    assert world.told == ["NewOutboundCall"]
    assert [type(row.event).__name__ for row in world.records(EventRow)] == ["NewOutboundCall", "Ringing", "Answered", "HungUp"]
    end(world)
    assert world.told == ["NewOutboundCall", "Ringing", "Answered", "HungUp"]
    assert [(it.sequence, it.number) for it in world.given] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_participants_are_of_the_moment_and_attributes_of_the_giving() -> None:
    world = World()
    world.place()
    world.rings()
    world.answers()
    world.bye()
    world.reply(attributes={"n": 1})
    world.reply(attributes={"n": 2})
    world.reply()
    world.reply()
    assert [it.participants[0].status for it in world.given] == [None, None, "Connected", "Disconnected"]
    assert [it.attributes for it in world.given] == [None, {"n": 1}, {"n": 2}, {"n": 2}]
    assert len({it.participants[0].started_at for it in world.given}) == 1


def test_an_events_record_is_in_the_writers_queue_before_the_event_is_given() -> None:
    world = World()
    world.connect()
    world.reply()
    world.bye()
    for invoke in world.given:
        saves = world.out[: world.out.index(invoke)]
        numbers = [row.number for it in saves if isinstance(it, work.Save) for row in it.unit if isinstance(row, EventRow)]
        assert invoke.number in numbers


def test_which_replies_are_ignored() -> None:
    world = World()
    world.connect()
    world.reply(PAUSE)
    world.update()
    world.reply(PLAY)
    assert isinstance(world.event, ActionInterrupted)
    world.reply()
    world.bye()
    world.reply()
    ignored = {type(it.event).__name__: it.reply_ignored for it in world.given}
    assert ignored == {
        "NewOutboundCall": True,
        "Ringing": True,
        "Answered": False,
        "UpdateRequested": False,
        "ActionInterrupted": True,
        "HungUp": True,
    }
    rows = {type(row.event).__name__: row.actions_ignored for row in world.records(EventRow)}
    assert [rows[name] for name in ("NewOutboundCall", "ActionInterrupted", "Answered")] == [True, True, False]


def test_an_answer_to_something_else_is_noted_and_dropped() -> None:
    world = World()
    world.connect()
    world.give(Replied(call=world.call, sequence=1, actions=(HANGUP,)))
    assert "an answer came to an invocation that is not under way" in world.notes()
    assert not world.all(sip.Bye)
    world.give(Replied(call=CallId("no-such-call"), sequence=1))


# --- bad replies ---


def test_a_bad_reply_is_told_once() -> None:
    world = World()
    world.connect()
    world.bad_reply("SystemException", "Too many actions specified in a response.")
    assert world.event == InvalidReply(error_type="SystemException", message="Too many actions specified in a response.")
    world.reply(SPEAK, HANGUP)
    world.played()
    assert len(world.all(sip.Bye)) == 1


def test_a_second_bad_reply_in_a_row_ends_the_call() -> None:
    world = World()
    world.connect()
    world.bad_reply()
    world.bad_reply()
    assert len(world.all(sip.Bye)) == 1
    assert isinstance(world.event, HungUp)
    assert world.event.termination.reason == "handler_invalid"
    assert world.event.termination.who == "handler"
    assert world.event.termination.detail == (
        "The handler's reply could not be used for the second time in a row (Actions): Error while reading actions list."
    )
    end(world)


def test_a_good_reply_between_two_bad_ones_forgives() -> None:
    world = World()
    world.connect()
    world.bad_reply()
    world.reply()
    world.update()
    world.bad_reply()
    assert isinstance(world.event, InvalidReply)
    assert not world.all(sip.Bye)


def test_nothing_of_a_bad_reply_is_kept_and_the_list_goes_on() -> None:
    world = World()
    world.connect()
    world.reply(PAUSE, PLAY)
    world.update()
    world.bad_reply()
    assert world.told[-1] == "InvalidReply"
    world.reply()
    world.played()
    assert world.last(media.Play).path is not None, "the Pause ended, and the list went on"


def test_a_bad_reply_that_is_ignored_costs_nothing() -> None:
    world = World()
    world.place()
    world.bad_reply()
    world.rings()
    world.bad_reply()
    world.answers()
    world.reply()
    world.bye()
    world.bad_reply()
    assert world.told == ["NewOutboundCall", "Ringing", "Answered", "HungUp"]
    assert world.cdr.termination.reason == "completed"


# --- failures ---


@pytest.mark.parametrize(("reason", "slug"), [("failed", "handler_failed"), ("timeout", "handler_timeout")])
def test_a_failed_invocation_ends_the_call(reason: str, slug: str) -> None:
    world = World()
    world.connect()
    world.handler_fails(reason, "it raised KeyError twice")
    assert len(world.all(sip.Bye)) == 1
    assert isinstance(world.event, HungUp)
    assert (world.event.termination.reason, world.event.termination.detail) == (slug, "it raised KeyError twice")
    assert world.event.termination.answered
    end(world)


def test_a_failure_on_an_event_whose_reply_is_ignored_ends_nothing() -> None:
    world = World()
    world.place()
    world.handler_fails()
    world.rings()
    world.handler_fails("timeout", "no answer within 20 s")
    world.answers()
    world.reply()
    world.bye()
    world.handler_fails()
    assert world.cdr.termination.reason == "completed"
    assert world.notes().count("the handler failed on an event whose reply is ignored: it raised KeyError twice") == 2


def test_a_failure_on_an_update_while_it_rings_cancels() -> None:
    world = World()
    world.place()
    world.reply()
    world.update()
    world.handler_fails()
    assert len(world.all(sip.Cancel)) == 1
    assert isinstance(world.event, HungUp)
    assert (world.event.termination.reason, world.event.termination.answered) == ("handler_failed", False)


def test_the_handler_hangs_and_the_callee_hangs_up() -> None:
    """Walk 6 of reference/interfaces: the time-out comes too late to be the cause."""
    world = World()
    world.connect()
    world.wait(5)
    world.bye()
    assert world.told[-1] == "Answered"
    world.wait(15)
    world.handler_fails("timeout", "no answer within 20 s")
    assert isinstance(world.event, HungUp)
    assert world.event.termination.reason == "completed"
    world.reply()
    assert world.cdr.termination.reason == "completed"
    assert world.cdr.billable_seconds == 5


def test_a_handler_that_hangs_is_told_the_hangup_and_nothing_else() -> None:
    world = World()
    world.connect()
    for _ in range(5):
        world.update()
    world.handler_fails("timeout", "no answer within 20 s")
    assert isinstance(world.event, HungUp)
    assert world.given[-1].sequence == 4
    assert world.event.termination.reason == "handler_timeout"
    assert "events were dropped: the handler hangs, and the call has ended" in world.notes()
    world.handler_fails("timeout", "no answer within 20 s")
    assert world.cdr.invocations == 4


def test_a_handler_that_raises_is_told_everything() -> None:
    world = World()
    world.connect()
    world.update()
    world.handler_fails("failed", "it raised KeyError twice")
    assert isinstance(world.event, UpdateRequested)
    assert world.invoked.reply_ignored
    world.reply(SPEAK)
    assert isinstance(world.event, HungUp)


# --- limits ---


def test_the_1001st_invocation_ends_the_call() -> None:
    world = World(max_invocations=6)
    world.connect()
    for _ in range(3):
        world.reply()
        world.update()
    assert world.told[-1] == "UpdateRequested"
    assert world.given[-1].sequence == 6
    world.update()
    world.update()
    world.reply()
    assert isinstance(world.event, HungUp)
    assert world.given[-1].sequence == 7
    assert (world.event.termination.reason, world.event.termination.detail) == ("handler_failed", "The call has used up its 6 invocations.")
    assert "events were dropped: the call has used up its invocations" in world.notes()
    world.reply()
    assert world.cdr.invocations == 7


def test_beyond_a_hundred_waiting_events_an_update_is_throttled() -> None:
    world = World()
    world.connect()
    for _ in range(100):
        world.update()
    assert len(world.all(Updated)) == 100
    world.update()
    assert world.refusal.reason == "too_many_events"
    assert world.refusal.detail == ("100 events of this call wait for its handler, and 100 is the limit. Try again when some are answered.")
    world.reply()
    world.update()
    assert len(world.all(Updated)) == 101


def test_digits_are_noted_and_not_queued_when_too_many_events_wait() -> None:
    world = World(max_events_waiting=3)
    world.connect()
    world.reply(LISTEN)
    for _ in range(3):
        world.update()
    world.presses("1")
    world.wait(1.1)
    assert "digits were heard and not queued: too many events wait" in world.notes()
    for _ in range(5):
        world.reply()
    assert "DigitsReceived" not in world.told


# --- updates ---


def test_an_updates_202_waits_for_its_commit() -> None:
    world = World()
    world.connect()
    world.reply()
    world.quiet(work.Save)
    request = world.update()
    assert world.event == UpdateRequested(arguments={"do": "it"})
    assert not world.all(Updated)
    assert world.last(work.Save).grade == "committed"
    world.give(work.Saved(token=world.last(work.Save).token))
    assert world.all(Updated) == [Updated(token=request.token, call=world.call)]


def test_an_updates_202_waits_one_second_at_most() -> None:
    world = World()
    world.connect()
    world.reply()
    world.quiet(work.Save)
    world.update()
    world.wait(1.1)
    assert len(world.all(Updated)) == 1


@pytest.mark.parametrize(
    "changes",
    [{"call": CallId("00000000-0000-4000-8000-000000000000")}, {"application": ApplicationId("00000000-0000-4000-8000-000000000002")}],
    ids=["unknown call", "another application"],
)
def test_an_update_of_no_call_of_this_application(changes: dict[str, Any]) -> None:
    world = World()
    world.connect()
    world.update(**changes)
    assert world.refusal.reason == "no_call"
    assert world.refusal.detail == (
        f"No call {changes.get('call', world.call)} of this application is in progress: it has ended, or never was."
    )


def test_an_update_of_a_call_that_has_ended() -> None:
    world = World()
    world.connect()
    world.reply()
    world.bye()
    world.update()
    assert world.refusal.reason == "no_call"
    world.reply()
    world.update()
    assert len(world.all(Refused)) == 2


def test_an_update_while_playing_and_while_a_reply_is_awaited() -> None:
    """Walk 5 of reference/interfaces."""
    world = World()
    world.connect()
    world.reply(LISTEN, PLAY)
    world.presses("1")
    world.wait(1.0)
    assert world.told[-1] == "DigitsReceived"
    world.update()
    assert len(world.all(Updated)) == 1
    assert world.told[-1] == "DigitsReceived"
    world.reply(SPEAK)
    assert not world.all(media.Stop), "the reply in flight replaces what is pending and interrupts nothing"
    assert isinstance(world.event, UpdateRequested)
    world.reply(PAUSE)
    kinds = world.kinds()
    assert kinds.index("Stop") < kinds.index("Play", kinds.index("Stop"))
    assert isinstance(world.event, ActionInterrupted)
    assert world.event.action.type == "PlayAudio"
    assert [play.silence_ms for play in world.all(media.Play)] == [None, 1000]


def test_only_an_updates_reply_interrupts() -> None:
    world = World()
    world.connect()
    world.reply(LISTEN, PLAY)
    world.presses("1")
    world.wait(1.1)
    assert world.told[-1] == "DigitsReceived"
    world.reply(SPEAK, HANGUP)
    assert not world.all(media.Stop)
    world.played()
    assert len(world.all(media.Play)) == 2
    world.reply()
    world.played()
    assert len(world.all(sip.Bye)) == 1


def test_an_update_without_actions_changes_nothing() -> None:
    world = World()
    world.connect()
    world.reply(PLAY, SPEAK)
    world.update()
    world.reply()
    assert not world.all(media.Stop)
    world.played()
    assert len(world.all(media.Play)) == 2


def test_an_update_of_a_ringing_call_cannot_end_it() -> None:
    world = World()
    world.place()
    world.reply()
    world.rings()
    world.reply()
    world.update()
    assert world.invoked.participants[0].status is None
    world.reply(HANGUP)
    assert not world.all(sip.Cancel) + world.all(sip.Bye)
    assert "the reply's actions were ignored: no leg is connected" in world.notes()
    world.answers()
    assert world.told[-1] == "Answered"


def test_a_reply_may_come_with_actions_for_a_leg_that_has_gone() -> None:
    world = World()
    world.connect()
    world.bye()
    world.reply(SPEAK, action("Hangup"))
    assert not world.all(media.Play)
    assert world.told[-1] == "HungUp"
    world.reply(HANGUP)
    assert len(world.all(Invoke)) == len(world.given) == 4
