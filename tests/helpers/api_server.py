"""The API on a real socket, in a thread with a loop of its own, so that blocking clients (boto3) can be its peers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from outdial.api.app import make_app, make_malformed
from outdial.api.context import ApiSettings, RequestSeen
from outdial.api.resources import Resources
from outdial.io import clock
from outdial.io.http import HttpServer
from outdial.io.ids import SeededIds

from .control import SmallControl, SmallFollow, SmallFunctions, SmallNode
from .resources import MemoryResources

T = TypeVar("T")


class Clock:
    """Wall time that can be moved."""

    def __init__(self) -> None:
        self._wall = clock.Wall()
        self.shift_ms = 0

    def __call__(self, at: float, /) -> int:
        return self._wall(at) + self.shift_ms


class ApiServer:
    """`with ApiServer() as server:` gives an address and the parts to look at."""

    def __init__(self, settings: ApiSettings | None = None, resources: Resources | None = None) -> None:
        self.resources = MemoryResources()
        self._served = resources or self.resources
        self.ids = SeededIds(7)
        self.functions = SmallFunctions()
        self.node = SmallNode()
        self.wall = Clock()
        self.watched: list[RequestSeen] = []
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.host, self.port = self._socket.getsockname()[:2]
        self.url = f"http://{self.host}:{self.port}"

    def run(self, make: Callable[[], Any]) -> Any:
        """Run a coroutine function (or a function) in the server's loop and return what it returns."""

        async def inside() -> Any:
            result = make()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(30)

    def wait_for_requests(self, count: int) -> None:
        """Return once `count` requests are whole and wait for an answer."""

        async def reached() -> None:
            async with asyncio.timeout(20):
                while self.arrived < count:
                    self._arrived.clear()
                    await self._arrived.wait()
                await asyncio.sleep(0)

        self.run(reached)

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Return once something has become true in the server's loop (20 s at most)."""

        async def reached() -> None:
            async with asyncio.timeout(20):
                while not true():
                    await asyncio.sleep(0.002)

        self.run(reached)

    def __enter__(self) -> ApiServer:
        self._thread.start()
        try:
            self.run(self._start)
        except BaseException:
            self._socket.close()
            self._loop.call_soon_threadsafe(self._loop.stop)
            raise
        return self

    async def _start(self) -> None:
        self.control = SmallControl(self.resources, self.ids)
        self.follow = SmallFollow()
        app = make_app(
            resources=self._served,
            control=self.control,
            functions=self.functions,
            follow=self.follow,
            node=self.node,
            ids=self.ids,
            now=clock.now,
            wall=self.wall,
            settings=self._settings,
            watch=self.watched.append,
        )
        self.arrived = 0
        self._arrived = asyncio.Event()

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            async def seen() -> Any:
                message = await receive()
                if scope["type"] == "http" and not message.get("more_body", False):
                    self.arrived += 1
                    self._arrived.set()
                return message

            await app(scope, seen, send)

        self.http = HttpServer(counted, self._socket, make_malformed(self.ids))
        await self.http.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.run(self.http.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
