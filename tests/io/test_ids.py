"""Ids: as many bits as asked for, UUIDs as RFC 9562 has them, never the same twice."""

from __future__ import annotations

import uuid

from outdial.io.ids import LiveIds, SeededIds


def test_bits_fill_their_range_and_stay_within() -> None:
    ids = LiveIds()
    for n in (1, 7, 8, 31, 128, 40_000):
        drawn = [ids.bits(n) for _ in range(200 if n < 200 else 2)]
        assert all(0 <= one < 1 << n for one in drawn)
        assert max(drawn).bit_length() > n - 8
        assert n < 31 or len(set(drawn)) == len(drawn)


def test_a_uuid_is_a_random_one_of_version_4() -> None:
    for ids in (LiveIds(), SeededIds(1)):
        made = {ids.uuid() for _ in range(2000)}
        assert len(made) == 2000
        for one in made:
            parsed = uuid.UUID(one)
            assert (str(parsed), parsed.version, parsed.variant) == (one, 4, uuid.RFC_4122)


def test_the_same_seed_gives_the_same_ids() -> None:
    assert [SeededIds(5).hex(8), SeededIds(5).uuid()] == [SeededIds(5).hex(8), SeededIds(5).uuid()]
    assert SeededIds(5).uuid() != SeededIds(6).uuid()
