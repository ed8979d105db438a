"""The database refuses while calls are in progress: they go on, creates get 503, and the record is whole afterwards (DESIGN 3.4)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from helpers.aws import Reply, signed_headers
from helpers.live_node import FROM, LiveNode
from helpers.sipp import Sipp, answer, called, jump, label, needs_sipp, ok, recv
from outdial.model.ids import CallId
from outdial.model.resources import CallHistory

UP, COMING, AFTER = "+12065550150", "+12065550151", "+12065550152"
TRUNK = (
    recv("INVITE", inside=called("late", COMING)),
    answer("180 Ringing"),
    jump("1", "late"),
    jump("2"),
    label("1"),
    '<pause milliseconds="2500"/>\n',
    label("2"),
    answer("200 OK", sdp=True, again=True),
    recv("ACK"),
    recv("BYE", 'timeout="30000"'),
    ok(),
)
HANDLER = """
import json, os

def handler(event, context):
    with open(os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/told.jsonl", "a") as file:
        file.write(json.dumps(event) + "\\n")
    kind, actions = event["InvocationEventType"], []
    if kind == "CALL_ANSWERED":
        actions = [{"Type": "Pause", "Parameters": {"DurationInMilliseconds": "60000"}}]
    elif kind == "CALL_UPDATE_REQUESTED":
        actions = [{"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}]
    return {"SchemaVersion": "1.0", "Actions": actions}
"""


@contextmanager
def locked(node: LiveNode) -> Iterator[None]:
    """Another process than the node holds the database."""
    with closing(sqlite3.connect(node.data / "outdial.db", isolation_level=None, timeout=5.0)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def create(node: LiveNode, to: str, repeat: str) -> Reply:
    host, _, port = node.http.removeprefix("http://").partition(":")
    path = f"/sip-media-applications/{node.application}/calls"
    body = json.dumps({"FromPhoneNumber": FROM, "ToPhoneNumber": to}).encode()
    headers = {"Content-Type": "application/json", "amz-sdk-invocation-id": repeat}
    with closing(HTTPConnection(host, int(port), timeout=20)) as connection:
        connection.request("POST", path, body, signed_headers(method="POST", url=node.http + path, body=body, headers=headers))
        answer = connection.getresponse()
        return Reply(status=answer.status, headers={name.lower(): value for name, value in answer.getheaders()}, raw=answer.read())


def told(folder: Path, call: CallId) -> list[str]:
    """What the handler was told of a call, whatever is on record."""
    events = [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]
    return [event["InvocationEventType"] for event in events if event["CallDetails"]["TransactionId"] == call]


WHOLE = ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "CALL_UPDATE_REQUESTED", "ACTION_INTERRUPTED", "HANGUP"]


def check(node: LiveNode, history: CallHistory, kinds: list[str]) -> None:
    """The record has everything that the handler was told."""
    assert history.cdr is not None
    assert history.cdr.termination.reason == "completed"
    assert [event["InvocationEventType"] for event in node.events(history)] == kinds == told(node.folder, history.call.call)
    assert [row.sequence for row in history.invocations] == list(range(1, len(kinds) + 1))
    assert [row.number for row in history.events] == list(range(1, len(kinds) + 1))
    assert {outcome.outcome for outcome in history.outcomes} == {"replied"}
    assert len(history.legs_ended) == len(history.dialogs) == 1
    assert sum(b"BYE sip:" in row.message for row in history.sip) == 1


@pytest.mark.peer
@needs_sipp
def test_locked_for_ten_seconds(tmp_path: Path) -> None:
    trunk = Sipp(tmp_path / "trunk", TRUNK, calls=3, limit=60)
    with trunk, LiveNode(tmp_path, handler=HANDLER, trunk=f"sip:127.0.0.1:{trunk.address[1]}") as node, ThreadPoolExecutor() as pool:
        up, coming = node.place(UP), node.place(COMING)
        node.until(up, lambda history: len(history.outcomes) == 3, "its answer to be dealt with")
        node.until(coming, lambda history: len(history.outcomes) == 2, "RINGING to be dealt with")
        with locked(node):
            began = time.monotonic()
            held = create(node, AFTER, "one")  # it waits for its commit, and is taken back
            assert (held.status, held.error) == (503, "ServiceUnavailableException")
            assert held.headers["retry-after"] == "1"
            refused = create(node, AFTER, "two")
            assert refused.status == 503
            assert "locked by another process" in refused.message
            node._until(lambda: "CALL_ANSWERED" in told(tmp_path, coming), "the call that comes up meanwhile")
            for call in (up, coming):
                assert node.update(call, {"end": "now"})["SipMediaApplicationCall"]["TransactionId"] == call
                node._until(lambda call=call: "HANGUP" in told(tmp_path, call), "HANGUP")
            node._until(lambda: time.monotonic() - began > 10.0, "ten seconds")
            before = node.history(up)
            assert before is not None
            assert before.cdr is None
        for call in (up, coming):
            check(node, node.finished(call), WHOLE)
        assert [call.call.call for call in node.on_record()] == [coming, up]

        with locked(node):
            first = pool.submit(create, node, AFTER, "three")
            again = pool.submit(create, node, AFTER, "three")
            began = time.monotonic()
            node._until(lambda: time.monotonic() - began > 0.5, "half a second")
            assert not first.done()
            assert not again.done()
        one, two = first.result(10), again.result(10)
        assert one.status == two.status == 201
        assert one.json == two.json
        after = CallId(one.json["SipMediaApplicationCall"]["TransactionId"])
        node.until(after, lambda history: len(history.outcomes) == 3, "its answer to be dealt with")
        node.update(after, {"end": "now"})
        check(node, node.finished(after), WHOLE)
        verdict = trunk.wait()
        assert verdict.good
        assert len({message.partition("branch=")[2].split()[0] for message in verdict.heard if message.startswith("INVITE ")}) == 3


@pytest.mark.peer
@needs_sipp
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """As where it is locked; the node's log lies on that disk too."""
    (tmp_path / "disk").mkdir(mode=0o700)
    script = 'mount -t tmpfs -o size=8m,mode=700 tmpfs "$1/disk" && exec "$2" "$3" "$1"'
    unshare = shutil.which("unshare")
    command = [unshare or "", "-r", "-m", "sh", "-c", script, "sh", str(tmp_path), sys.executable]
    if unshare is None or subprocess.run([*command, "/dev/null"], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be made here: this machine lets nobody mount a tmpfs of his own")
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(here.parent), *sys.path))}
    done = subprocess.run(
        [*command, str(here / "full_disk.py")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=100,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
