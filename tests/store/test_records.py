"""Each record that a `Save` can carry goes in and comes back as it was."""

from __future__ import annotations

import typing

import msgspec
import pytest

from helpers import call_records as made
from outdial.model import records
from outdial.model.actions import Action
from outdial.model.events import ActionFailed
from outdial.model.ids import Token
from outdial.model.work import Save, Saved
from outdial.store import MemoryPort, read, schema, writes


def kinds() -> list[type]:
    return list(typing.get_args(records.Record))


@pytest.fixture
def port() -> typing.Iterator[MemoryPort]:
    port = MemoryPort()
    yield port
    port.close()


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_record_has_a_statement(kind: type) -> None:
    assert kind in writes.sqlite()


def test_the_made_up_call_has_every_kind_of_record() -> None:
    assert {type(record) for unit in made.life() for record in unit} == set(kinds())


def test_a_whole_call_comes_back_as_it_was_saved(port: MemoryPort) -> None:
    saved: list[typing.Any] = []
    port.connect(saved.extend)
    life = made.life()
    for token, unit in enumerate(life, start=1):
        port.put(Save(token=token, unit=unit), 0.0)  # type: ignore[arg-type]
    assert saved == [Saved(token=token) for token in range(1, len(life) + 1)]  # type: ignore[arg-type]
    with port.read() as connection:
        history = read.history(connection, made.CALL)
    assert history is not None

    def of(*kinds: type) -> list[typing.Any]:
        return [record for unit in life for record in unit if type(record) in kinds]

    assert history.call == of(records.CallRow)[0]
    assert history.ended == of(records.CallEnded)[0]
    assert list(history.legs) == of(records.LegRow)
    assert list(history.dialogs) == of(records.LegDialog)
    assert list(history.legs_ended) == of(records.LegEnded)
    assert list(history.events) == of(records.EventRow)
    assert list(history.invocations) == of(records.InvocationRow)
    assert list(history.outcomes) == of(records.InvocationDone)
    assert list(history.recordings) == [made.recording(finished=True, delivered=True)]
    assert list(history.sip) == of(records.SipMessageRow)
    assert list(history.output) == of(records.OutputRow)
    assert list(history.notes) == of(records.NoteRow)
    assert history.cdr == of(records.Cdr)[0]
    assert port.sequence_base() == 5000
    assert port.resources.repeats.get(made.REPEAT) == (201, made.created()[3].body)  # type: ignore[union-attr]


def test_every_field_of_a_record_has_a_column_or_a_place() -> None:
    elsewhere = {"participant": "participant"}
    tables = {table.name: set(table.c.keys()) for table in schema.metadata.sorted_tables}
    for write in writes.WRITES:
        fields = {field.name for field in msgspec.structs.fields(write.record)}
        if write.record in (records.RepeatRow, records.SequenceBase, records.LegRow):
            continue  # written by hand; the round trip above covers them
        columns = set(write.names)
        assert fields <= columns | set(elsewhere), write.record
        assert any(columns <= names | {"before"} for names in tables.values()), write.record


def test_texts_of_a_peer_that_are_no_utf8_come_back_byte_by_byte(port: MemoryPort) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    end = msgspec.structs.replace(made.COMPLETED, sip_phrase=odd)
    dialog = msgspec.structs.replace(made.dialog(), remote_target=f"sip:{odd}@192.0.2.9", routes=(f"<sip:{odd};lr>",))
    leg = records.LegRow(call=made.CALL, participant=msgspec.structs.replace(made.participant(), sip_headers={"X-Odd": odd}))
    ended = records.LegEnded(leg=made.LEG, ended_at=made.START, termination=end)
    port.put(Save(token=Token(0), unit=(made.call_row(), leg, dialog, ended)), 0.0)
    (found,) = port.unfinished()
    assert found.legs[0].participant == leg.participant
    assert found.legs[0].dialog == dialog
    assert found.legs[0].ended == ended


def test_integers_of_any_size_in_an_actions_parameters_come_back(port: MemoryPort) -> None:
    action = Action(type="Pause", parameters={"DurationInMilliseconds": 10**30})
    row = made.event(1, ActionFailed(action=action, error_type="InvalidActionParameter", message="too long"))
    port.put(Save(token=Token(0), unit=(made.call_row(), row)), 0.0)
    assert port.unfinished()[0].events == (row,)
