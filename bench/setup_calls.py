"""Set-up (DESIGN 7): a call that is created, answered at once and hung up by its handler; node, engine and handler together."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from .rig import Caller, Node, Placed
from .sipp import Callee

HANDLER = """
def handler(event, context):
    actions = [{"Type": "Hangup"}] if event["InvocationEventType"] == "CALL_ANSWERED" else []
    return {"SchemaVersion": "1.0", "Actions": actions}
"""


async def measure(calls: int, rates: list[float]) -> dict[float, Placed]:
    """A run of calls for each rate, on one node that is warm."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Callee(folder, 300) as callee, Node(folder, handler=HANDLER, trunk=callee.uri) as node:
            await node.provision()
            caller = Caller(node)
            await caller.run(60, 30)
            return {rate: await caller.run(round(max(calls, 2 * rate)), rate) for rate in rates}


def main() -> None:
    from .measure import percentile, python_loop

    calls, rates = int(sys.argv[1]), [float(one) for one in sys.argv[2:]]
    loop = python_loop()
    for rate, placed in asyncio.run(measure(calls, rates)).items():
        shares = " ".join(f"{name} {1000 * seconds / placed.calls:.2f}" for name, seconds in placed.cpu.items())
        print(
            f"{rate:.0f}/s: {placed.calls} calls in {placed.wall:.1f} s, {placed.cpu_ms:.2f} ms CPU a call ({shares}); "
            f"create {1000 * percentile(placed.took, 0.5):.1f} / {1000 * percentile(placed.took, 0.99):.1f} ms; "
            f"{dict(placed.statuses)} {dict(placed.reasons)}; python loop {loop:.0f} {python_loop():.0f} us"
        )


if __name__ == "__main__":
    main()
