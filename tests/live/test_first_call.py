"""A node as a process, the built-in carrier, boto3: the call that the product exists for."""

from __future__ import annotations

import wave
from pathlib import Path

from helpers.live_node import LiveNode

HANDLER = """
def handler(event, context):
    kind, action = event["InvocationEventType"], event.get("ActionData", {}).get("Type")
    actions = []
    if kind == "CALL_ANSWERED":
        speech = {"Text": "Press one to confirm."}
        ask = {"SpeechParameters": speech, "FailureSpeechParameters": speech, "MinNumberOfDigits": 1, "MaxNumberOfDigits": 1}
        actions = [{"Type": "SpeakAndGetDigits", "Parameters": {**ask, "Repeat": 3, "RepeatDurationInMilliseconds": 8000}}]
    elif kind == "ACTION_SUCCESSFUL" and action == "SpeakAndGetDigits":
        record = {"DurationInSeconds": 4, "RecordingTerminators": ["#"], "RecordingDestination": {"Type": "S3", "BucketName": "voice"}}
        actions = [{"Type": "RecordAudio", "Parameters": record}, {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}]
    return {"SchemaVersion": "1.0", "Actions": actions}
"""


def test_a_subscriber_is_asked_confirms_and_is_recorded(tmp_path: Path) -> None:
    for name in ("re", "queue", "types"):  # whatever lies where the node is started: its processes import none of it
        (tmp_path / f"{name}.py").write_text("raise ImportError('this is not the standard library')")
    with LiveNode(tmp_path, handler=HANDLER) as node:
        call = node.place(ArgumentsMap={"name": "Ann"})
        history = node.finished(call, within=60.0)
        kinds = [event["InvocationEventType"] for event in node.events(history)]
        assert kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "ACTION_SUCCESSFUL", "HANGUP"]
        assert node.events(history)[3]["ActionData"]["ReceivedDigits"] == "1"
        assert history.cdr is not None
        assert history.cdr.termination.reason == "completed"
        [recording] = history.recordings
        assert recording.delivered
        delivered = node.data / "buckets" / "voice" / recording.key
        with wave.open(str(delivered)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
            assert file.getnframes() == recording.samples > 8000
        assert node.stop() == 0
