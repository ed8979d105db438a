"""DTMF detection against ITU-T Q.23 and Q.24: every digit, how short, how loud, how skewed, and not in other sounds."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.media_rig import sine
from outdial.media import g711
from outdial.media.tones import ToneDetector, tone
from outdial.rtp.telephone_event import DIGITS

FREQUENCIES = {
    "1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "A": (697, 1633), "4": (770, 1209), "5": (770, 1336), "6": (770, 1477),
    "B": (770, 1633), "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "C": (852, 1633), "*": (941, 1209), "0": (941, 1336),
    "#": (941, 1477), "D": (941, 1633),
}  # fmt: skip
"""ITU-T Q.23 §2."""


def sound(digit: str, ms: int, *, low: float = 4000.0, high: float = 4000.0, off: float = 0.0, offset: int = 0) -> g711.Samples:
    a, b = FREQUENCIES[digit]
    times = (np.arange(ms * 8) + offset) / 8000
    return np.rint(low * np.sin(2 * np.pi * a * (1 + off) * times) + high * np.sin(2 * np.pi * b * (1 + off) * times)).astype(np.int16)


def heard(*parts: g711.Samples, chunk: int = 160) -> list[tuple[str, int]]:
    audio = np.concatenate([np.zeros(800, dtype=np.int16), *parts, np.zeros(800, dtype=np.int16)])
    audio = g711.decode("PCMU", g711.encode("PCMU", audio))
    detector = ToneDetector()
    out = []
    for at in range(0, len(audio), chunk):
        out += [(found.digit, found.start) for found in detector.feed(audio[at : at + chunk], at)]
    return out


def digits(*parts: g711.Samples, chunk: int = 160) -> str:
    return "".join(digit for digit, _ in heard(*parts, chunk=chunk))


GAP = np.zeros(400, dtype=np.int16)


@pytest.mark.parametrize("chunk", [80, 160, 480, 1600])
def test_all_sixteen_at_40_ms_with_gaps_of_50(chunk: int) -> None:
    assert digits(*(part for digit in DIGITS for part in (sound(digit, 50), GAP)), chunk=chunk) == DIGITS


def test_our_own_tones_are_the_standards() -> None:
    for digit in DIGITS:
        spectrum = np.abs(np.fft.rfft(tone(digit, 0, 8000)))
        assert sorted(np.argsort(spectrum)[-2:]) == sorted(FREQUENCIES[digit])


def test_where_it_began_is_known_within_15_ms() -> None:
    ((_, start),) = heard(sound("5", 200))
    assert abs(start - 800) <= 120


@pytest.mark.parametrize("offset", range(0, 80, 10))
def test_40_ms_are_always_heard_and_20_never(offset: int) -> None:
    shift = np.zeros(offset, dtype=np.int16)
    assert digits(shift, sound("5", 40)) == "5"
    assert digits(shift, sound("5", 20)) == ""


def test_a_long_press_is_one_and_a_repeated_one_two() -> None:
    assert digits(sound("7", 3000)) == "7"
    assert digits(sound("7", 100), GAP, sound("7", 100)) == "77"


def test_a_break_of_10_ms_is_none() -> None:
    assert digits(sound("7", 100), np.zeros(80, dtype=np.int16), sound("7", 100, offset=880)) == "7"


@pytest.mark.parametrize(("low", "high"), [(4000, 1600), (2500, 6200), (60, 60), (14000, 14000)])
def test_levels_and_twist_within_what_lines_do(low: float, high: float) -> None:
    assert digits(sound("6", 100, low=low, high=high)) == "6"


@pytest.mark.parametrize("off", [-0.015, 0.015])
def test_frequencies_off_by_one_and_a_half_percent_are_heard(off: float) -> None:
    assert digits(sound("9", 100, off=off)) == "9"


def test_a_little_noise_does_not_matter() -> None:
    noise = np.random.default_rng(1).normal(0, 250, 800).astype(np.int16)
    assert digits(sound("3", 100) + noise) == "3"


def test_single_tones_chords_and_noise_are_no_digits() -> None:
    chance = np.random.default_rng(2)
    assert digits(*(sine(hz, 300) for hz in (440, 697, 941, 1209, 1477, 1000))) == ""
    assert digits((chance.normal(0, 3000, 80_000)).astype(np.int16)) == ""
    notes = [sine(hz, 1000, 3000).astype(np.int32) for hz in (523, 659, 784, 1046, 1318)]
    chord = np.sum(notes, axis=0).astype(np.int16)
    assert digits(chord) == ""
    assert digits(sine(350, 1000, 4000) + sine(440, 1000, 4000)) == "", "dial tone"
    assert digits(sine(480, 1000, 4000) + sine(620, 1000, 4000)) == "", "busy tone"


def test_a_voice_is_no_digit() -> None:
    """A buzz through moving formants: as rich as speech, with energy in both groups."""
    times = np.arange(16_000) / 8000
    pitch = 110 + 30 * np.sin(2 * np.pi * 1.3 * times)
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    voice = np.zeros(16_000)
    first, second = 700 + 200 * np.sin(2 * np.pi * 2 * times), 1300 + 300 * np.sin(2 * np.pi * 1.7 * times)
    for harmonic in range(1, 30):
        hz = harmonic * pitch
        weight = np.exp(-(((hz - first) / 120) ** 2)) + 0.7 * np.exp(-(((hz - second) / 150) ** 2))
        voice += weight * np.sin(harmonic * phase)
    assert digits((voice * 4000 / np.abs(voice).max()).astype(np.int16)) == ""
