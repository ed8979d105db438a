"""Recordings: as long as the call was, what arrived in its place, valid at every moment, closed before they are reported."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.media_rig import LEG, LiveRig, VirtualRig, read_wav, sine, wav
from outdial.io.media_files import MediaFiles
from outdial.media import g711
from outdial.media.files import RecordingFile
from outdial.model.media import CloseStream, Done, Failed, Play, Record, RecordEnded, Silence, Speech, Stop, Unwatch, Watch

Rig = VirtualRig | LiveRig


def record(rig: Rig, path: Path, **fields: object) -> Record:
    command = Record(id=rig.id(), stream=LEG, path=str(path), **fields)  # type: ignore[arg-type]
    assert isinstance(rig.ask(command), Done)
    return command


def tone_of(samples: g711.Samples) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 8000 / len(samples))


@pytest.mark.parametrize("seed", range(12))
def test_lost_repeated_and_overtaken_packets_do_not_change_length_or_place(virtual: VirtualRig, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    phone = virtual.phone()
    port = virtual.open(phone)
    virtual.run(0.1)
    spoken = sine(700, 3000)
    encoded = g711.encode("PCMU", spoken)
    lost = set()
    command = record(virtual, tmp_path / "r.wav")
    for index, (at, data) in enumerate(phone.talk(encoded, port)):
        if index and chance.random() < 0.05:
            lost.add(index)
            continue
        for _ in range(1 + (chance.random() < 0.05)):
            phone.send(data, port, 0.02 + at + (chance.uniform(0, 0.035) if index else 0.0))
    virtual.run(3.5)
    virtual.ask(Stop(id=virtual.id(), stream=LEG, target=command.id))
    (ended,) = virtual.of(RecordEnded)
    heard = read_wav(tmp_path / "r.wav")
    assert (ended.samples, len(heard)) == (28_000, 28_000)
    expected = g711.decode("PCMU", encoded).copy()
    for index in lost:
        expected[160 * index : 160 * (index + 1)] = 0
    assert np.array_equal(heard[:24_000], expected), "not shifted, no gap but what was lost, no click"
    assert not heard[24_000:].any()
    assert ended.peak == np.abs(expected.astype(int)).max()


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
def test_packets_of_any_length_are_placed(virtual: VirtualRig, tmp_path: Path, ptime: int) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    spoken = sine(700, 1200)
    encoded = g711.encode("PCMU", spoken)
    command = record(virtual, tmp_path / "r.wav")
    phone.say(encoded, port, after=ptime / 1000, ptime=ptime)
    virtual.run(1.5)
    virtual.ask(Stop(id=virtual.id(), stream=LEG, target=command.id))
    assert np.array_equal(read_wav(tmp_path / "r.wav")[:9600], g711.decode("PCMU", encoded))


def test_a_callee_who_says_nothing_is_a_recording_of_silence(rig: Rig, tmp_path: Path) -> None:
    rig.open(rig.phone())
    record(rig, tmp_path / "r.wav", limit_ms=400)
    ended = rig.wait(RecordEnded)
    assert (ended.why, ended.samples, ended.peak) == ("limit", 3200, 0)
    assert not read_wav(tmp_path / "r.wav").any()


def test_it_ends_on_silence_and_the_silence_is_in_it(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    record(virtual, tmp_path / "r.wav", silence_ms=1000)
    phone.say(g711.encode("PCMU", sine(500, 800)), port, after=0.02)
    ended = virtual.wait(RecordEnded)
    assert ended.why == "silence"
    assert abs(ended.samples - (6400 + 8000)) <= 320


def test_sound_below_the_threshold_is_silence(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    record(virtual, tmp_path / "r.wav", silence_ms=500, silence_threshold=200, limit_ms=2000)
    phone.say(g711.encode("PCMU", sine(500, 3000, 250)), port, after=0.02)
    assert virtual.wait(RecordEnded).why == "silence"


@pytest.mark.parametrize("in_band", [False, True])
def test_it_ends_on_a_digit_whose_sound_is_kept_out(virtual: VirtualRig, tmp_path: Path, in_band: bool) -> None:
    phone = virtual.phone()
    remote: dict[str, Any] = {"event_send_type": None, "event_accept_types": ()} if in_band else {}
    port = virtual.open(phone, **remote)
    record(virtual, tmp_path / "r.wav", end_digits="#*")
    speech = g711.encode("PCMU", sine(300, 1000))
    press = g711.encode("PCMU", sine(941, 200, 4000) + sine(1477, 200, 4000))
    phone.say(speech, port, after=0.02)
    if in_band:
        phone.say(press, port, after=1.02)
    else:
        for at, data in phone.digit(11):
            phone.send(data, port, 1.0 + at)
            phone.send(phone.rtp(press[:160], timestamp=phone.timestamp - 1600 + round(8000 * at)), port, 1.0 + at)
    ended = virtual.wait(RecordEnded)
    assert (ended.why, ended.digit) == ("digit", "#")
    heard = read_wav(tmp_path / "r.wav")
    assert len(heard) == ended.samples
    assert abs(ended.samples - 8000) <= 200
    assert abs(tone_of(heard[:7800]) - 300) < 5
    tail = heard[7000:]
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail)), 8000))
    assert spectrum[941] < 0.02 * spectrum[300]


def test_other_digits_do_not_end_it(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    record(virtual, tmp_path / "r.wav", end_digits="#", limit_ms=1000)
    for at, data in phone.digit(1):
        phone.send(data, port, at)
    assert virtual.wait(RecordEnded).why == "limit"


def test_it_is_a_valid_file_at_every_moment(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    record(virtual, tmp_path / "r.wav")
    phone.say(g711.encode("PCMU", sine(300, 4000)), port, after=0.02)
    for tenth in range(1, 41):
        virtual.run(0.1)
        size = (tmp_path / "r.wav").stat().st_size
        heard = read_wav(tmp_path / "r.wav")
        assert size == 44 + 2 * len(heard)
        assert len(heard) >= tenth * 800 - 8000 - 1600 - 480, "never more than about a second behind"


def test_two_recordings_overlap_without_disturbing_each_other(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    phone.say(g711.encode("PCMU", sine(300, 3000)), port, after=0.02)
    first = record(virtual, tmp_path / "1.wav")
    virtual.run(1.0)
    record(virtual, tmp_path / "2.wav", limit_ms=1500)
    virtual.run(0.5)
    virtual.ask(Stop(id=virtual.id(), stream=LEG, target=first.id))
    virtual.wait(RecordEnded, 2)
    one, two = read_wav(tmp_path / "1.wav"), read_wav(tmp_path / "2.wav")
    assert (len(one), len(two)) == (12_000, 12_000)
    assert np.array_equal(one[8000:], two[:4000])
    assert abs(tone_of(two) - 300) < 2


class FullDisk(MediaFiles):
    """A disk on which `room` bytes are left."""

    def __init__(self, room: int) -> None:
        self.room = room

    def recording(self, path: str) -> RecordingFile:
        outer, inner = self, super().recording(path)

        class Bounded:
            def write(self, at: int, data: bytes) -> None:
                if at + len(data) > outer.room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                inner.write(at, data)

            def truncate(self, size: int) -> None:
                inner.truncate(size)

            def close(self) -> None:
                inner.close()

        return Bounded()


@pytest.mark.parametrize("room", [44 + 16_000, 44 + 20_000])
def test_a_full_disk_ends_it_with_what_there_is(virtual: VirtualRig, tmp_path: Path, room: int) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    virtual.engine._files = FullDisk(room)
    record(virtual, tmp_path / "r.wav")
    phone.say(g711.encode("PCMU", sine(300, 4000)), port, after=0.02)
    ended = virtual.wait(RecordEnded)
    assert ended.why == "disk_full"
    assert len(read_wav(tmp_path / "r.wav")) == ended.samples > 0
    assert isinstance(virtual.ask(Play(id=virtual.id(), stream=LEG, silence_ms=20)), Done), "the call goes on"


def test_a_disk_that_is_full_at_once_fails(rig: Rig) -> None:
    rig.open(rig.phone())
    failed = rig.ask(Record(id=rig.id(), stream=LEG, path="/dev/full"))
    assert isinstance(failed, Failed)
    assert failed.reason == "disk_full"


def test_a_recording_in_a_law_and_over_a_change_of_codec(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone, codec="PCMA", send_type=8, accept_types=(8,))
    command = record(virtual, tmp_path / "r.wav")
    phone.say(g711.encode("PCMA", sine(300, 1000)), port, after=0.02, payload_type=8)
    virtual.run(1.1)
    virtual.remote(phone)
    phone.say(g711.encode("PCMU", sine(600, 1000)), port, after=0.02)
    virtual.run(1.2)
    virtual.ask(Stop(id=virtual.id(), stream=LEG, target=command.id))
    heard = read_wav(tmp_path / "r.wav")
    assert abs(tone_of(heard[:8000]) - 300) < 2
    assert abs(tone_of(heard[9000:16_000]) - 600) < 2
    assert len(heard) == 18_400


def test_closing_the_stream_closes_the_file_first(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    record(rig, tmp_path / "r.wav")
    phone.say(g711.encode("PCMU", sine(300, 300)), port)
    rig.until(lambda: phone.sent == 15)
    rig.run(0.1)
    rig.submit(CloseStream(id=rig.id(), stream=LEG))
    ended = rig.wait(RecordEnded)
    assert ended.why == "stream_closed"
    heard = read_wav(tmp_path / "r.wav")
    assert len(heard) == ended.samples
    assert np.abs(heard).max() > 7000


# -- silence and speech


def test_silence_and_speech_are_told_once_each_time(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    virtual.ask(Watch(id=virtual.id(), stream=LEG, silence_ms=500, speech_ms=60))
    phone.say(g711.encode("PCMU", sine(300, 1000)), port, after=0.02)
    phone.timestamp += 8000
    phone.say(g711.encode("PCMU", sine(300, 1000)), port, after=2.02)
    virtual.run(4.0)
    told = [(type(event), event.at) for event in virtual.events if isinstance(event, Silence | Speech)]
    assert [kind for kind, _ in told] == [Speech, Silence, Speech, Silence]
    for (_, at), expected in zip(told, (640, 12_160, 16_640, 28_160), strict=True):
        assert abs(at - expected) <= 800, "the clock's time, the reading delay and a tick"
    virtual.ask(Unwatch(id=virtual.id(), stream=LEG))
    phone.say(g711.encode("PCMU", sine(300, 1000)), port)
    virtual.run(2)
    assert len(virtual.of(Speech)) == 2


def test_silence_is_told_of_a_peer_that_sends_nothing(virtual: VirtualRig) -> None:
    virtual.open(virtual.phone())
    virtual.ask(Watch(id=virtual.id(), stream=LEG, silence_ms=500))
    assert virtual.wait(Silence).ms == 500


def test_playing_to_the_peer_does_not_disturb_what_is_recorded(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    rig.ask(Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(1000, 2000))))
    record(rig, tmp_path / "r.wav", limit_ms=1000)
    phone.say(g711.encode("PCMU", sine(400, 1200)), port)
    rig.wait(RecordEnded)
    heard = read_wav(tmp_path / "r.wav")
    assert abs(tone_of(heard[800:7200]) - 400) < 5
    rig.until(lambda: len(phone.audio) > 9000)
    sent = g711.decode("PCMU", phone.audio)
    assert abs(tone_of(sent[1600:8000]) - 1000) < 5
