"""What a call needs from any engine: it opens, plays, hears digits, records and closes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from helpers.media_rig import LEG, LiveRig, VirtualRig, frames_of, read_wav, sine, wav
from outdial.media import g711
from outdial.model.ids import LegId
from outdial.model.media import (
    CloseStream,
    Collect,
    Collected,
    Digit,
    Done,
    Failed,
    FirstPacket,
    OpenStream,
    Play,
    PlayEnded,
    Press,
    Record,
    RecordEnded,
    SetRemote,
)

Rig = VirtualRig | LiveRig


def test_a_prompt_arrives_whole_and_in_one_piece(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    rig.open(phone)
    prompt = sine(440, 500)
    play = Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt))
    done = rig.ask(play)
    assert isinstance(done, Done)
    assert done.samples == 4000
    ended = rig.wait(PlayEnded)
    assert (ended.id, ended.why, ended.played_ms) == (play.id, "finished", 500)
    encoded = g711.encode("PCMU", prompt)
    rig.more(phone, 2)
    assert frames_of(phone, encoded) > 12
    if rig.exact():
        assert encoded in phone.audio


def test_packets_run_on_one_grid_and_the_prompt_begins_with_the_marker(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    rig.open(phone)
    rig.until(lambda: len(phone.packets) >= 3)
    rig.ask(Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 210))))
    rig.wait(PlayEnded)
    rig.until(lambda: phone.packets[-1].payload == b"\xff" * 160)
    exact = rig.exact()
    packets = phone.packets
    for before, after in itertools.pairwise(packets):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        assert (after.timestamp - before.timestamp) % 160 == 0
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 160 or not exact
        assert len(after.payload) == 160
    assert len({packet.ssrc for packet in packets}) == 1
    if not exact:
        return
    sounding = [packet for packet in packets if packet.payload != b"\xff" * 160]
    assert [packet.marker for packet in sounding] == [True] + [False] * 10
    assert sounding[-1].payload[80:] == b"\xff" * 80, "the last frame is padded with silence"


def test_digits_are_collected_and_stop_the_prompt(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    play = Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 5000)))
    rig.ask(play)
    collect = Collect(id=rig.id(), stream=LEG, max_digits=4, terminators="#", first_ms=3000, between_ms=1000, after=play.id)
    rig.ask(collect)
    at = 0.0
    for code in (1, 2, 11):
        for moment, data in phone.digit(code):
            phone.send(data, port, at + moment)
        at += 0.2
    collected = rig.wait(Collected)
    assert (collected.id, collected.digits, collected.terminator, collected.why) == (collect.id, "12", "#", "terminator")
    assert [digit.digit for digit in rig.of(Digit)] == ["1", "2", "#"]
    ended = rig.wait(PlayEnded)
    assert (ended.why, ended.played_ms < 1000) == ("digit", True)


def test_a_recording_is_what_arrived_and_as_long_as_it_took(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    tone = sine(1000, 1000)
    phone.say(g711.encode("PCMU", tone), port)
    rig.wait(FirstPacket)
    record = Record(id=rig.id(), stream=LEG, path=str(tmp_path / "r.wav"), limit_ms=1500)
    rig.ask(record)
    ended = rig.wait(RecordEnded)
    assert (ended.id, ended.why, ended.samples) == (record.id, "limit", 12000)
    heard = read_wav(tmp_path / "r.wav")
    assert len(heard) == 12000
    loud = np.flatnonzero(np.abs(heard) > 4000)
    spectrum = np.abs(np.fft.rfft(heard[loud[0] : loud[-1]] * np.hanning(loud[-1] - loud[0])))
    assert abs(spectrum.argmax() * 8000 / (loud[-1] - loud[0]) - 1000) < 5
    assert 7000 < ended.peak < 9000


def test_closing_ends_what_runs_and_tells_what_was_carried(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    play = Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 5000)))
    collect = Collect(id=rig.id(), stream=LEG, first_ms=3000, between_ms=1000)
    record = Record(id=rig.id(), stream=LEG, path=str(tmp_path / "r.wav"))
    for command in (play, collect, record):
        rig.ask(command)
    phone.say(g711.encode("PCMU", sine(1000, 200)), port)
    rig.until(lambda: phone.sent == 10)
    rig.more(phone, 1)
    close = CloseStream(id=rig.id(), stream=LEG)
    done = rig.ask(close)
    assert isinstance(done, Done)
    kinds = [type(event) for event in rig.events]
    for kind in (PlayEnded, Collected, RecordEnded):
        assert [event.why for event in rig.of(kind)] == ["stream_closed"]  # type: ignore[attr-defined]
        assert kinds.index(kind) < rig.events.index(done)
    assert done.statistics is not None
    assert done.statistics.packets_received == 10
    assert done.statistics.octets_received == 1600
    assert done.statistics.lost == 0
    rig.until(lambda: len(phone.packets) == done.statistics.packets_sent)  # type: ignore[union-attr]
    assert isinstance(rig.ask(CloseStream(id=rig.id(), stream=LEG)), Failed)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (lambda rig, path: Play(id=rig.id(), stream=LEG, path=f"{path}/none.wav"), "not_found"),
        (lambda rig, path: Play(id=rig.id(), stream=LEG, path=__file__), "format"),
        (lambda rig, path: Play(id=rig.id(), stream=LegId("nobody"), path=__file__), "no_stream"),
        (lambda rig, path: Record(id=rig.id(), stream=LEG, path=f"{path}/no/such/folder.wav"), "path"),
        (lambda rig, path: Press(id=rig.id(), stream=LEG, digit="x"), "bad_digit"),
        (
            lambda rig, path: SetRemote(
                id=rig.id(), stream=LEG, address="a.name.example.com", port=4, rtcp_port=5, codec="PCMU", send_type=0, accept_types=(0,)
            ),
            "address",
        ),
        (lambda rig, path: OpenStream(id=rig.id(), stream=LEG), "exists"),
    ],
)
def test_what_cannot_be_done_fails_by_name(rig: Rig, tmp_path: Path, what, reason: str) -> None:  # type: ignore[no-untyped-def]
    rig.open(rig.phone())
    failed = rig.ask(what(rig, tmp_path))
    assert isinstance(failed, Failed)
    assert failed.reason == reason
