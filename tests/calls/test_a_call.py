"""Whole calls, from the request to the CDR (reference/interfaces, walk 1)."""

from __future__ import annotations

import msgspec

from helpers.call_world import HANGUP, PLAY, REPEAT, SPEAK, World, wall
from outdial.model import media, work
from outdial.model.events import ActionSucceeded, Answered, HungUp, NewOutboundCall
from outdial.model.invocations import Invoke
from outdial.model.records import AttributesRow, CallEnded, CallRow, EventRow, LegDialog, LegEnded, LegInvite, LegRow, RepeatRow
from outdial.model.requests import Placed
from outdial.sip import values as sip


def test_nothing_leaves_before_the_one_synced_commit() -> None:
    world = World()
    world.quiet(work.Save)
    world.place(arguments={"who": "Ada"}, repeat=REPEAT, sip_headers={"X-Campaign": "7"})

    assert world.kinds() == ["OpenStream", "Dial", "Save"]
    dial = world.last(sip.Dial)
    assert (dial.uri, dial.target, dial.headers) == ("sip:+12065550150@127.0.0.1:5070", "sip:127.0.0.1:5070", (("X-Campaign", "7"),))
    assert dial.from_uri == "sip:+12065550100@192.0.2.1"
    save = world.last(work.Save)
    assert save.grade == "synced"
    assert [type(record) for record in save.unit] == [CallRow, LegRow, LegInvite, EventRow, RepeatRow]

    world.give(work.Saved(token=save.token))
    assert world.kinds()[3:] == ["Placed", "Go", "Invoke"]
    repeat = world.records(RepeatRow)[0]
    assert repeat.status == 201
    assert msgspec.json.decode(repeat.body) == {"SipMediaApplicationCall": {"TransactionId": world.last(Placed).call}}


def test_an_answered_call_from_the_request_to_its_cdr() -> None:
    world = World()
    world.place(arguments={"who": "Ada"})
    assert world.event == NewOutboundCall(arguments={"who": "Ada"})
    assert world.last(Invoke).participants[0].status is None
    world.reply(SPEAK, attributes={"who": "Ada"})
    world.wait(1)
    world.rings()
    world.reply()
    world.wait(3)

    world.clear()
    world.answers()
    assert world.kinds() == ["SetRemote", "Save", "Save", "Acknowledge", "Invoke"]
    assert world.records(LegDialog)[0].remote_tag == "far"
    assert world.event == Answered()
    assert world.last(Invoke).participants[0].status == "Connected"
    assert world.last(Invoke).attributes == {"who": "Ada"}

    world.reply(SPEAK)
    assert world.last(media.Play).path == "/cache/prompt.wav"
    world.wait(2)
    world.played()
    assert isinstance(world.event, ActionSucceeded)
    world.clear()
    world.reply(PLAY, HANGUP)
    world.wait(1.5)
    world.played()

    assert isinstance(world.event, HungUp)
    assert world.event.termination.reason == "completed"
    assert world.event.termination.hangup_code == 0
    assert world.last(Invoke).participants[0].status == "Disconnected"
    assert world.kinds() == ["Prompt", "Play", "Save", "Bye", "CloseStream", "Invoke"]
    world.reply()
    cdr = world.cdr
    assert cdr.invocations == 5
    assert cdr.answered_at == wall(104)
    assert cdr.billable_seconds == 4
    assert (cdr.packets_sent, cdr.packets_received, cdr.lost, cdr.jitter_ms) == (500, 490, 2, 1.5)
    assert cdr.termination.who == "us"
    assert world.records(CallEnded)[0].termination == cdr.termination
    assert len(world.records(LegEnded)) == 1
    assert world.control.next_deadline() is None


def test_the_callee_hangs_up() -> None:
    world = World()
    world.connect()
    world.reply()
    world.wait(10)
    world.bye("Q.850;cause=16")

    assert world.told == ["NewOutboundCall", "Ringing", "Answered", "HungUp"]
    assert isinstance(world.event, HungUp)
    assert (world.event.termination.who, world.event.termination.reason) == ("callee", "completed")
    assert world.event.termination.sip_reason == "Q.850;cause=16"
    assert [invoke.sequence for invoke in world.all(Invoke)] == [1, 2, 3, 4]
    assert not world.records(CallEnded)
    world.reply(HANGUP)
    assert world.cdr.billable_seconds == 10
    assert not world.all(sip.Bye)


def test_attributes_are_kept_from_ignored_replies_and_replaced_whole() -> None:
    world = World()
    world.place()
    world.reply(attributes={"a": 1, "b": {"c": [2]}})
    world.rings()
    assert world.last(Invoke).attributes == {"a": 1, "b": {"c": [2]}}
    world.reply(attributes={"d": "4"})
    world.answers()
    assert world.last(Invoke).attributes == {"d": "4"}
    world.reply(attributes={})
    world.bye()
    assert world.last(Invoke).attributes is None
    assert [row.attributes for row in world.records(AttributesRow)] == [b'{"a":1,"b":{"c":[2]}}', b'{"d":"4"}', b""]
