"""What the API asks of call control: a request goes in, the value that carries its token comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..io.live_pump import LivePump
from ..model.ids import Token
from ..model.requests import Drained, PlaceCall, Placed, Refused, UpdateCall, Updated


class Asks:
    """Satisfies `api.control.CallControl`; its `put` is the pump's `api` port."""

    def __init__(self, pump: Callable[[], LivePump], before_first_call: Callable[[], None]) -> None:
        self._pump = pump
        self._before_first_call: Callable[[], None] | None = before_first_call
        self._waiting: dict[Token, asyncio.Future[Any]] = {}
        self.drained = asyncio.Event()

    async def place(self, request: PlaceCall) -> Placed | Refused:
        """Place a call; returns when it is durable, or refused."""
        if self._before_first_call is not None:
            self._before_first_call()
            self._before_first_call = None
        answer: Placed | Refused = await self._ask(request)
        return answer

    async def update(self, request: UpdateCall) -> Updated | Refused:
        """Ask for an update of a call in progress."""
        answer: Updated | Refused = await self._ask(request)
        return answer

    def put(self, item: Any, now: float) -> None:
        """Take an answer of call control."""
        if isinstance(item, Drained):
            self.drained.set()
            return
        waiting = self._waiting.pop(item.token, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(item)

    async def _ask(self, request: PlaceCall | UpdateCall) -> Any:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[request.token] = waiting
        self._pump().give("calls", request, "api")
        return await waiting
