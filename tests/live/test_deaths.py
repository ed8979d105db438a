"""A process of the node dies: what that costs, and what goes on (reference/processes 1.3, 2.2, 3; DESIGN 3.1)."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
import wave
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.live_node import LiveNode
from helpers.proc import needs_proc
from helpers.processes import child_of, children_of, gone
from helpers.sipp import Sipp, answer, called, cancelled, jump, label, needs_sipp, ok, recv

RINGING, PLAYING, RECORDING, LATER = "+12065550150", "+12065550151", "+12065550152", "+12065550153"
TRUNK = (
    recv("INVITE", inside=called("rings", RINGING)),
    answer("180 Ringing"),
    jump("2", "rings"),
    answer("200 OK", sdp=True, again=True),
    recv("ACK"),
    recv("BYE"),
    ok(),
    jump("9"),
    label("2"),
    recv("CANCEL"),
    *cancelled(),
    label("9"),
    '<pause milliseconds="10"/>\n',
)
HANDLER = f"""
def handler(event, context):
    to, actions = event["CallDetails"]["Participants"][0]["To"], []
    if event["InvocationEventType"] == "CALL_ANSWERED":
        where = {{"Type": "S3", "BucketName": "voice"}}
        record = {{"RecordingTerminators": ["#"], "RecordingDestination": where, "DurationInSeconds": 60}}
        actions = [{{"Type": "RecordAudio", "Parameters": record}}]
        if to == "{PLAYING}":
            actions = [{{"Type": "Speak", "Parameters": {{"Text": "One two three four five six seven eight nine ten. " * 9}}}}]
    return {{"SchemaVersion": "1.0", "Actions": actions}}
"""


def ready(node: LiveNode) -> str:
    """Empty while calls are taken, else why not."""
    try:
        with urllib.request.urlopen(f"{node.http}/readyz", timeout=5):
            return ""
    except urllib.error.HTTPError as error:
        return str(json.loads(error.read())["message"])


def status(node: LiveNode) -> dict[str, Any]:
    with urllib.request.urlopen(f"{node.http}/_outdial/v1/status", timeout=5) as got:
        found: dict[str, Any] = json.loads(got.read())
    return found


def kill_engine(node: LiveNode) -> None:
    pid = status(node)["pids"]["engine"]
    os.kill(pid, signal.SIGKILL)
    node._until(lambda: status(node)["pids"].get("engine") != pid, "the engine's death to be seen")


@pytest.mark.peer
@needs_sipp
@needs_proc
def test_the_death_of_the_engine_ends_its_calls_and_it_is_started_again(tmp_path: Path) -> None:
    trunk = Sipp(tmp_path / "trunk", TRUNK, calls=4, limit=60)
    with trunk, LiveNode(tmp_path, handler=HANDLER, trunk=f"sip:127.0.0.1:{trunk.address[1]}") as node:
        calls = {to: node.place(to) for to in (RINGING, PLAYING, RECORDING)}
        node.until(calls[RINGING], lambda history: len(history.outcomes) == 2, "RINGING to be dealt with")
        node.until(calls[PLAYING], lambda history: len(history.outcomes) == 3, "its prompt")
        [row] = node.until(calls[RECORDING], lambda history: bool(history.recordings), "its recording").recordings
        node._until(lambda: os.path.getsize(row.path) > 10_000, "half a second of recording")
        kill_engine(node)
        recorded = os.path.getsize(row.path)
        kinds = {}
        for to, call in calls.items():
            history = node.finished(call)
            assert history.cdr is not None
            assert history.cdr.termination.reason == "media_lost"
            kinds[to] = [event["InvocationEventType"] for event in node.events(history)]
            assert kinds[to].count("HANGUP") == 1
            hangup = node.events(history)[-1]
            assert hangup["ActionData"]["Parameters"]["SipResponseCode"] == (480 if to == RINGING else 0)
        assert kinds[RINGING] == ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"]
        assert kinds[RECORDING] == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_FAILED", "HANGUP"]
        [row] = node.until(calls[RECORDING], lambda history: history.recordings[0].delivered, "the delivery").recordings
        with wave.open(str(node.data / "buckets" / "voice" / row.key)) as file:
            assert file.getnframes() == row.samples >= (recorded - 44) // 2 > 4000
        node._until(lambda: ready(node) == "", "the engine to be ready again")

        later = node.place(LATER)
        node.until(later, lambda history: bool(history.recordings), "its recording")
        kill_engine(node)  # the second death: it rests for a second
        why = ready(node)
        assert "media engine" in why, why
        with pytest.raises(ClientError) as refused:
            node.place(LATER, tries=1)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
        history = node.finished(later)
        assert history.cdr is not None
        assert history.cdr.termination.reason == "media_lost"
        node._until(lambda: ready(node) == "", "the engine to be ready again")

        kill_engine(node)  # the third within a minute
        why = ready(node)
        assert "is gone" in why, why
        assert why.endswith(("it is started again in 30 s", "it is started again in 29 s")), why
        with pytest.raises(ClientError):
            node.place(LATER, tries=1)
        assert trunk.wait().good
        assert node.stop() == 0


TALKER = """
import os, signal

