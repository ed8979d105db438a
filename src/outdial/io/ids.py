"""The only module that draws random bits, and the node's one counter for tokens and commands."""

from __future__ import annotations

import random
import secrets
import uuid


class LiveIds:
    """Random bits from the operating system; satisfies `model.ids.Ids`."""

    def __init__(self, first: int = 1) -> None:
        self.last = first - 1
        """The number that was given last."""

    def bits(self, n: int) -> int:
        """`n` random bits as an integer."""
        return secrets.randbits(n)

    def number(self) -> int:
        """The next number of the node's one counter (tokens, command ids): always growing."""
        self.last += 1
        return self.last

    def hex(self, n: int) -> str:
        """`n` random hexadecimal digits (tags, branches)."""
        return f"{self.bits(4 * n):0{n}x}"

    def uuid(self) -> str:
        """A random UUID, lower case (calls, legs, resources)."""
        return str(uuid.UUID(int=self.bits(128), version=4))


class SeededIds(LiveIds):
    """The same numbers for the same seed: for tests and virtual time."""

    def __init__(self, seed: int | str = 0, first: int = 1) -> None:
        super().__init__(first)
        self._random = random.Random(seed)

    def bits(self, n: int) -> int:
        return self._random.getrandbits(n)
