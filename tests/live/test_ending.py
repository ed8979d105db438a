"""How a node ends that is asked to: what it refuses, what it lets go on, what it hangs up, and its exit status (DESIGN 3.1)."""

from __future__ import annotations

import contextlib
import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from helpers.live_node import FROM, TO, LiveNode
from helpers.processes import children_of, gone
from helpers.sipp import Sipp, answer, needs_sipp, ok, recv
from outdial.model.ids import CallId

pytestmark = [pytest.mark.peer, needs_sipp]

PLAIN = (recv("INVITE"), answer("180 Ringing"), answer("200 OK", sdp=True, again=True), recv("ACK"), recv("BYE", 'timeout="30000"'), ok())
HANDLER = """
def handler(event, context):
    kind, actions = event["InvocationEventType"], []
    if kind == "CALL_ANSWERED" or kind == "CALL_UPDATE_REQUESTED":
        actions = [{"Type": "Pause", "Parameters": {"DurationInMilliseconds": "60000"}}]
    if kind == "CALL_UPDATE_REQUESTED":
        actions = [{"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}]
    return {"SchemaVersion": "1.0", "Actions": actions}
"""


@contextlib.contextmanager
def talking(folder: Path, **settings: str) -> Iterator[tuple[LiveNode, CallId, Sipp]]:
    """A node with a call in progress."""
    trunk = Sipp(folder / "trunk", PLAIN, limit=40)
    with trunk, LiveNode(folder, handler=HANDLER, trunk=f"sip:127.0.0.1:{trunk.address[1]}", settings=settings) as node:
        call = node.place()
        node.until(call, lambda history: len(history.outcomes) == 3, "its answer to be dealt with")
        yield node, call, trunk


def readiness(node: LiveNode) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{node.http}/readyz", timeout=5) as got:
            return got.status, ""
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["message"]


def check(node: LiveNode, call: CallId, trunk: Sipp, reason: str) -> None:
    """The far side is content, and all is on record."""
    assert trunk.wait().good
    history = node.history(call)
    assert history is not None
    assert history.cdr is not None
    assert history.cdr.termination.reason == reason
    kinds = [event["InvocationEventType"] for event in node.events(history)]
    assert kinds.count("HANGUP") == 1
    assert kinds[-1] == "HANGUP"
    assert len(history.outcomes) == len(history.invocations)
    assert not node.data.joinpath("node.json").exists()


def test_sigterm_takes_no_new_calls_and_gives_the_others_their_time(tmp_path: Path) -> None:
    with talking(tmp_path, drain_timeout="3s") as (node, call, trunk):
        children, client = children_of(node.pid), node.client()
        assert node.process is not None
        node.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        node._until(lambda: readiness(node) == (503, "the node is draining"), "/readyz to say that it drains")
        with pytest.raises(ClientError) as refused:
            client.create_sip_media_application_call(FromPhoneNumber=FROM, ToPhoneNumber=TO, SipMediaApplicationId=node.application)
        response = refused.value.response
        assert response["Error"]["Code"] == "ServiceUnavailableException"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
        assert "shut" in response["Error"]["Message"] or "drain" in response["Error"]["Message"]
        with urllib.request.urlopen(f"{node.http}/healthz", timeout=5) as alive:
            assert alive.status == 200
        assert node.process.wait(20) == 0
        assert time.monotonic() - began >= 3.0
        check(node, call, trunk, "shutdown")
        assert gone(children, within=2.0) == {}


def test_a_call_that_ends_by_itself_lets_the_node_end_at_once(tmp_path: Path) -> None:
    with talking(tmp_path, drain_timeout="600s") as (node, call, trunk):
        request = urllib.request.Request(f"{node.http}/_outdial/v1/shutdown", json.dumps({"within": 500}).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=5) as taken:
            assert taken.status == 202
        node._until(lambda: readiness(node)[0] == 503, "/readyz to say that it drains")
        node.update(call, {"end": "now"})
        assert node.process is not None
        assert node.process.wait(20) == 0
        check(node, call, trunk, "completed")


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "the terminal's end"])
def test_a_second_wish_to_end_hangs_up_now(tmp_path: Path, first: signal.Signals) -> None:
    if signal.getsignal(first) is signal.SIG_IGN:
        pytest.skip("these tests run under nohup, and so does the node")
    with talking(tmp_path, drain_timeout="600s") as (node, call, trunk):
        assert node.process is not None
        node.process.send_signal(first)
        node._until(lambda: readiness(node)[0] == 503, "/readyz to say that it drains")
        assert node.process.poll() is None
        node.process.send_signal(signal.SIGINT)
        assert node.process.wait(20) == 0
        check(node, call, trunk, "shutdown")
