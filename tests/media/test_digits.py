"""Digits in: telephone events as peers really send them, INFO, tones; each press once. And what collects them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from helpers.media_rig import LEG, LiveRig, Phone, VirtualRig, sine, wav
from outdial.media import g711
from outdial.media.tones import tone
from outdial.model.media import Collect, Collected, Digit, Done, Play, PlayEnded, Press, Stop
from outdial.rtp.telephone_event import DIGITS

Rig = VirtualRig | LiveRig


def dial(phone: Phone, port: int, digits: str, after: float = 0.0, **how: object) -> float:
    """Press digits one after the other, 100 ms each; gives the moment after the last."""
    for digit in digits:
        for at, data in phone.digit(DIGITS.index(digit), **how):  # type: ignore[arg-type]
            phone.send(data, port, after + at)
        after += 0.2
    return after


def pressed(rig: Rig) -> str:
    return "".join(event.digit for event in rig.of(Digit))


@pytest.mark.parametrize("how", [{}, {"r_bit": True}, {"same_end": True}, {"ends": 0}, {"ends": 1}], ids=str)
def test_each_press_once_however_the_peer_sends_it(rig: Rig, how: dict[str, Any]) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    dial(phone, port, "1123*#0ABCD4", **how)
    rig.until(lambda: len(rig.of(Digit)) >= 12)
    rig.run(0.3)
    assert pressed(rig) == "1123*#0ABCD4"
    assert {event.how for event in rig.of(Digit)} == {"event"}


def test_audio_between_event_packets_in_one_sequence(rig: Rig) -> None:
    """As baresip does."""
    phone = rig.phone()
    port = rig.open(phone)
    at = 0.0
    for code in (5, 5, 9):
        start = phone.timestamp
        for index in range(1, 13):
            body = bytes([code, 10]) + (160 * index).to_bytes(2, "big")
            phone.send(phone.rtp(body, payload_type=101, marker=index == 1, timestamp=start), port, at)
            phone.send(phone.rtp(b"\x55" * 160), port, at + 0.001)
            phone.timestamp += 160
            at += 0.02
        for _ in range(3):
            phone.send(phone.rtp(bytes([code, 0x8A]) + (1920).to_bytes(2, "big"), payload_type=101, timestamp=start), port, at)
            at += 0.02
    rig.until(lambda: len(rig.of(Digit)) >= 3)
    rig.run(0.2)
    assert pressed(rig) == "559"


def test_events_with_an_ssrc_and_a_sequence_of_their_own(rig: Rig) -> None:
    """As SIPp does: audio by rtp_stream, digits from a capture whose numbers go backwards."""
    phone = rig.phone()
    port = rig.open(phone)
    phone.say(b"\x55" * 8000, port)
    keypad = Phone(rig, phone.address)
    keypad.ssrc = 0x0D1A1000
    at = 0.1
    for code in (3, 1, 2):
        keypad.sequence, keypad.timestamp = 40_000 - 100 * code, 90_000 - 1000 * code
        for moment, data in keypad.digit(code):
            phone.send(data, port, at + moment)
        at += 0.2
    rig.until(lambda: len(rig.of(Digit)) >= 3)
    rig.run(0.2)
    assert pressed(rig) == "312"


@pytest.mark.parametrize("seed", range(20))
def test_with_5_percent_lost_and_packets_overtaking_each_other_digits_are_exact(virtual: VirtualRig, seed: int) -> None:
    chance = random.Random(seed)
    phone = virtual.phone()
    port = virtual.open(phone)
    digits = "".join(chance.choice(DIGITS) for _ in range(40))
    at = 0.0
    for digit in digits:
        for moment, data in phone.digit(DIGITS.index(digit)):
            if chance.random() >= 0.05:
                phone.send(data, port, at + moment + chance.uniform(0, 0.03))
        at += 0.2
    virtual.run(at + 1)
    assert pressed(virtual) == digits


def test_the_same_digit_by_another_way_within_300_ms_is_the_same_press(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    virtual.ask(Press(id=virtual.id(), stream=LEG, digit="5"))
    dial(phone, port, "5", after=0.2)
    virtual.run(1)
    assert pressed(virtual) == "5"
    dial(phone, port, "77")
    virtual.run(0.25)
    for _ in range(2):
        virtual.ask(Press(id=virtual.id(), stream=LEG, digit="7"))
    virtual.run(1)
    assert pressed(virtual) == "577", "each way tells each press once"
    dial(phone, port, "8")
    virtual.run(0.6)
    virtual.ask(Press(id=virtual.id(), stream=LEG, digit="8"))
    virtual.ask(Press(id=virtual.id(), stream=LEG, digit="9"))
    assert pressed(virtual) == "577889"


def test_info_at_the_end_of_a_long_press_is_that_press(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    for at, data in phone.digit(4, ms=1500):
        phone.send(data, port, at)
    virtual.run(1.6)
    virtual.ask(Press(id=virtual.id(), stream=LEG, digit="4", duration_ms=1500))
    assert pressed(virtual) == "4"


def test_tones_are_heard_where_events_were_not_negotiated(rig: Rig) -> None:
    phone = rig.phone()
    port = rig.open(phone, event_send_type=None, event_accept_types=())
    quiet = sine(0, 80)
    audio = [quiet]
    for digit in "159#":
        audio += [tone(digit, 0, 640), quiet]
    phone.say(b"".join(g711.encode("PCMU", part) for part in audio), port)
    rig.until(lambda: len(rig.of(Digit)) >= 4)
    rig.run(0.3)
    assert [(event.digit, event.how) for event in rig.of(Digit)] == [(digit, "tone") for digit in "159#"]


def test_tones_are_not_looked_for_where_events_were_negotiated(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    phone.say(g711.encode("PCMU", tone("5", 0, 4000)), port)
    virtual.run(1)
    assert pressed(virtual) == ""


# -- collecting


def collect(rig: Rig, **fields: object) -> Collect:
    values: dict[str, object] = {"first_ms": 5000, "between_ms": 1000}
    command = Collect(id=rig.id(), stream=LEG, **(values | fields))  # type: ignore[arg-type]
    assert isinstance(rig.ask(command), Done)
    return command


def collected(rig: Rig, seconds: float = 10.0) -> tuple[str, str, str]:
    event = rig.wait(Collected, seconds=seconds)
    return event.digits, event.terminator, event.why


def test_a_collect_ends_at_its_maximum(rig: Rig) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    collect(rig, max_digits=3, terminators="#")
    dial(phone, port, "1234")
    assert collected(rig) == ("123", "", "max")


def test_a_collect_ends_between_digits(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    collect(virtual, between_ms=700)
    began = virtual.now
    dial(phone, port, "12")
    assert collected(virtual) == ("12", "", "between")
    assert virtual.now == pytest.approx(began + 0.22 + 0.7, abs=0.001), "counted from the second press's first packet"


def test_a_collect_ends_without_a_first_digit(virtual: VirtualRig) -> None:
    virtual.open(virtual.phone())
    began = virtual.now
    collect(virtual, first_ms=1500)
    assert collected(virtual) == ("", "", "first")
    assert virtual.now == pytest.approx(began + 1.5, abs=1e-6)


def test_a_terminator_alone_is_an_empty_collection(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    collect(virtual, terminators="#*")
    dial(phone, port, "*1")
    assert collected(virtual) == ("", "*", "terminator")


def test_the_first_digit_time_begins_when_the_play_ends(virtual: VirtualRig, tmp_path: Path) -> None:
    virtual.open(virtual.phone())
    play = Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 3000)))
    virtual.ask(play)
    collect(virtual, first_ms=1000, after=play.id)
    ended = virtual.wait(PlayEnded)
    event = virtual.wait(Collected)
    assert event.why == "first"
    assert event.time - ended.time == pytest.approx(1.0, abs=1e-6)


def test_digits_during_the_play_count_and_then_only_the_between_time_does(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    plays = [Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 3000))) for _ in range(2)]
    virtual.submit(*plays)
    collect(virtual, first_ms=100, between_ms=2000, after=plays[1].id)
    dial(phone, port, "4", after=0.5)
    event = virtual.wait(Collected)
    assert (event.digits, event.why) == ("4", "between")
    assert [(end.why, end.id) for end in virtual.of(PlayEnded)] == [("digit", plays[0].id), ("digit", plays[1].id)]
    assert virtual.of(PlayEnded)[1].played_ms == 0


def test_without_stop_playing_the_prompt_goes_on(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 1000))))
    collect(virtual, stop_playing=False, max_digits=1)
    dial(phone, port, "4")
    assert virtual.wait(PlayEnded).why == "finished"
    assert collected(virtual) == ("4", "", "max")


def test_a_prompt_is_silent_at_the_tick_after_the_key(virtual: VirtualRig, tmp_path: Path) -> None:
    phone = virtual.phone()
    port = virtual.open(phone)
    virtual.ask(Play(id=virtual.id(), stream=LEG, path=wav(tmp_path / "p.wav", sine(440, 3000)), stop_digits="12"))
    virtual.run(0.5)
    for _, data in phone.digit(2)[:1]:
        phone.send(data, port)
    pressed_at = virtual.now
    ended = virtual.wait(PlayEnded)
    assert ended.why == "digit"
    assert ended.time - pressed_at <= 0.02
    virtual.run(0.2)
    assert all(data[12:] == b"\xff" * 160 for at, data, _ in phone.inbox if at >= ended.time)


def test_a_stopped_collect_gives_what_it_has_and_answers_after_it(rig: Rig) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    command = collect(rig)
    dial(phone, port, "42")
    rig.until(lambda: len(rig.of(Digit)) == 2)
    stop = Stop(id=rig.id(), stream=LEG, target=command.id)
    done = rig.ask(stop)
    assert collected(rig) == ("42", "", "stopped")
    assert rig.events.index(rig.of(Collected)[0]) < rig.events.index(done)
    assert isinstance(rig.ask(Stop(id=rig.id(), stream=LEG, target=command.id)), Done), "stopping what has ended is done"
