"""2,000 calls at once: what is accepted proceeds, what is refused is told so and when to try again, and the node takes calls afterwards."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.aws import signed_headers
from helpers.live_node import FROM, TO, LiveNode
from helpers.sipp import BYE, Sipp, answer, needs_sipp, recv
from outdial.model.resources import CallSummary
from outdial.store import read
from outdial.store.folder import Layout

CALLS = 2000
CONNECTIONS = 200
HANDLER = """
def handler(event, context):
    actions = []
    if event["InvocationEventType"] == "CALL_ANSWERED":
        actions = [{"Type": "Pause", "Parameters": {"DurationInMilliseconds": "300"}}, {"Type": "Hangup"}]
    return {"SchemaVersion": "1.0", "Actions": actions}
"""
CALLEE = (recv("INVITE"), answer("200 OK", sdp=True, again=True), recv("ACK"), BYE)


@pytest.fixture(params=[{"max_calls": "250"}, {}], ids=["a quota of 250", "no quota"])
def node(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveNode]:
    with Sipp(tmp_path / "callee", CALLEE, calls=1_000_000, limit=60, more=("-l", "10000")) as callee:
        trunk = f"sip:{callee.address[0]}:{callee.address[1]}"
        settings = {"max_workers": "2", "log": "warning", **request.param}
        with LiveNode(tmp_path, handler=HANDLER, trunk=trunk, settings=settings) as running:
            yield running


async def create(node: LiveNode, count: int) -> list[tuple[int, dict[str, str], dict[str, str]]]:
    """So many creates on one connection, one after the other: status, headers, body of each."""
    host, port = node.http.removeprefix("http://").split(":")
    path = f"/sip-media-applications/{node.application}/calls"
    body = json.dumps({"FromPhoneNumber": FROM, "ToPhoneNumber": TO}).encode()
    kind = {"Content-Type": "application/json"}
    signed = signed_headers(method="POST", url=f"{node.http}{path}", body=body, headers=kind)
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in signed.items())]
    message = "\r\n".join([*lines, "", ""]).encode() + body
    reader, writer = await asyncio.open_connection(host, int(port))
    found = []
    for _ in range(count):
        writer.write(message)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        found.append((int(head[0].split()[1]), headers, json.loads(await reader.readexactly(int(headers["content-length"])))))
    writer.close()
    await writer.wait_closed()
    return found


async def create_all(node: LiveNode) -> list[tuple[int, dict[str, str], dict[str, str]]]:
    async with asyncio.timeout(60):
        parts = await asyncio.gather(*(create(node, CALLS // CONNECTIONS) for _ in range(CONNECTIONS)))
    return [one for part in parts for one in part]


def on_record(node: LiveNode) -> list[CallSummary]:
    with read.reading(Layout(node.data).database)() as connection:
        return read.listed(connection, limit=CALLS + 1)


@needs_sipp
@pytest.mark.peer
def test_two_thousand_calls_at_once(node: LiveNode) -> None:
    answers = asyncio.run(create_all(node))
    statuses = Counter(status for status, _, _ in answers)
    assert sum(statuses.values()) == CALLS
    assert set(statuses) <= {201, 400, 503}
    accepted = statuses[201]
    assert accepted > 0
    for status, headers, body in answers:
        if status == 400:
            assert headers["x-amzn-errortype"] == "ResourceLimitExceededException"
            assert body["Message"] == "250 calls are in progress, and max_calls is 250. Wait for one to end, or raise it."
        if status == 503:
            assert headers["x-amzn-errortype"] == "ServiceUnavailableException"
            assert headers["retry-after"] == "1"
            assert headers["x-amz-retry-after"] == "1000"
            assert body["Message"].startswith("This machine does not keep up: ")
    node._until(lambda: all(call.cdr is not None for call in on_record(node)), "all CDRs", 60)
    ended = on_record(node)
    assert len(ended) == accepted
    assert Counter(call.cdr.termination.reason for call in ended if call.cdr is not None) == {"completed": accepted}
    assert node.process is not None
    assert node.process.poll() is None
    after = node.finished(node.place())
    assert after.cdr is not None
    assert after.cdr.termination.reason == "completed"
