"""A trunk that asks who calls: the node answers with the user and password of its configuration (RFC 3261 §22, RFC 7616)."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from helpers.live_node import LiveNode
from helpers.sipp import Sipp, callee, needs_sipp

pytestmark = [pytest.mark.peer, needs_sipp]

HANDLER = """
def handler(event, context):
    actions = [{"Type": "Hangup"}] if event["InvocationEventType"] == "CALL_ANSWERED" else []
    return {"SchemaVersion": "1.0", "Actions": actions}
"""


@pytest.mark.parametrize(("password", "reason"), [("secret", "completed"), ("wrong", "rejected")])
def test_a_challenge_is_answered_once(tmp_path: Path, password: str, reason: str) -> None:
    with Sipp(tmp_path / "sipp", callee("challenge")) as trunk:
        setting = [{"uri": f"sip:127.0.0.1:{trunk.address[1]}", "user": "alice", "password": password}]
        with LiveNode(tmp_path, handler=HANDLER, settings={"trunk": json.dumps(setting)}) as node:
            history = node.finished(node.place())
            assert history.cdr is not None
            assert history.cdr.termination.reason == reason
            kinds = [event["InvocationEventType"] for event in node.events(history)]
            assert kinds == ["NEW_OUTBOUND_CALL", *(["CALL_ANSWERED"] if reason == "completed" else []), "HANGUP"]
            invites = [row.message for row in history.sip if row.message.startswith(b"INVITE")]
            assert len(invites) == 2
            assert b"Authorization" not in invites[0]
            assert b"response=" not in invites[1], "digests are not kept"
            with urllib.request.urlopen(f"{node.http}/_outdial/v1/config", timeout=10) as answer:
                assert password not in answer.read().decode()
            assert password not in node.log.read_text()
        assert trunk.wait().code == 0
