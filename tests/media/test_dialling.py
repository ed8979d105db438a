"""Digits out: RFC 4733 §2.5.1, or the tones themselves."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from helpers.media_rig import LEG, LiveRig, VirtualRig, sine, wav
from outdial.media import g711
from outdial.media.tones import ToneDetector
from outdial.model.media import CloseStream, DigitsSent, Done, Failed, Play, PlayEnded, SendDigits, Stop
from outdial.rtp.packet import RtpPacket
from outdial.rtp.telephone_event import DIGITS, Presses, TelephoneEvent, parse

Rig = VirtualRig | LiveRig


def events(packets: list[RtpPacket]) -> list[tuple[RtpPacket, TelephoneEvent]]:
    out = []
    for packet in packets:
        if packet.payload_type == 101:
            event = parse(packet.payload)
            assert event is not None
            out.append((packet, event))
    return out


def test_each_press_as_the_rfc_says(rig: Rig) -> None:
    phone = rig.phone()
    rig.open(phone)
    send = SendDigits(id=rig.id(), stream=LEG, digits="1*,5D", tone_ms=100, gap_ms=100, pause_ms=300)
    assert isinstance(rig.ask(send), Done)
    sent = rig.wait(DigitsSent)
    assert (sent.id, sent.why) == (send.id, "finished")
    exact = rig.exact()
    rig.run(0.05)
    packets = phone.packets
    heard = Presses()
    assert [p.digit for packet, event in events(packets) if (p := heard.take(1, packet.timestamp, event, 0.0))] == list("1*5D")
    if not exact:
        return
    for before, after in itertools.pairwise(packets):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
    presses = [list(group) for _, group in itertools.groupby(events(packets), key=lambda pair: pair[0].timestamp)]
    assert ["".join({DIGITS[event.event] for _, event in press}) for press in presses] == ["1", "*", "5", "D"]
    for press in presses:
        assert [packet.marker for packet, _ in press] == [True] + [False] * 7
        assert [event.duration for _, event in press] == [160, 320, 480, 640, 800, 800, 800, 800]
        assert [event.end for _, event in press] == [False] * 5 + [True] * 3
    starts = [press[0][0].timestamp for press in presses]
    assert [(after - before) & 0xFFFFFFFF for before, after in itertools.pairwise(starts)] == [1600, 1600 + 2400, 1600]


def test_a_prompt_is_replaced_and_its_clock_runs_on(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    prompt = sine(440, 1000)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt)))
    virtual.run(0.2)
    virtual.ask(SendDigits(id=virtual.id(), stream=LEG, digits="7", tone_ms=100, gap_ms=100))
    ended = virtual.wait(PlayEnded)
    assert (ended.why, ended.played_ms) == ("finished", 1000)
    audio = [packet for packet in phone.packets if packet.payload_type == 0]
    encoded = g711.encode("PCMU", prompt)
    first = next(packet for packet in audio if packet.marker and packet.payload != b"\xff" * 160)
    for packet in audio:
        offset = (packet.timestamp - first.timestamp) & 0xFFFFFFFF
        if packet.payload != b"\xff" * 160 and offset < 8000:
            assert packet.payload == encoded[offset : offset + 160]
    times = sorted({(packet.timestamp - first.timestamp) & 0xFFFFFFFF for packet in audio} & set(range(8000)))
    missing = [at for at in range(0, 8000, 160) if at not in times]
    assert len(missing) == 8, "five packets of the press and its three ends"


def test_without_telephone_event_the_tones_are_sent(rig: Rig) -> None:
    phone = rig.phone()
    rig.open(phone, event_send_type=None, event_accept_types=())
    rig.ask(SendDigits(id=rig.id(), stream=LEG, digits="2580#", tone_ms=90, gap_ms=70))
    rig.wait(DigitsSent)
    assert {packet.payload_type for packet in phone.packets} == {0}
    samples = g711.decode("PCMU", phone.audio)
    if rig.exact():
        assert "".join(found.digit for found in ToneDetector().feed(samples, 0)) == "2580#"


@pytest.mark.parametrize(("ptime", "durations"), [(10, list(range(80, 801, 80))), (30, [240, 480, 720, 960]), (60, [480, 960])])
def test_events_leave_on_the_streams_grid(virtual: VirtualRig, ptime: int, durations: list[int]) -> None:
    phone = virtual.phone()
    virtual.open(phone, ptime_ms=ptime)
    virtual.ask(SendDigits(id=virtual.id(), stream=LEG, digits="9", tone_ms=100, gap_ms=50))
    virtual.wait(DigitsSent)
    assert [event.duration for _, event in events(phone.packets)] == durations + durations[-1:] * 3
    assert {len(packet.payload) for packet in phone.packets} == {4, ptime * 8}


def test_stopping_in_the_middle_of_a_press_ends_it_properly(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    send = SendDigits(id=virtual.id(), stream=LEG, digits="123", tone_ms=400)
    virtual.ask(send)
    virtual.run(0.1)
    virtual.ask(Stop(id=virtual.id(), stream=LEG, target=send.id))
    assert virtual.of(DigitsSent)[0].why == "stopped"
    seen = events(phone.packets)
    assert {event.event for _, event in seen} == {1}
    assert [event.end for _, event in seen][-3:] == [True] * 3
    assert len({event.duration for _, event in seen[-4:]}) == 1


def test_two_in_a_row_are_sent_in_order_and_both_end_when_the_stream_closes(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    first, second, third = (SendDigits(id=virtual.id(), stream=LEG, digits=digits, tone_ms=60, gap_ms=60) for digits in ("1", "2", "3333"))
    virtual.submit(first, second, third)
    virtual.until(lambda: len(virtual.of(DigitsSent)) == 2)
    virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    assert [(event.id, event.why) for event in virtual.of(DigitsSent)] == [
        (first.id, "finished"),
        (second.id, "finished"),
        (third.id, "stream_closed"),
    ]


@pytest.mark.parametrize("digits", ["", "12x", "1 2", "１"])
def test_what_is_no_digit_fails_by_name(rig: Rig, digits: str) -> None:
    rig.open(rig.phone())
    failed = rig.ask(SendDigits(id=rig.id(), stream=LEG, digits=digits))
    assert isinstance(failed, Failed)
    assert failed.reason == "bad_digit"
    assert repr(digits) in failed.detail


def test_what_leaves_is_what_an_in_band_listener_hears_in_a_law_too(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    virtual.open(phone, codec="PCMA", send_type=8, accept_types=(8,), event_send_type=None, event_accept_types=())
    virtual.ask(SendDigits(id=virtual.id(), stream=LEG, digits="0", tone_ms=100))
    virtual.wait(DigitsSent)
    assert [found.digit for found in ToneDetector().feed(g711.decode("PCMA", phone.audio), 0)] == ["0"]
    assert np.abs(g711.decode("PCMA", phone.audio)).max() > 8000
