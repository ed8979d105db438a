"""Runs a node in the foreground: loop, signals, drain, exit status (DESIGN 3.1)."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ..config import Config
from ..io.live_pump import loop_factory
from .node import Node

YOUNG: Final = 20_000
"""Objects made before the collector looks at the young ones: a call makes thousands, and hardly any in cycles."""

Ready = Callable[[Node], Awaitable[None] | None]


def run(config: Config, on_ready: Ready | None = None, write_log: Callable[[str], None] | None = None) -> int:
    """Run a node until it is asked to end; gives the exit status. `on_ready` is called once requests are taken; where it is a coroutine the
    node ends when that ends. Raises `OutdialError` where it cannot start."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(config, on_ready, write_log or _to_stderr))


async def serve(config: Config, on_ready: Ready | None, write_log: Callable[[str], None]) -> int:
    """The same on a running loop."""
    node = await Node.start(config, write_log)
    try:
        wishes = _signals(node)
        _settle()
        followed: Any = None
        if on_ready is not None and (told := on_ready(node)) is not None:
            followed = asyncio.ensure_future(told)
            followed.add_done_callback(lambda _: wishes.put_nowait(0.0))
        await _until_drained(node, wishes)
        if followed is not None:
            followed.cancel() if not followed.done() else followed.result()
    finally:
        await node.stop()
    return 0


def _settle() -> None:
    """What start-up made stays: the collector need not walk it again (a walk of all of it holds the loop for 50 ms)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)


async def _until_drained(node: Node, wishes: asyncio.Queue[float]) -> None:
    within = await wishes.get()
    drained = asyncio.ensure_future(node.drain(within))
    while not drained.done():
        again = asyncio.ensure_future(wishes.get())
        await asyncio.wait((drained, again), return_when=asyncio.FIRST_COMPLETED)
        if again.done():
            node.hang_up_now()
        else:
            again.cancel()
    await drained


def _signals(node: Node) -> asyncio.Queue[float]:
    """Wishes to end: SIGTERM, the terminal's end and the first Ctrl-C drain, the second one hangs up now."""
    wishes: asyncio.Queue[float] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN and number == signal.SIGHUP:
            continue  # nohup: it is to outlive its terminal
        loop.add_signal_handler(number, wishes.put_nowait, node.config.drain_timeout)
    node.wish_to_end.add_done_callback(lambda wish: wishes.put_nowait(wish.result()) if not wish.cancelled() else None)
    return wishes


def _to_stderr(line: str) -> None:
    try:
        sys.stderr.write(f"{line}\n")  # by lines, as Python always has it
    except (OSError, ValueError):
        pass  # the terminal has gone or the log's disk is full: a line that nobody can read costs no call
