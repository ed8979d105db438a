"""A second function whose calls go on while another one misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from helpers.handler_node import HandlerNode, invoke, python
from outdial.model.invocations import InvocationResult, Replied
from outdial.model.workers import FunctionSpec

GOOD = 'def handler(event, context):\n    return {"SchemaVersion": "1.0", "TransactionAttributes": {"n": event["Sequence"]}}\n'


def good_function(folder: Path) -> FunctionSpec:
    return python(folder, GOOD, "good")


@asynccontextmanager
async def undisturbed(node: HandlerNode) -> AsyncIterator[None]:
    """Events of another function, one after the other, from before the block until after it: each must be answered, by one worker."""
    await node.loaded("good")
    results: list[InvocationResult] = []
    stop = asyncio.Event()

    async def go_on() -> None:
        sequence = 0
        while not stop.is_set():
            sequence += 1
            results.append(await node.ask(invoke("good", call=999_999, sequence=sequence)))
            await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=0.01)

    task = asyncio.ensure_future(go_on())
    while not results and not task.done():
        await asyncio.sleep(0)
    try:
        yield
        before = len(results)
        while len(results) == before and not task.done():
            await asyncio.sleep(0)
    finally:
        stop.set()
        await task
    for n, one in enumerate(results, 1):
        assert isinstance(one, Replied), one
        assert one.attributes == {"n": n}
    assert len([start for start in node.started if start.spec.name == "good"]) == 1
