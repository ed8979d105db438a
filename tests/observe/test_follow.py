"""Following calls live: in order, bounded, a slow reader is told what it missed."""

from __future__ import annotations

import asyncio

import pytest

from helpers import call_records as made
from outdial.model.ids import CallId, LegId, Token
from outdial.model.records import CallEnded, LegDialog, NoteRow, Record, RepeatRow, SequenceBase
from outdial.model.work import Save
from outdial.observe.follow import Follow, Subscription
from outdial.observe.legs import Legs

OTHER = CallId("d1d20000-0000-4000-8000-000000000002")


def see(follow: Follow, *unit: Record) -> None:
    save = Save(token=Token(0), unit=unit)
    follow._legs("calls", "store", save, 0.0)
    follow("calls", "store", save, 0.0)


def taken(subscription: Subscription) -> list[Record]:
    return [subscription.take() for _ in range(len(subscription))]


def test_a_reader_gets_every_record_of_its_call_in_order() -> None:
    follow = Follow(Legs())
    reader, everything = follow.subscribe(made.CALL), follow.subscribe()
    see(follow, *made.created(OTHER, LegId("other-leg")))
    for unit in made.life():
        see(follow, *unit)
    wanted = [record for unit in made.life() for record in unit if not isinstance(record, RepeatRow | SequenceBase)]
    assert taken(reader) == wanted
    assert len(everything) == len(wanted) + 3


def test_what_names_only_its_leg_is_found() -> None:
    follow = Follow(Legs())
    see(follow, *made.created())
    reader = follow.subscribe(made.CALL)
    see(follow, made.dialog())
    assert [type(record) for record in taken(reader)] == [LegDialog]


def test_a_slow_reader_loses_the_oldest_and_is_told() -> None:
    follow = Follow(Legs(), limit=10)
    reader = follow.subscribe(made.CALL)
    for number in range(1, 31):
        see(follow, made.event(number))
    note = reader.take()
    assert isinstance(note, NoteRow)
    assert note.what == "20 steps were left out here: the reader was too slow"
    assert [record.number for record in taken(reader)] == list(range(21, 31))  # type: ignore[union-attr]


def test_next_waits_and_ends_with_close() -> None:
    async def go() -> None:
        follow = Follow(Legs())
        reader = follow.subscribe(made.CALL)
        waiting = asyncio.ensure_future(reader.next())
        await asyncio.sleep(0)
        see(follow, made.event(1))
        assert await waiting == made.event(1)
        last = asyncio.ensure_future(reader.next())
        await asyncio.sleep(0)
        reader.close()
        with pytest.raises(StopAsyncIteration):
            await last
        see(follow, made.event(2))
        assert len(reader) == 0

    asyncio.run(go())


def test_a_reader_that_closes_leaves_nothing_behind() -> None:
    follow = Follow(Legs())
    reader = follow.subscribe(made.CALL)
    reader.close()
    reader.close()
    for unit in made.life():
        see(follow, *unit)
    assert len(reader) == 0
    assert follow._readers == {}
    assert any(isinstance(record, CallEnded) for unit in made.life() for record in unit)
