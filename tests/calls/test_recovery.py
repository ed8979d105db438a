"""After `kill -9`: what a start does with calls that have no CDR (DESIGN 3.5; walk 4 of reference/interfaces)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from helpers.call_world import APPLICATION, EPOCH_MS, World
from outdial.calls.recovery import DETAIL, address
from outdial.calls.termination import Cause, because
from outdial.model import media, work
from outdial.model.events import Answered, Event, HungUp, NewOutboundCall, Ringing, UpdateRequested
from outdial.model.ids import CallId, FunctionName, KeyId, LegId, RecordingId
from outdial.model.invocations import FunctionState, Invoke
from outdial.model.participants import Participant
from outdial.model.records import (
    CallEnded,
    CallRow,
    Cdr,
    EventRow,
    InvocationRow,
    LegDialog,
    LegEnded,
    LegInvite,
    RecordingRow,
    Unfinished,
    UnfinishedLeg,
)
from outdial.sip import values as sip

CALL = CallId("c0000000-0000-4000-8000-000000000001")
LEG = LegId("d0000000-0000-4000-8000-000000000001")
PARTICIPANT = Participant(
    leg=LEG, tag="LEG-A", to="+12065550150", from_="+12065550100", direction="Outbound", started_at=EPOCH_MS, status="Connected"
)
INVITE = LegInvite(leg=LEG, invite=b"INVITE", transport="udp", source="udp:192.0.2.1:5060", destination="udp:192.0.2.9:5060")
DIALOG = LegDialog(leg=LEG, answered_at=EPOCH_MS + 2000, remote_tag="far", remote_target="sip:far@192.0.2.9", routes=("<sip:p;lr>",))


def row(number: int, event: Event) -> EventRow:
    return EventRow(call=CALL, number=number, leg=LEG, event=event, participants=(PARTICIPANT,), at=EPOCH_MS)


def found(*events: EventRow, given: int | None = None, leg: dict[str, Any] | None = None, **changes: Any) -> Unfinished:
    """A call as the store finds it."""
    in_flight = None
    if given is not None:
        in_flight = InvocationRow(
            call=CALL, sequence=changes.get("last_sequence", 3), number=given, function=FunctionName("reminder"), request=b"{}", given_at=1
        )
    fields: dict[str, Any] = {
        "call": CallRow(
            call=CALL,
            application=APPLICATION.id,
            function=APPLICATION.function,
            account="000000000000",
            region="us-east-1",
            key=KeyId("AKEXAMPLE"),
            from_="+12065550100",
            to="+12065550150",
            started_at=EPOCH_MS,
        ),
        "legs": (UnfinishedLeg(participant=PARTICIPANT, **(leg if leg is not None else {"invite": INVITE, "dialog": DIALOG})),),
        "events": events,
        "in_flight": in_flight,
        "last_number": events[-1].number if events else 3,
        "last_sequence": 3,
    }
    return Unfinished(**(fields | changes))


def start(*unfinished: Unfinished) -> World:
    world = World()
    world.give(*unfinished)
    world.leg = LEG
    return world


def adopted(world: World, kind: type) -> list[Any]:
    return [it for it in world.out if isinstance(it, kind)]


def test_kill_while_playing() -> None:
    """Walk 4: ACK and BYE, the same bytes again, what waits, HANGUP, Over, CDR."""
    waiting = found(row(3, Answered()), row(4, UpdateRequested(arguments={"a": "b"})), given=3, attributes=b'{"n": 1}')
    world = start(waiting)
    (adopt,) = adopted(world, sip.AdoptDialog)
    assert (adopt.session, adopt.invite, adopt.remote_tag, adopt.routes) == (LEG, b"INVITE", "far", ("<sip:p;lr>",))
    assert adopt.destination == sip.Address(host="192.0.2.9", port=5060)
    assert not world.all(sip.Dial) + world.all(sip.Go) + world.all(media.OpenStream)
    again = world.invoked
    assert (again.sequence, again.number, again.request, again.reply_ignored) == (3, 3, b"{}", True)
    world.reply(attributes={"n": 2})
    assert (world.invoked.sequence, world.event) == (4, UpdateRequested(arguments={"a": "b"}))
    assert world.invoked.request is None
    assert world.invoked.attributes == {"n": 2}
    assert world.invoked.lambda_arn == "arn:aws:lambda:us-east-1:000000000000:function:reminder"
    world.reply()
    assert isinstance(world.event, HungUp)
    assert (world.event.termination.reason, world.event.termination.answered) == ("node_restart", True)
    assert world.invoked.participants[0].status == "Disconnected"
    assert world.invoked.sequence == 5
    world.reply()
    assert not world.records(Cdr)
    world.fails(0, who="us")
    assert (world.cdr.termination.reason, world.cdr.termination.detail) == ("node_restart", DETAIL)
    assert world.cdr.invocations == 5
    assert world.cdr.answered_at == DIALOG.answered_at
    assert len(world.records(LegEnded)) == len(world.records(CallEnded)) == 1
    assert not world.control.shared.active
    assert world.control.next_deadline() is None


def test_kill_while_it_rings() -> None:
    world = start(found(row(2, Ringing()), leg={"invite": INVITE}, last_sequence=1))
    (adopt,) = adopted(world, sip.AdoptInvite)
    assert (adopt.session, adopt.invite) == (LEG, b"INVITE")
    assert world.told == ["Ringing"]
    assert world.invoked.sequence == 2
    world.reply()
    assert isinstance(world.event, HungUp)
    assert world.event.termination.answered is False
    world.fails(487, who="us")
    assert not world.records(Cdr)
    world.reply()
    assert world.cdr.billable_seconds == 0
    assert world.cdr.termination.reason == "node_restart"


def test_kill_before_the_invite_was_built() -> None:
    world = start(found(row(1, NewOutboundCall()), leg={}, last_sequence=0))
    assert not adopted(world, sip.AdoptInvite) + adopted(world, sip.AdoptDialog)
    world.reply()
    world.reply()
    assert world.told == ["NewOutboundCall", "HungUp"]
    assert world.cdr.termination.reason == "node_restart"


@pytest.mark.parametrize("given", [None, 5])
def test_kill_while_the_hangup_was_waiting_or_given(given: int | None) -> None:
    termination = because(Cause.CALLEE_HUNG_UP, answered=True)
    ended = LegEnded(leg=LEG, ended_at=EPOCH_MS + 9000, termination=termination)
    events = (row(5, HungUp(leg=LEG, termination=termination)),)
    last = 4 if given is None else 5
    world = start(found(*events, given=given, leg={"invite": INVITE, "dialog": DIALOG, "ended": ended}, last_sequence=last))
    assert world.told == ["HungUp"]
    assert world.invoked.sequence == 5
    assert world.event.termination.reason == "completed"
    world.reply()
    world.fails(0, who="us")
    assert world.told == ["HungUp"]
    assert not world.records(LegEnded)
    assert (world.cdr.ended_at, world.cdr.billable_seconds) == (EPOCH_MS + 9000, 7)
    assert world.cdr.termination.reason == "node_restart"


def test_kill_after_the_hangup_was_dealt_with() -> None:
    ended = LegEnded(leg=LEG, ended_at=EPOCH_MS + 9000, termination=because(Cause.CALLEE_HUNG_UP, answered=True))
    world = start(found(leg={"invite": INVITE, "dialog": DIALOG, "ended": ended}, last_number=5, last_sequence=5))
    assert world.told == []
    world.fails(481, who="peer")
    assert world.cdr.invocations == 5


def test_a_recovered_leg_of_which_sip_never_says_over() -> None:
    world = start(found(row(3, Answered()), given=3))
    world.reply()
    world.reply()
    world.wait(70.1)
    assert "SIP never said the last word on this leg" in world.notes()
    assert world.cdr.termination.reason == "node_restart"
    assert world.control.next_deadline() is None


def test_what_was_dropped_before_the_kill_stays_dropped() -> None:
    termination = because(Cause.HANDLER_TIMEOUT, answered=True)
    ended = LegEnded(leg=LEG, ended_at=EPOCH_MS + 9000, termination=termination)
    leg = {"invite": INVITE, "dialog": DIALOG, "ended": ended}
    dropped, hangup = row(5, UpdateRequested(arguments={})), row(6, HungUp(leg=LEG, termination=termination))
    world = start(found(dropped, hangup, given=6, leg=leg, last_sequence=5))
    assert (world.told, world.invoked.sequence) == (["HungUp"], 5)
    world.reply()
    world.fails(481)
    assert world.cdr.invocations == 5
    dealt_with = start(found(dropped, leg=leg, last_number=6, last_sequence=5))
    assert dealt_with.told == []
    dealt_with.fails(481)
    assert dealt_with.cdr.invocations == 5


def test_kill_while_recording() -> None:
    recording = RecordingRow(
        recording=RecordingId("r1"), call=CALL, leg=LEG, path="/r/1.wav", bucket="voicemail", key="1.wav", started_at=EPOCH_MS
    )
    world = start(found(recordings=(recording,)))
    assert world.last(work.Repair).path == "/r/1.wav"
    assert world.last(work.Deliver).key == "1.wav"
    assert world.records(RecordingRow)[-1].delivered
    assert isinstance(world.event, HungUp)


@pytest.mark.parametrize("state", ["served", "broken"])
def test_events_wait_for_a_word_of_their_function(state: Any) -> None:
    waiting = found(row(3, Answered()), given=3)
    other = replace(waiting, call=replace(waiting.call, function=FunctionName("slow")))
    world = start(other)
    assert adopted(world, sip.AdoptDialog)
    assert world.told == []
    world.wait(5)
    world.give(FunctionState(function=FunctionName("slow"), state=state))
    assert world.told == ["Answered"]
    world.reply()
    world.reply()
    world.fails(0, who="us")
    assert world.cdr
    assert world.control.next_deadline() is None


def test_events_wait_twenty_seconds_at_most() -> None:
    waiting = found(row(3, Answered()), given=3)
    world = start(replace(waiting, call=replace(waiting.call, function=FunctionName("gone"))))
    world.fails(0, who="us")
    world.wait(19.9)
    assert world.told == []
    assert not world.records(Cdr)
    world.wait(0.2)
    world.handler_fails("failed", "nothing serves it")
    world.handler_fails("failed", "nothing serves it")
    assert world.cdr.termination.reason == "node_restart"
    world.give(FunctionState(function=FunctionName("gone"), state="served"))
    assert world.told == ["Answered", "HungUp"]


def test_a_handler_that_is_gone_too_does_not_hold_up_the_cdr() -> None:
    world = start(found(row(3, Answered()), given=3))
    world.handler_fails("failed", "nothing serves it")
    world.handler_fails("failed", "nothing serves it")
    world.fails(0, who="us")
    assert world.cdr.termination.reason == "node_restart"


def test_recovered_calls_count_and_new_ones_go_on_beside_them() -> None:
    world = World(max_calls=1)
    world.give(found())
    world.place()
    assert world.refusal.reason == "too_many_calls"
    world.leg = LEG
    world.reply()
    world.fails(0, who="us")
    world.place()
    assert isinstance(world.last(Invoke).event, NewOutboundCall)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("udp:192.0.2.9:5060", sip.Address(host="192.0.2.9", port=5060)),
        ("tls:[2001:db8::9]:5061", sip.Address(transport="tls", host="2001:db8::9", port=5061)),
        ("tcp:trunk.example.com:5060", sip.Address(transport="tcp", host="trunk.example.com", port=5060)),
    ],
)
def test_an_address_comes_back_from_its_text(text: str, wanted: sip.Address) -> None:
    assert address(text) == wanted
    assert str(wanted) == text


@pytest.mark.parametrize("text", ["", "192.0.2.9:5060", "sctp:192.0.2.9:5060", "udp:192.0.2.9", "udp:192.0.2.9:port"])
def test_what_is_no_address_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address: expected for example udp:192\.0\.2\.1:5060"):
        address(text)
