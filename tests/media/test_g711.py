"""G.711: every code and every sample against the standard's tables, written here a second time from its own words."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from outdial.media import g711
from outdial.model.media import Codec

# ITU-T G.711 tables 1a and 2a: segment end points (decision values) and number of intervals times interval, on the standard's own scale.
A_SEGMENTS = [(0, 32, 2), (64, 16, 4), (128, 16, 8), (256, 16, 16), (512, 16, 32), (1024, 16, 64), (2048, 16, 128)]
MU_FIRST, MU_SEGMENTS = 31, [(31, 4), (95, 8), (223, 16), (479, 32), (991, 64), (2015, 128), (4063, 256)]


def a_law_values() -> list[int]:
    """The 128 positive quantised values: halfway between decision values, scaled from 13 to 16 bits."""
    out = []
    for start, count, step in A_SEGMENTS:
        out += [(start + index * step) * 8 + step * 4 for index in range(count)]
    return out


def mu_law_values() -> list[int]:
    """The 128 positive quantised values: 0, then halfway between decision values, scaled from 14 to 16 bits."""
    edges = [0, *range(1, 32, 2)]
    for start, step in MU_SEGMENTS:
        edges += [start + step * (index + 1) for index in range(16)]
    return [0] + [2 * (low + high) for low, high in itertools.pairwise(edges[1:])]


def test_all_codes_decode_to_the_standards_values() -> None:
    mu, a = mu_law_values(), a_law_values()
    assert (len(mu), len(a)) == (128, 128)
    assert mu[-1] == 4 * 8031, "y128 of table 2a"
    assert a[-1] == 8 * 4032, "y128 of table 1a"
    decoded = g711.decode("PCMU", bytes(range(256)))
    assert [int(decoded[0xFF - index]) for index in range(128)] == mu
    assert [int(decoded[0x7F - index]) for index in range(128)] == [-value for value in mu]
    decoded = g711.decode("PCMA", bytes(range(256)))
    assert [int(decoded[(0x80 | index) ^ 0x55]) for index in range(128)] == a
    assert [int(decoded[index ^ 0x55]) for index in range(128)] == [-value for value in a]


@pytest.mark.parametrize(("codec", "values"), [("PCMU", mu_law_values()), ("PCMA", a_law_values())])
def test_all_samples_are_encoded_to_the_nearest_value(codec: Codec, values: list[int]) -> None:
    samples = np.arange(-32768, 32768, dtype=np.int32)
    all_values = np.array(sorted({*values, *(-value for value in values)}))
    right = np.clip(np.searchsorted(all_values, samples), 1, len(all_values) - 1)
    best = np.minimum(abs(samples - all_values[right - 1]), abs(samples - all_values[right]))
    decoded = g711.decode(codec, g711.encode(codec, samples.astype(np.int16))).astype(np.int32)
    assert (abs(decoded - samples) == best).all()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_codes_survive_decoding_and_encoding(codec: Codec) -> None:
    codes = bytes(range(256))
    back = g711.encode(codec, g711.decode(codec, codes))
    different = [code for code in codes if back[code] != code]
    assert different == ([0x7F] if codec == "PCMU" else []), "µ-law has two zeros"


def test_silence_is_the_smallest_positive_code() -> None:
    assert g711.encode("PCMU", np.zeros(3, dtype=np.int16)) == b"\xff\xff\xff"
    assert g711.SILENCE == {"PCMU": 0xFF, "PCMA": 0xD5}
    assert g711.decode("PCMA", b"\xd5")[0] == 8


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated")
def test_the_standard_librarys_decoder_agrees() -> None:
    audioop = pytest.importorskip("audioop")
    codes = bytes(range(256))
    assert g711.decode("PCMU", codes).tobytes() == audioop.ulaw2lin(codes, 2)
    assert g711.decode("PCMA", codes).tobytes() == audioop.alaw2lin(codes, 2)