def handler(event, context):
    kind, said = event["InvocationEventType"], event.get("ActionData", {}).get("Type")
    words = event["CallDetails"].get("TransactionAttributes", {}).get("say", "")
    reply = {"SchemaVersion": "1.0", "Actions": []}
    if kind == "NEW_OUTBOUND_CALL":
        reply["TransactionAttributes"] = event["ActionData"]["Parameters"].get("Arguments", {})
    elif kind == "CALL_ANSWERED" and words == "die":
        flag = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/died"
        if not os.path.exists(flag):
            open(flag, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    if kind == "CALL_ANSWERED":
        reply["Actions"] = [{"Type": "Speak", "Parameters": {"Text": words}}]
        hold = {"Type": "Pause", "Parameters": {"DurationInMilliseconds": "60000"}}
        reply["Actions"].append(hold if words == "first" else {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}})
    elif kind == "CALL_UPDATE_REQUESTED":
        reply["Actions"] = [{"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}]
    return reply
"""
STAYS = "+12065550180"
RINGS_LONG = "+12065550167"


@needs_proc
def test_other_deaths_cost_no_other_call(tmp_path: Path) -> None:
    """Of the speech helper, of a handler's worker (idle, and in the middle of an event), of the built-in carrier."""
    with LiveNode(tmp_path, handler=TALKER) as node:
        first = node.place(STAYS, ArgumentsMap={"say": "first"})
        node.until(first, lambda history: len(history.outcomes) == 3, "its first words")
        node._until(lambda: any("speech_process" in command for command in children_of(node.pid).values()), "the speech helper")

        def goes_well(say: str) -> None:
            history = node.finished(node.place(STAYS, ArgumentsMap={"say": say}))
            assert history.cdr is not None
            assert history.cdr.termination.reason == "completed", history.notes
            assert {outcome.outcome for outcome in history.outcomes} == {"replied"}
            assert [event["InvocationEventType"] for event in node.events(history)][-1] == "HANGUP"
            assert not [event for event in node.events(history) if event["InvocationEventType"] == "ACTION_FAILED"]

        for say, words in (("two", "outdial.io.speech_process"), ("three", "bootstrap.py")):
            pid = child_of(node.pid, words)
            os.kill(pid, signal.SIGKILL)
            assert gone({pid: children_of(node.pid).get(pid, "")}, 5.0) == {}
            goes_well(say)
            assert child_of(node.pid, words) != pid
        goes_well("die")
        assert (tmp_path / "died").exists()

        pid = child_of(node.pid, "outdial.cli.carrier")
        os.kill(pid, signal.SIGKILL)
        node._until(lambda: status(node)["pids"].get("carrier") not in (None, pid), "the carrier to be started again")
        goes_well("five")

        history = node.history(first)
        assert history is not None
        assert history.cdr is None, "it goes on"
        node.update(first, {"end": "now"})
        history = node.finished(first)
        assert history.cdr is not None
        assert history.cdr.termination.reason == "completed"
        assert node.stop() == 0


def test_the_carrier_in_the_box_knows_nothing_of_the_calls_it_died_with(tmp_path: Path) -> None:
    """And says so, 481: nobody waits 32 s for an answer that cannot come."""
    with LiveNode(tmp_path, handler=TALKER) as node:
        calls = [node.place(STAYS, ArgumentsMap={"say": "first"}), node.place(RINGS_LONG)]
        node.until(calls[0], lambda history: bool(history.dialogs), "its answer")
        node.until(calls[1], lambda history: len(history.outcomes) == 2, "RINGING to be dealt with")
        node.kill()
        node.start()
        for call in calls:
            history = node.finished(call, within=20.0)
            assert history.cdr is not None
            assert history.cdr.termination.reason == "node_restart"
