"""The whole node and a callee of diago and sipgo (Go), which gives back what it hears.

Built only on request, since its first build takes minutes: `cd tests/peers/diago && go build -o /tmp/callee .`; `OUTDIAL_DIAGO` then
names the program.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.calls_at_once import HANDLER, RECORDS, place
from helpers.live_node import TO, LiveNode
from helpers.sipp import free_port

PROGRAM = os.environ.get("OUTDIAL_DIAGO", "")
pytestmark = [pytest.mark.peer, pytest.mark.skipif(not PROGRAM, reason="OUTDIAL_DIAGO does not name the callee built of tests/peers/diago")]


@contextmanager
def callee(folder: Path) -> Iterator[tuple[int, Path]]:
    """Its port, and what it says."""
    port, said = free_port(), folder / "said.txt"
    with said.open("wb") as out:
        process = subprocess.Popen(["timeout", "60", PROGRAM, str(port)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 10
        while f":{port:04X} " not in Path("/proc/net/udp").read_text():
            assert time.monotonic() < end, said.read_text()
            select.select([], [], [], 0.02)
        yield port, said
    finally:
        process.terminate()
        process.wait(10)


def test_it_answers_hears_us_and_is_recorded(tmp_path: Path) -> None:
    with callee(tmp_path) as (port, said), LiveNode(tmp_path, handler=HANDLER, trunk=f"sip:127.0.0.1:{port}") as node:
        call = place(node, TO, RECORDS)
        history = node.finished(call)
        kinds = [event["InvocationEventType"] for event in node.events(history)]
        assert kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "HANGUP"]
        cdr, [recording] = history.cdr, history.recordings
        assert cdr is not None
        assert (cdr.termination.who, cdr.termination.reason) == ("us", "completed")
        assert (recording.samples, recording.delivered) == (2 * 8000, True)
        # It sends only what it hears: packet for packet, but for those on their way at the end.
        assert 50 < cdr.packets_received <= cdr.packets_sent
        assert cdr.lost == 0
        text = said.read_text()
        assert f"ANSWERED {TO}" in text
        assert "FAILED" not in text
