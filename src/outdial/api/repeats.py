"""A create that is repeated gets the outcome of the first (DESIGN 8).

The SDKs send every attempt of one request with the same `amz-sdk-invocation-id`. What was made is stored in the same commit as its
outcome; a copy that comes while the first is under way waits for it. Only an outcome that made something counts: after a refusal the next
copy is judged afresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..model.requests import RepeatKey
from .resources import Repeats as Stored

Outcome = tuple[int, bytes]
"""Status and body."""


class Repeats:
    """Joins copies of one request, first those under way, then those on record."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._running: dict[RepeatKey, asyncio.Future[Outcome | None]] = {}

    async def once(self, key: RepeatKey | None, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """The stored outcome, or what `act` makes. Raises what `act` raises."""
        if key is None:
            return await act()
        while (running := self._running.get(key)) is not None:
            outcome = await asyncio.shield(running)
            if outcome is not None:
                return outcome
        stored = self._stored.get(key)
        if stored is not None:
            return stored
        future = self._running[key] = asyncio.get_running_loop().create_future()
        made: Outcome | None = None
        try:
            made = await act()
            return made
        finally:
            del self._running[key]
            future.set_result(made)
