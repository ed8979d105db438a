"""The only module that draws random bits, and the node's one counter for tokens and commands."""

from __future__ import annotations

import os
import random

_DRAWN = 4096
"""Bytes drawn from the operating system at a time: a call needs a dozen ids, and each draw is a system call."""


class LiveIds:
    """Random bits from the operating system; satisfies `model.ids.Ids`."""

    def __init__(self, first: int = 1) -> None:
        self.last = first - 1
        """The number that was given last."""
        self._pool = b""
        self._used = 0

    def bits(self, n: int) -> int:
        """`n` random bits as an integer."""
        size = (n + 7) >> 3
        start = self._used
        if start + size > len(self._pool):
            self._pool, start = os.urandom(max(size, _DRAWN)), 0
        self._used = start + size
        return int.from_bytes(self._pool[start : start + size]) >> (8 * size - n)

    def number(self) -> int:
        """The next number of the node's one counter (tokens, command ids): always growing."""
        self.last += 1
        return self.last

    def hex(self, n: int) -> str:
        """`n` random hexadecimal digits (tags, branches)."""
        return f"{self.bits(4 * n):0{n}x}"

    def uuid(self) -> str:
        """A random UUID, lower case (calls, legs, resources)."""
        digits = self.hex(32)
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


class SeededIds(LiveIds):
    """The same numbers for the same seed: for tests and virtual time."""

    def __init__(self, seed: int | str = 0, first: int = 1) -> None:
        super().__init__(first)
        self._random = random.Random(seed)

    def bits(self, n: int) -> int:
        return self._random.getrandbits(n)
