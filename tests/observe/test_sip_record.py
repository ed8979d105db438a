"""The SIP record: each message beside its call, bounded, without credentials."""

from __future__ import annotations

from typing import Any

from helpers import call_records as made
from helpers.sip_values import trace
from outdial.model.ids import Token
from outdial.model.records import NoteRow, SipMessageRow
from outdial.model.work import Save
from outdial.observe.legs import Legs
from outdial.observe.sip_record import BYTES_A_CALL, CUT, MESSAGES_A_CALL, SipRecord


class Recorder:
    def __init__(self) -> None:
        self.records: list[Any] = []
        self.legs = Legs()
        self.observer = SipRecord(self._give, lambda at: made.START + round(at * 1000), self.legs)

    def _give(self, save: Save) -> None:
        assert save.token == 0
        self.records += save.unit

    def see(self, value: Any, now: float = 0.0) -> None:
        self.legs("a", "b", value, now)
        self.observer("a", "b", value, now)


def begun() -> Recorder:
    recorder = Recorder()
    recorder.see(Save(token=Token(1), unit=made.created()))
    return recorder


def test_a_message_is_kept_with_its_way_and_addresses() -> None:
    recorder = begun()
    recorder.see(trace(made.invite(), session=made.LEG), now=0.25)
    assert recorder.records == [
        SipMessageRow(
            call=made.CALL, leg=made.LEG, at=made.START + 250, way="sent", transport="udp", source="udp:192.0.2.1:5060",
            destination="udp:198.51.100.9:5060", message=made.invite().replace("\n", "\r\n").encode(),
        )
    ]  # fmt: skip


def test_credentials_are_not_kept() -> None:
    recorder = begun()
    recorder.see(trace('INVITE sip:x SIP/2.0\nAuthorization: Digest response="5eca7"\n\n', session=made.LEG))
    assert b"5eca7" not in recorder.records[0].message
    assert b"Authorization: Digest (redacted)\r\n" in recorder.records[0].message


def test_a_call_that_talks_without_end_is_cut_short_with_one_note() -> None:
    recorder = begun()
    for _ in range(1000):
        recorder.see(trace(made.request("OPTIONS"), "received", session=made.LEG))
    assert [type(record) for record in recorder.records] == [SipMessageRow] * MESSAGES_A_CALL + [NoteRow]
    assert recorder.records[-1].what == "further SIP messages of this call are not kept (200 are)"


def test_large_messages_are_cut_and_bounded_together() -> None:
    recorder = begun()
    for _ in range(100):
        recorder.see(trace(b"MESSAGE sip:x SIP/2.0\r\n\r\n" + b"x" * 60_000, "received", session=made.LEG))
    *messages, note = recorder.records
    assert all(record.message.endswith(CUT) for record in messages)
    assert sum(len(record.message) for record in messages) <= BYTES_A_CALL
    assert isinstance(note, NoteRow)


def test_messages_outside_any_call_are_not_kept_and_an_ended_call_is_forgotten() -> None:
    recorder = begun()
    recorder.see(trace("OPTIONS sip:x SIP/2.0\n\n", "received", session=""))
    recorder.see(trace("OPTIONS sip:x SIP/2.0\n\n", "received", session="another"))
    for unit in made.life():
        recorder.see(Save(token=Token(0), unit=unit))
    recorder.see(trace(made.request("BYE"), "received", session=made.LEG))
    assert recorder.records == []
    assert recorder.observer._used == {}
