"""`kill -9` of a node with a call in each state, in front of SIPp: what the next start ends, tells, writes and delivers (DESIGN 3.5).

One node, one trunk, eight calls, one kill; each test looks at one of them. SIPp's verdict is a test too: every dialog of its side was ended
as the RFC wants it, or it does not end with 0.
"""

from __future__ import annotations

import json
import os
import time
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.aws import Aws, Reply
from helpers.live_node import FROM, LiveNode
from helpers.proc import needs_proc
from helpers.processes import children_of, gone
from helpers.sipp import Sipp, Verdict, answer, called, cancelled, jump, label, needs_sipp, ok, recv
from outdial.model.ids import CallId
from outdial.model.resources import CallHistory

pytestmark = [pytest.mark.peer, needs_sipp, needs_proc]

ACCEPTED, SENT, RINGING, ANSWERED = "+12065550150", "+12065550151", "+12065550152", "+12065550153"
RUNNING, RECORDING, HANGING_UP, UPDATED = "+12065550154", "+12065550155", "+12065550156", "+12065550157"
STATES = {
    "accepted": ACCEPTED, "sent": SENT, "ringing": RINGING, "answered": ANSWERED, "running": RUNNING, "recording": RECORDING,
    "hanging_up": HANGING_UP, "updated": UPDATED,
}  # fmt: skip
UNANSWERED = ("accepted", "sent", "ringing")
REPEAT = "5d2e7b1a-6a51-4e0c-9f57-0d6f0a3c1e11"

HANDLER = f"""
import json, os, time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def handler(event, context):
    with open(HERE + "/told.jsonl", "a") as file:
        file.write(json.dumps(event) + "\\n")
    kind, to = event["InvocationEventType"], event["CallDetails"]["Participants"][0]["To"]
    actions = []
    if kind == "CALL_ANSWERED":
        while to in ("{ANSWERED}", "{UPDATED}") and not os.path.exists(HERE + "/released"):
            time.sleep(0.02)
        if to == "{RUNNING}":
            source = {{"Type": "S3", "BucketName": "prompts", "Key": "long.wav"}}
            actions = [{{"Type": "PlayAudio", "Parameters": {{"AudioSource": source}}}}]
        elif to == "{RECORDING}":
            bucket = {{"Type": "S3", "BucketName": "voice"}}
            record = {{"DurationInSeconds": 60, "RecordingTerminators": ["#"], "RecordingDestination": bucket}}
            actions = [{{"Type": "RecordAudio", "Parameters": record}}]
        elif to == "{HANGING_UP}":
            actions = [{{"Type": "Hangup", "Parameters": {{"SipResponseCode": "0"}}}}]
    return {{"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": {{"seen": str(event["Sequence"])}}}}
"""


