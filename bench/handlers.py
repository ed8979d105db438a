"""An event through a warm handler and back, against its floor in the same run: the same bytes over a bare socket pair to a bare process.

    python bench/handlers.py [--json] [EVENTS]

Prints CPU of the node and of the handler's process for each event, and how long it took from the event to its reply.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent.parent / "src"), str(Path(__file__).parent.parent / "tests")]

import psutil  # noqa: E402

from helpers.handler_node import HandlerNode, invoke, javascript, python  # noqa: E402
from outdial.apps.event_json import event_json  # noqa: E402
from outdial.model.workers import FunctionSpec  # noqa: E402

PYTHON = """
def handler(event, context):
    leg = event["CallDetails"]["Participants"][0]["CallId"]
    return {"SchemaVersion": "1.0", "Actions": [{"Type": "Speak", "Parameters": {"Text": "Hello", "CallId": leg}}],
            "TransactionAttributes": {"step": 1}}
"""
NODE = """
export const handler = async (event) => ({ SchemaVersion: "1.0", TransactionAttributes: { step: 1 },
    Actions: [{ Type: "Speak", Parameters: { Text: "Hello", CallId: event.CallDetails.Participants[0].CallId } }] });
"""
ECHO = "import socket, sys\ns = socket.socket(fileno=int(sys.argv[1]))\nwhile True: s.sendall(s.recv(65536)[:220])"


def cpu_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def row(name: str, events: int, ours: float, theirs: float, wall: float) -> dict[str, Any]:
    return {"what": name, "node_us": 1e6 * ours / events, "handler_us": 1e6 * theirs / events, "took_us": 1e6 * wall / events}


def floor(events: int) -> dict[str, Any]:
    """The same bytes there and back, nothing looked at."""
    here, there = socket.socketpair()
    with subprocess.Popen([sys.executable, "-c", ECHO, str(there.fileno())], pass_fds=[there.fileno()]) as process:
        there.close()
        body = event_json(invoke("app"))
        for _ in range(100):
            here.sendall(body)
            here.recv(65536)
        watched = psutil.Process(process.pid)
        theirs, ours, begun = cpu_of(watched), time.process_time(), time.perf_counter()
        for _ in range(events):
            here.sendall(body)
            here.recv(65536)
        found = row("floor: bare sockets", events, time.process_time() - ours, cpu_of(watched) - theirs, time.perf_counter() - begun)
        process.kill()
    here.close()
    return found


async def through(name: str, spec: FunctionSpec, events: int) -> dict[str, Any]:
    """Events of one call after the other through the core, the pump, and a worker."""
    async with HandlerNode(spec) as node:
        asked = [invoke("app") for _ in range(events + 500)]
        for one in asked[:500]:
            await node.begin(one)
        (process,) = node.workers._processes.values()
        watched = psutil.Process(process.pid)
        theirs, ours, begun = cpu_of(watched), time.process_time(), time.perf_counter()
        for one in asked[500:]:
            await node.begin(one)
        return row(name, events, time.process_time() - ours, cpu_of(watched) - theirs, time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [floor(options.events)]
    with tempfile.TemporaryDirectory() as folder:
        rows.append(asyncio.run(through("python:", python(Path(folder), PYTHON), options.events)))
        rows.append(asyncio.run(through("node:", javascript(Path(folder), NODE), options.events)))
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'an event and its reply':<24}{'node':>10}{'handler':>10}{'took':>10}   microseconds")
    for one in rows:
        print(f"{one['what']:<24}{one['node_us']:>10.0f}{one['handler_us']:>10.0f}{one['took_us']:>10.0f}")


if __name__ == "__main__":
    main()
