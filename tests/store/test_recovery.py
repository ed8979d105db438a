"""What a restart finds: calls in each state without a CDR, with what their end needs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from helpers import call_records as made
from outdial.model.events import HungUp, NewOutboundCall
from outdial.model.ids import CallId, LegId, Token
from outdial.model.records import AttributesRow, LegEnded, LegInvite, Record, Unfinished, UnfinishedLeg
from outdial.model.work import Save
from outdial.store import MemoryPort

LIFE = made.life()


def left(units: Sequence[tuple[Record, ...]]) -> list[Unfinished]:
    port = MemoryPort()
    for unit in units:
        port.put(Save(token=Token(0), unit=unit), 0.0)
    found = port.unfinished()
    port.close()
    return found


def test_a_call_whose_invite_was_about_to_leave() -> None:
    row, leg, invite, _ = made.created()
    assert left([made.created()]) == [
        Unfinished(call=row, legs=(UnfinishedLeg(participant=leg.participant, trunk="carrier", invite=invite),), events=())  # type: ignore[arg-type, union-attr]
    ]


def test_the_last_invite_counts() -> None:
    later = LegInvite(leg=made.LEG, invite=b"INVITE again", transport="udp", source=made.US, destination="udp:192.0.2.10:5060")
    assert left([made.created(), (later,)])[0].legs[0].invite == later


def test_an_answered_call_with_an_invocation_in_flight_and_an_event_behind_it() -> None:
    happened = made.event(2)
    units = [
        made.created(),
        (made.event(1, NewOutboundCall()),),
        (made.given(1),),
        (made.replied(1),),
        (AttributesRow(call=made.CALL, attributes=b'{"k":1}'),),
        (happened,),
        (made.given(2),),
        (made.dialog(), made.event(3)),
        (made.recording(),),
    ]
    (call,) = left(units)
    assert call.legs[0].dialog == made.dialog()
    assert call.legs[0].ended is None
    assert [event.number for event in call.events] == [2, 3]
    assert call.events[0] == happened
    assert call.in_flight == made.given(2)
    assert (call.last_number, call.last_sequence, call.attributes) == (3, 2, b'{"k":1}')
    assert call.recordings == (made.recording(),)


def test_a_leg_that_had_ended_before_the_cdr() -> None:
    ended = LegEnded(leg=made.LEG, ended_at=made.START + 9, termination=made.COMPLETED)
    hung_up = made.event(1, HungUp(leg=made.LEG, termination=made.COMPLETED))
    (call,) = left([made.created(), (ended, hung_up)])
    assert call.legs[0].ended == ended
    assert call.events == (hung_up,)


def test_an_invocation_that_is_given_again_replaces_the_same_row() -> None:
    (call,) = left([made.created(), (made.event(1), made.given(1)), (made.given(1, at=made.START + 60_000),)])
    assert call.in_flight == made.given(1, at=made.START + 60_000)
    assert call.last_sequence == 1


def test_a_call_with_its_cdr_is_not_found_and_others_come_oldest_first() -> None:
    assert left(LIFE) == []
    later, earlier = CallId("later"), CallId("earlier")
    units = [*LIFE, (made.call_row(later, made.START + 2),), (made.call_row(earlier, made.START + 1),)]
    assert [call.call.call for call in left(units)] == [earlier, later]


def test_recordings_that_wait_for_delivery_are_found_also_where_the_call_is_over() -> None:
    port = MemoryPort()
    failed = msgspec.structs.replace(made.recording(finished=True), tries=3, error="unreachable")
    for unit in (made.created(), (failed,), (made.cdr(),)):
        port.put(Save(token=Token(0), unit=unit), 0.0)
    assert port.undelivered() == [failed]
    port.put(Save(token=Token(0), unit=(made.recording(finished=True, delivered=True),)), 0.0)
    assert port.undelivered() == []
    port.close()


def test_a_recording_whose_repair_was_under_way_is_found_also_where_the_call_is_over() -> None:
    port = MemoryPort()
    for unit in (made.created(), (made.recording(),), (made.cdr(),)):
        port.put(Save(token=Token(0), unit=unit), 0.0)
    assert port.unfinished() == []
    assert port.undelivered() == [made.recording()]
    lost = msgspec.structs.replace(made.recording(), path="", tries=1, error="not_found")
    port.put(Save(token=Token(0), unit=(lost,)), 0.0)
    assert port.undelivered() == []
    port.close()


def test_two_legs() -> None:
    second = LegId("leg-b")
    (call,) = left([made.created(), made.created(CallId("x"), second)[1:2]])
    assert len(call.legs) == 1