TRUNK = (
    # An INVITE that never left is cancelled all the same, so it is optional.
    recv(
        "INVITE",
        'optional="true" next="1"',
        called("silent", ACCEPTED, SENT) + called("rings", RINGING) + called("deaf", HANGING_UP),
    ),
    recv("CANCEL"),
    *cancelled(),
    jump("9"),
    label("1"),
    jump("2", "silent"),
    answer("180 Ringing"),
    jump("2", "rings"),
    answer("200 OK", sdp=True, again=True),
    recv("ACK"),
    jump("3", "deaf"),
    label("4"),
    recv("ACK", 'optional="true"'),  # the next start's
    recv("BYE"),
    ok(),
    jump("9"),
    label("2"),
    recv("CANCEL"),
    *cancelled(),
    jump("9"),
    label("3"),
    recv("BYE"),  # and says nothing
    jump("4"),
    label("9"),
    '<pause milliseconds="10"/>\n',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What was before the kill, and what is after the next start has done its work."""

    before: dict[str, CallHistory]
    after: dict[str, CallHistory]
    told: list[dict[str, Any]]
    told_before: int
    data: Path
    verdict: Verdict
    left: dict[int, str]
    """Processes of the killed node that outlived it."""
    repeated: Reply
    recorded: int
    """Bytes of the recording when the node died, at least."""

    def events(self, call: CallId, since: int = 0) -> list[dict[str, Any]]:
        """What the handler was given of a call."""
        return [event for event in self.told[since:] if event["CallDetails"]["TransactionId"] == call]


def tone(path: Path, seconds: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x10\x27" * 8000 * seconds)


def create(node: LiveNode, to: str, repeat: str) -> Reply:
    host, _, port = node.http.removeprefix("http://").partition(":")
    body = {"FromPhoneNumber": FROM, "ToPhoneNumber": to}
    path = f"/sip-media-applications/{node.application}/calls"
    return Aws(host, int(port))("POST", path, body, headers={"Content-Type": "application/json", "amz-sdk-invocation-id": repeat})


def told(folder: Path) -> list[dict[str, Any]]:
    file = folder / "told.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("kill")
    tone(folder / "data" / "buckets" / "prompts" / "long.wav", 60)
    (folder / "data").chmod(0o700)
    trunk = Sipp(folder / "trunk", TRUNK, calls=len(STATES), limit=60)
    with trunk, LiveNode(folder, handler=HANDLER, trunk=f"sip:127.0.0.1:{trunk.address[1]}") as node:
        yield live_and_die(folder, node, trunk)


def live_and_die(folder: Path, node: LiveNode, trunk: Sipp) -> Aftermath:
    calls = {state: node.place(to) for state, to in STATES.items() if state != "accepted"}
    node.until(calls["sent"], lambda history: any(b"INVITE" in row.message for row in history.sip), "its INVITE")
    for state in ("ringing", "answered", "running", "recording", "hanging_up", "updated"):
        wanted = "RINGING" if state == "ringing" else "CALL_ANSWERED"
        node._until(lambda state=state, wanted=wanted: wanted in kinds(told(folder), calls[state]), f"{wanted} of {state}")
    node.update(calls["updated"], {"more": "1"})
    node.until(calls["hanging_up"], lambda history: bool(history.legs_ended), "its end")
    [row] = node.until(calls["recording"], lambda history: bool(history.recordings), "its recording").recordings
    node._until(lambda: os.path.getsize(row.path) > 20_000, "a second of recording")
    pids = children_of(node.pid)
    assert len(pids) >= 3, pids  # the engine and a worker for each handler that waits
    placed = create(node, ACCEPTED, REPEAT)
    node.kill()
    assert placed.status == 201
    calls["accepted"] = CallId(placed.json["SipMediaApplicationCall"]["TransactionId"])
    left = gone(pids, within=5.0)
    before, told_before, recorded = {}, len(told(folder)), os.path.getsize(row.path)
    for state, call in calls.items():
        history = node.history(call)
        assert history is not None, f"{state}: acknowledged, and not on record"
        before[state] = history
    (folder / "released").touch()
    began = time.monotonic()
    node.start()
    print(f"restart with {len(calls)} calls in progress: {time.monotonic() - began:.2f} s")
    repeated = create(node, ACCEPTED, REPEAT)
    after = {state: node.finished(call) for state, call in calls.items()}
    node.until(calls["recording"], lambda history: history.recordings[0].delivered, "the delivery")
    verdict = trunk.wait()
    return Aftermath(
        before=before, after={state: node.history(call) or after[state] for state, call in calls.items()}, told=told(folder),
        told_before=told_before, data=node.data, verdict=verdict, left=left, repeated=repeated, recorded=recorded,
    )  # fmt: skip


def kinds(events: list[dict[str, Any]], call: CallId) -> list[str]:
    return [event["InvocationEventType"] for event in events if event["CallDetails"]["TransactionId"] == call]


def test_the_far_side_is_content(aftermath: Aftermath) -> None:
    verdict = aftermath.verdict
    assert verdict.good, (verdict.code, verdict.errors[-3000:], verdict.messages[-6000:])


@pytest.mark.parametrize("state", STATES)
def test_one_hangup_one_termination_one_cdr(aftermath: Aftermath, state: str) -> None:
    before, after = aftermath.before[state], aftermath.after[state]
    assert before.cdr is None
    assert after.cdr is not None
    assert after.cdr.termination.reason == "node_restart"
    assert after.ended is not None
    assert after.ended.termination == after.cdr.termination
    assert len(after.legs_ended) == 1
    given = aftermath.events(before.call.call)
    assert [event["InvocationEventType"] for event in given].count("HANGUP") == 1
    assert given[-1]["InvocationEventType"] == "HANGUP"
    assert [row.sequence for row in after.invocations] == list(range(1, len(after.invocations) + 1))
    assert after.cdr.invocations == len(after.invocations) == len(after.outcomes)
    assert {outcome.outcome for outcome in after.outcomes} == {"replied"}
    answered = state not in UNANSWERED
    assert after.cdr.termination.answered is answered
    assert (after.cdr.billable_seconds > 0) is answered
    code = given[-1]["ActionData"]["Parameters"]["SipResponseCode"]
    assert code == (0 if answered else 480)


@pytest.mark.parametrize("state", STATES)
def test_the_handler_is_given_what_it_is_owed(aftermath: Aftermath, state: str) -> None:
    before, after = aftermath.before[state], aftermath.after[state]
    call = before.call.call
    assert after.invocations[: len(before.invocations)] == before.invocations or state in ("answered", "updated", "accepted")
    again = Counter(event["Sequence"] for event in aftermath.events(call))
    done = {outcome.sequence for outcome in before.outcomes}
    for row in before.invocations:
        sent = [event for event in aftermath.events(call) if event["Sequence"] == row.sequence]
        assert all(event == json.loads(row.request) for event in sent), "given again, but not the same"
        assert len(sent) <= (1 if row.sequence in done else 2)
        assert next(kept for kept in after.invocations if kept.sequence == row.sequence).request == row.request
    if state in ("answered", "updated"):
        [answered] = [event["Sequence"] for event in aftermath.events(call)[:3] if event["InvocationEventType"] == "CALL_ANSWERED"][:1]
        assert again[answered] == 2
    rest = [event["InvocationEventType"] for event in aftermath.events(call, aftermath.told_before)]
    wanted = {
        "sent": ["HANGUP"],
        "ringing": ["HANGUP"],
        "answered": ["CALL_ANSWERED", "HANGUP"],
        "running": ["HANGUP"],
        "recording": ["HANGUP"],
        "hanging_up": [],
        "updated": ["CALL_ANSWERED", "CALL_UPDATE_REQUESTED", "HANGUP"],
    }
    if state in wanted:
        assert rest == wanted[state]
    else:
        assert rest in (["HANGUP"], ["NEW_OUTBOUND_CALL", "HANGUP"])


def test_what_was_said_before_is_remembered(aftermath: Aftermath) -> None:
    events = aftermath.events(aftermath.before["recording"].call.call)
    assert events[-1]["CallDetails"]["TransactionAttributes"] == {"seen": str(events[-2]["Sequence"])}
    assert events[-1]["CallDetails"]["Participants"][0]["Status"] == "Disconnected"


def test_the_recording_is_mended_and_delivered(aftermath: Aftermath) -> None:
    [recording] = aftermath.after["recording"].recordings
    assert (recording.finished, recording.delivered, recording.error) == (True, True, "")
    delivered = aftermath.data / "buckets" / "voice" / recording.key
    with wave.open(str(delivered)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == recording.samples == (delivered.stat().st_size - 44) // 2
        assert 2 * recording.samples + 44 >= aftermath.recorded - 1


def test_nobody_is_dialled(aftermath: Aftermath) -> None:
    heard = aftermath.verdict.heard
    methods = [message.split(" ", 1)[0] for message in heard]
    assert "INVITE" not in methods[methods.index("CANCEL") :], "only the next start sends a CANCEL"
    branches = {message.partition("branch=")[2].split()[0] for message in heard if message.startswith("INVITE ")}
    assert len(STATES) - 1 <= len(branches) <= len(STATES)


def test_a_repeat_after_the_restart_is_answered_from_what_is_stored(aftermath: Aftermath) -> None:
    assert aftermath.repeated.status == 201
    assert aftermath.repeated.json == {"SipMediaApplicationCall": {"TransactionId": aftermath.before["accepted"].call.call}}


def test_no_process_outlives_its_node(aftermath: Aftermath) -> None:
    assert aftermath.left == {}
