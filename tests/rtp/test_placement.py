"""Received audio on the local clock: as long as the call was, each sample in its place, whatever the network did."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.placement import DELAY, Placement

QUIET = 0xFF


def audio(index: int, count: int = 160) -> bytes:
    """A packet's worth of octets that tell which packet it is, never 0xFF."""
    return bytes((index + n) % 200 for n in range(count))


def play(packets: list[tuple[int, int]], until: int, start: int = 0, first: int = 7000) -> bytes:
    """Place packets (index, arrival) and read as a stream does."""
    placement = Placement(QUIET, start)
    out = b""
    arriving = sorted(packets, key=lambda packet: packet[1])
    for at in range(start, until + 1, 160):
        while arriving and arriving[0][1] <= at:
            index, arrived = arriving.pop(0)
            placement.put((first + 160 * index) & 0xFFFFFFFF, audio(index), arrived)
        out += placement.read(at - DELAY)
    return out + placement.read(until)


def test_what_arrives_in_time_is_read_whole() -> None:
    heard = play([(index, 160 * (index + 1)) for index in range(50)], 8000)
    assert heard == b"".join(audio(index) for index in range(50))


def test_a_gap_is_as_long_as_what_was_lost() -> None:
    heard = play([(index, 160 * (index + 1)) for index in range(50) if index not in (10, 11)], 8000)
    assert heard == b"".join(bytes([QUIET]) * 160 if index in (10, 11) else audio(index) for index in range(50))


@given(st.integers(0, 2**32), st.integers(0, 2**32 - 1))
def test_jitter_reordering_repeats_and_wrapping_timestamps_move_nothing(seed: int, first: int) -> None:
    chance = random.Random(seed)
    packets = [(0, 160)]
    for index in range(1, 80):
        for _ in range(chance.choice((1, 1, 1, 2))):
            packets.append((index, 160 * (index + 1) + chance.randint(0, DELAY - 320)))
    heard = play(packets, 160 * 90, first=first)
    assert heard == b"".join(audio(index) for index in range(80)) + bytes([QUIET]) * 1600


def test_what_is_too_late_is_dropped_and_counted() -> None:
    placement = Placement(QUIET, 0)
    placement.put(0, audio(0), 160)
    placement.read(1000)
    placement.put(160, audio(1), 1500)
    assert placement.late == 1
    assert placement.read(2000) == bytes([QUIET]) * 1000


def test_a_peer_that_jumps_is_followed_at_once() -> None:
    placement = Placement(QUIET, 0)
    placement.put(0, audio(0), 160)
    placement.put(900_000, audio(1), 320)
    assert placement.read(320) == audio(0) + audio(1)


def test_a_peer_whose_clock_fell_behind_is_followed_after_five_packets() -> None:
    late = 1000
    packets = [(index, 160 * (index + 1) + (late if index >= 10 else 0)) for index in range(40)]
    heard = play(packets, 160 * 60)
    assert len(heard) == 160 * 60
    tail = b"".join(audio(index) for index in range(15, 40))
    assert tail in heard


def test_nobody_read_for_long_and_the_length_is_still_right() -> None:
    placement = Placement(QUIET, 0)
    placement.put(0, audio(0), 160)
    heard = placement.read(40_000)
    assert heard[:160] == audio(0)
    assert heard[160:] == bytes([QUIET]) * 39_840
    placement.put(40_000, audio(1), 40_160)
    assert placement.read(40_160) == audio(1)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 1500), st.integers(0, 400))))
def test_no_packet_can_break_it(packets: list[tuple[int, int, int]]) -> None:
    placement = Placement(QUIET, 0)
    at = read = 0
    for timestamp, count, step in packets:
        at += step
        placement.put(timestamp, b"\x01" * count, at)
        if at > DELAY:
            read += len(placement.read(at - DELAY))
    assert read == max(0, at - DELAY)
