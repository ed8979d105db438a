"""What plays: queue, repeats, where it starts and stops, codecs, packet times, directions, comfort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.media_rig import LEG, LiveRig, VirtualRig, frames_of, sine, wav
from outdial.media import g711
from outdial.model.media import CloseStream, Codec, Configure, Done, Echo, Failed, Play, PlayEnded, SetRemote, Stop, Unecho

Rig = VirtualRig | LiveRig
QUIET = b"\xff" * 160


def sounding(audio: bytes) -> bytes:
    return audio.strip(b"\xff")


def test_a_second_play_waits_and_follows_without_a_gap(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    rig.open(phone)
    one, two = sine(440, 200), sine(660, 200)
    plays = [Play(id=rig.id(), stream=LEG, path=wav(tmp_path / f"{n}.wav", part)) for n, part in enumerate((one, two))]
    rig.submit(*plays)
    rig.wait(PlayEnded, 2)
    exact = rig.exact()
    both = g711.encode("PCMU", one) + g711.encode("PCMU", two)
    assert frames_of(phone, both) > 10
    order = [event for event in rig.events if isinstance(event, Done | PlayEnded) and event.id in {play.id for play in plays}]
    assert [(type(event), event.id) for event in order] == [
        (Done, plays[0].id), (PlayEnded, plays[0].id), (Done, plays[1].id), (PlayEnded, plays[1].id),
    ]  # fmt: skip
    if exact:
        assert both in phone.audio
        assert [packet.marker for packet in phone.packets if packet.payload != QUIET] == ([True] + [False] * 9) * 2


def test_a_prompt_of_no_whole_number_of_frames_repeats_without_a_gap(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    prompt = sine(440, 1000)[:1234]
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt), repeat=3))
    ended = virtual.wait(PlayEnded)
    assert g711.encode("PCMU", np.concatenate([prompt] * 3)) in phone.audio
    assert ended.played_ms == 3 * 1234 // 8


@pytest.mark.parametrize("start", [0, 1, 799, 4801, 7999])
def test_it_starts_at_the_sample_that_was_named(virtual: VirtualRig, tmp_path: Path, start: int) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    prompt = np.arange(8000, dtype=np.int16) * 4 + 10
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt), start_sample=start))
    ended = virtual.wait(PlayEnded)
    frames = b"".join(packet.payload for packet in phone.packets if packet.payload != QUIET)
    assert frames == g711.encode("PCMU", prompt[start:]) + bytes([0xFF]) * (-(8000 - start) % 160)
    assert ended.played_ms == (8000 - start) // 8


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
@pytest.mark.parametrize(("codec", "payload_type"), [("PCMU", 0), ("PCMA", 8)])
def test_every_packet_time_and_both_codecs(virtual: VirtualRig, tmp_path: Path, ptime: int, codec: Codec, payload_type: int) -> None:
    phone = virtual.phone()
    virtual.open(phone, ptime_ms=ptime, codec=codec, send_type=payload_type, accept_types=(payload_type,))
    prompt = sine(440, 1500)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt)))
    virtual.wait(PlayEnded)
    assert g711.encode(codec, prompt) in phone.audio
    times = [at for at, _, _ in phone.inbox]
    steps = np.diff(times)
    assert np.allclose(steps, ptime / 1000, atol=1e-6)
    assert {packet.payload_type for packet in phone.packets} == {payload_type}
    assert {len(packet.payload) for packet in phone.packets} == {ptime * 8}


def test_any_payload_type_number(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    virtual.open(phone, send_type=96, accept_types=(97,))
    virtual.run(0.1)
    assert {packet.payload_type for packet in phone.packets} == {96}


@pytest.mark.parametrize("ptime", [0, 5, 25, 70])
def test_packet_times_that_there_are_not_fail_by_name(virtual: VirtualRig, ptime: int) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    failed = virtual.ask(
        SetRemote(
            id=virtual.id(),
            stream=LEG,
            address="192.0.2.1",
            port=4000,
            rtcp_port=4001,
            codec="PCMU",
            send_type=0,
            accept_types=(0,),
            ptime_ms=ptime,
        )
    )
    assert isinstance(failed, Failed)
    assert failed.reason == "codec"


def test_silence_is_played_like_a_prompt(virtual: VirtualRig) -> None:
    virtual.open(virtual.phone())
    began = virtual.now
    done = virtual.ask(Play(id=virtual.id(), stream=LEG, silence_ms=700))
    assert isinstance(done, Done)
    assert done.samples == 5600
    ended = virtual.wait(PlayEnded)
    assert ended.played_ms == 700
    assert 0.7 <= ended.time - began <= 0.741


def test_stop_takes_effect_at_the_next_tick_and_is_answered_after_the_end(rig: Rig, tmp_path: Path) -> None:
    phone = rig.phone()
    rig.open(phone)
    plays = [Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 5000))) for _ in range(2)]
    rig.submit(*plays)
    rig.until(lambda: sounding(phone.audio))
    for play in reversed(plays):
        done = rig.ask(Stop(id=rig.id(), stream=LEG, target=play.id))
        ended = rig.of(PlayEnded)[-1]
        assert (ended.id, ended.why) == (play.id, "stopped")
        assert rig.events.index(ended) < rig.events.index(done)
    rig.more(phone, 3)
    assert phone.packets[-1].payload == QUIET


def test_timestamps_run_on_over_everything(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    path = wav(tmp_path / "p.wav", sine(440, 130))
    for _ in range(3):
        virtual.ask(Play(id=virtual.id(), stream=LEG, path=path))
        virtual.run(0.37)
    virtual.remote(phone, way="recvonly")
    count = len(phone.packets)
    virtual.run(1.0)
    assert len(phone.packets) == count, "recvonly: from our side nothing is sent"
    virtual.remote(phone, way="sendrecv")
    virtual.run(0.5)
    packets = phone.packets
    assert packets[count].marker
    base_time, base_stamp = phone.inbox[0][0], packets[0].timestamp
    for (at, _, _), packet in zip(phone.inbox, packets, strict=True):
        assert (packet.timestamp - base_stamp) & 0xFFFFFFFF == round((at - base_time) * 8000)
    assert [packet.sequence for packet in packets] == [(packets[0].sequence + n) & 0xFFFF for n in range(len(packets))]


@pytest.mark.parametrize("way", ["inactive", "recvonly"])
def test_a_stream_that_may_not_send_lets_its_prompt_run_on_in_silence(virtual: VirtualRig, tmp_path: Path, way: str) -> None:
    phone = virtual.phone()
    virtual.open(phone, way=way)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 500))))
    assert virtual.wait(PlayEnded).played_ms == 500
    assert phone.packets == []


def test_sendonly_sends_what_plays_and_nothing_between(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    virtual.open(phone, way="sendonly")
    virtual.run(0.5)
    assert phone.packets == []
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 100))))
    virtual.run(0.5)
    assert len(phone.packets) == 5


def test_without_comfort_nothing_is_sent_between_prompts(tmp_path: Path) -> None:
    rig = VirtualRig(Configure(comfort="nothing"))
    phone = rig.phone()
    rig.open(phone)
    rig.run(0.5)
    assert phone.packets == []
    rig.ask(Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 100))))
    rig.run(0.5)
    assert [packet.marker for packet in phone.packets] == [True] + [False] * 4


def test_before_an_answer_a_play_waits(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    from outdial.model.media import OpenStream

    virtual.ask(OpenStream(id=virtual.id(), stream=LEG))
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 100))))
    virtual.run(1.0)
    assert virtual.of(PlayEnded) == []
    virtual.remote(phone)
    assert virtual.wait(PlayEnded).played_ms == 100
    assert g711.encode("PCMU", sine(440, 100)) in phone.audio


def test_echo_gives_back_what_came(rig: Rig) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    rig.ask(Echo(id=rig.id(), stream=LEG))
    tone = g711.encode("PCMU", sine(500, 600))
    phone.say(tone, port)
    rig.until(lambda: phone.sent == 30)
    if not rig.live:
        rig.run(0.2)
        assert sounding(phone.audio) == sounding(tone)
    rig.until(lambda: len(sounding(phone.audio)) > 3000)
    rig.ask(Unecho(id=rig.id(), stream=LEG))
    phone.say(tone, port)
    rig.until(lambda: phone.sent == 60)
    rig.more(phone, 3)
    assert phone.packets[-1].payload == QUIET


def test_a_change_of_codec_and_packet_time_in_the_middle_of_a_prompt(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    prompt = sine(440, 2000)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt)))
    virtual.run(0.5)
    virtual.remote(phone, codec="PCMA", send_type=8, accept_types=(8,), ptime_ms=30)
    virtual.wait(PlayEnded)
    got = np.concatenate([g711.decode("PCMU" if packet.payload_type == 0 else "PCMA", packet.payload) for packet in phone.packets])
    loud = np.flatnonzero(np.abs(got) > 200)
    start = loud[0] - int(np.flatnonzero(np.abs(prompt) > 200)[0])
    assert np.abs(got[start : start + 16000].astype(int) - prompt).max() < 300, "not shifted, no gap, no click"


def test_closing_and_opening_again_gives_another_port(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    first = virtual.open(phone)
    virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    assert virtual.open(phone) != first
