"""Telephone events: RFC 4733 §2.3 and the example of its section 5, and peers as met."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.telephone_event import DIGITS, Presses, TelephoneEvent, build, parse

# RFC 4733 §5, table 5 (the caller dials 911): time in ms, timestamp, event, duration, E
DIALLED_911 = [
    (50, 0, 9, 400, False), (100, 0, 9, 800, False), (150, 0, 9, 1200, False), (200, 0, 9, 1600, False), (250, 0, 9, 1600, True),
    (300, 0, 9, 1600, True), (930, 7040, 1, 400, False), (980, 7040, 1, 800, False), (1030, 7040, 1, 1200, False),
    (1080, 7040, 1, 1600, False), (1130, 7040, 1, 1600, True), (1180, 7040, 1, 1600, True), (1450, 11200, 1, 400, False),
    (1500, 11200, 1, 800, False), (1550, 11200, 1, 1200, False), (1600, 11200, 1, 1600, True), (1650, 11200, 1, 1600, True),
    (1700, 11200, 1, 1600, True),
]  # fmt: skip


def digits(packets: Iterable[tuple[float, int, int, int, bool]], ssrc: int = 1) -> str:
    presses = Presses()
    out = ""
    for ms, timestamp, event, duration, end in packets:
        press = presses.take(ssrc, timestamp, TelephoneEvent(event=event, duration=duration, end=end), ms / 1000)
        out += press.digit if press else ""
    return out


def test_the_payload_in_its_bits() -> None:
    assert build(TelephoneEvent(event=11, end=True, volume=7, duration=0x1234)) == bytes.fromhex("0b871234")
    assert parse(bytes.fromhex("0b871234")) == TelephoneEvent(event=11, end=True, volume=7, duration=0x1234)
    assert parse(bytes.fromhex("0bc71234")) == parse(bytes.fromhex("0b871234")), "the R bit is not looked at"
    assert [parse(bytes(4)[:length]) for length in range(4)] == [None] * 4


def test_codes_are_those_of_the_table() -> None:
    assert [DIGITS.index(digit) for digit in "0159*#AD"] == [0, 1, 5, 9, 10, 11, 12, 15]  # RFC 4733 §3.2, table 3


def test_the_rfcs_own_example() -> None:
    assert digits(DIALLED_911) == "911"


@pytest.mark.parametrize("missing", [pytest.param((True,), id="every end lost"), pytest.param((False,), id="only ends arrived")])
def test_lost_starts_and_lost_ends_change_nothing(missing: tuple[bool, ...]) -> None:
    assert digits([packet for packet in DIALLED_911 if packet[4] not in missing]) == "911"


@given(st.integers(0, 2**32))
def test_any_order_within_100_ms_any_repeats_and_one_packet_a_press_are_enough(seed: int) -> None:
    chance = random.Random(seed)
    kept = []
    for _, press in itertools.groupby(DIALLED_911, key=lambda packet: packet[1]):
        packets = list(press)
        kept += chance.sample(packets, chance.randint(1, len(packets)))
    kept += chance.choices(kept, k=3)
    arriving = sorted((at + chance.uniform(0, 100), timestamp, code, duration, end) for at, timestamp, code, duration, end in kept)
    assert digits(arriving) == "911"


def test_the_same_digit_twice_is_two_presses_though_no_end_arrived() -> None:
    assert digits([(0, 0, 5, 160, False), (20, 0, 5, 320, False), (200, 1600, 5, 160, False)]) == "55"


def test_a_press_longer_than_its_field_goes_on_in_segments() -> None:
    held = [(20 * n, 0, 3, 160 * n, False) for n in range(1, 410)] + [(8192, 0, 3, 0xFFFF, False)]
    held += [(8192 + 20 * n, 0xFFFF, 3, 160 * n, False) for n in range(1, 50)] + [(9200, 0xFFFF, 3, 8000, True)]
    assert digits(held) == "3"


def test_events_that_are_no_digits_are_none() -> None:
    assert digits([(0, 0, 16, 160, False), (20, 160, 32, 160, False), (40, 320, 255, 160, True)]) == ""


def test_a_recorded_press_that_is_played_again_later_is_a_press() -> None:
    press = [(0, 0, 7, 160, False), (20, 0, 7, 320, True)]
    again = [(at + 500, timestamp, code, duration, end) for at, timestamp, code, duration, end in press]
    assert digits(press + again) == "77"
