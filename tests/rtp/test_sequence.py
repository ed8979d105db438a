"""The receiver's account against RFC 3550 A.1, A.3, A.8."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.sequence import Arrival, Reception


def take(numbers: list[int]) -> Reception:
    reception = Reception(numbers[0] & 0xFFFF)
    for number in numbers:
        reception.arrive(number & 0xFFFF)
    return reception


def test_lost_repeated_and_overtaken() -> None:
    reception = take([1, 2, 5, 4, 4, 7, 7])
    assert (reception.received, reception.lost, reception.duplicates, reception.expected) == (5, 2, 2, 7)


def test_numbers_wrap_and_their_cycles_are_counted() -> None:
    reception = take(list(range(65530, 65546)))
    assert reception.extended == 65545
    assert (reception.received, reception.lost) == (16, 0)


def test_one_wild_number_changes_nothing_and_two_in_a_row_are_a_new_beginning() -> None:
    reception = take([100, 101, 103])
    assert reception.arrive(40000) is Arrival.JUMPED
    assert reception.arrive(104) is Arrival.NEXT
    assert (reception.received, reception.lost) == (4, 1)
    assert [reception.arrive(number) for number in (40000, 40001, 40002)] == [Arrival.JUMPED, Arrival.NEXT, Arrival.NEXT]
    assert (reception.received, reception.lost) == (6, 1)


def test_the_first_packet_may_have_been_overtaken() -> None:
    reception = take([11, 10, 12])
    assert (reception.received, reception.lost, reception.duplicates) == (3, 0, 0)


@given(st.integers(0, 0xFFFF), st.integers(0, 2**32), st.floats(0, 0.3), st.floats(0, 0.2))
def test_whatever_the_network_did_each_packet_is_counted_once(first: int, seed: int, loss: float, repeat: float) -> None:
    chance = random.Random(seed)
    sent = [first + index for index in range(300)]
    kept = [number for number in sent if number in (first, first + 299) or chance.random() >= loss]
    arriving = sorted(
        (number + chance.uniform(0, 8) * (number != first), number) for number in kept for _ in range(1 + (chance.random() < repeat))
    )
    reception = take([number for _, number in arriving])
    assert reception.received == len(kept)
    assert reception.duplicates == len(arriving) - len(kept)
    assert reception.lost == len(sent) - len(kept)


def test_jitter_is_the_smoothed_difference_of_transits() -> None:
    reception = Reception(0)
    arrivals = [0, 160, 320 + 80, 480, 640]  # the third is 10 ms late
    expected = 0.0
    for index, arrived in enumerate(arrivals):
        reception.time(arrived, 160 * index)
    for difference in (0, 80, 80, 0):
        expected += (difference - expected) / 16  # J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16
    assert reception.jitter == expected
