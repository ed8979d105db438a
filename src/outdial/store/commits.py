"""Coroutines that wait for the writer: what the API's writes stand on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ..model.ids import Token
from ..model.resources import StoreRefused
from ..model.work import Save, Saved, Withdraw, Withdrawn
from .writer import Writer

PATIENCE_S: Final = 1.0
"""How long a write of the API waits while the database refuses (DESIGN 3.4)."""
REFUSED: Final = "The database does not take writes at the moment; nothing was changed. Try again in a few seconds."


class Commits:
    """Hands rows to the writer and awaits their commit. For one event loop."""

    def __init__(self, writer: Writer) -> None:
        self._put = writer.port(self._deliver, spoilt=True)
        self._tokens = itertools.count(-1, -1)  # never met by the node's own, which are positive
        self._waiting: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[None], Callable[[], None]]] = {}

    async def __call__(self, unit: tuple[msgspec.Struct, ...], then: Callable[[], None]) -> None:
        """Commit these rows, synced; then call `then` on the loop. Raises `StoreRefused`, and then nothing of them comes later."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        token = Token(next(self._tokens))
        self._waiting[token] = (loop, future, then)
        self._put(Save(token=token, unit=unit, grade="synced"), 0.0)  # type: ignore[arg-type]
        done, _ = await asyncio.wait([future], timeout=PATIENCE_S)
        if not done:
            self._put(Withdraw(token=token), 0.0)
        await asyncio.shield(future)

    def _deliver(self, results: Sequence[Any]) -> None:
        for result in results:
            waiting = self._waiting.pop(result.token, None)
            if waiting is not None:
                loop, future, then = waiting
                try:
                    loop.call_soon_threadsafe(_resolve, future, then, result)
                except RuntimeError:
                    continue  # the loop has been closed: nobody waits any more


def _resolve(future: asyncio.Future[None], then: Callable[[], None], result: Any) -> None:
    if isinstance(result, Saved):
        then()
        if not future.done():
            future.set_result(None)
    elif not future.done():
        future.set_exception(StoreRefused(REFUSED) if isinstance(result, Withdrawn) else result)
