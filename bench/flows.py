"""The calls that are measured: their handlers, and the prompts that they play."""

from __future__ import annotations

import array
import wave
from pathlib import Path

from .telephone import FIRST, SECOND

SETUP = """
def handler(event, context):
    actions = [{"Type": "Hangup"}] if event["InvocationEventType"] == "CALL_ANSWERED" else []
    return {"SchemaVersion": "1.0", "Actions": actions}
"""
_PROMPTS = """
def prompt(name):
    return {"Type": "S3", "BucketName": "prompts", "Key": name + ".wav"}

ASK = {"Type": "PlayAudioAndGetDigits", "Parameters": {"AudioSource": prompt("first"), "FailureAudioSource": prompt("second"),
       "MinNumberOfDigits": 1, "MaxNumberOfDigits": 1, "Repeat": 1, "RepeatDurationInMilliseconds": 5000}}
SAY = {"Type": "PlayAudio", "Parameters": {"AudioSource": prompt("second")}}
HANGUP = {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}
"""
IVR = (
    _PROMPTS
    + """
def handler(event, context):
    kind = event["InvocationEventType"]
    actions = [ASK] if kind == "CALL_ANSWERED" else []
    if kind == "ACTION_SUCCESSFUL" and event["ActionData"]["Type"] == "PlayAudioAndGetDigits":
        actions = [SAY, HANGUP]
    return {"SchemaVersion": "1.0", "Actions": actions}
"""
)
RECORDING = (
    _PROMPTS
    + """
RECORD = {"Type": "RecordAudio", "Parameters": {"DurationInSeconds": "3", "RecordingTerminators": ["#"],
          "RecordingDestination": {"Type": "S3", "BucketName": "recordings", "Prefix": "bench"}}}

def handler(event, context):
    kind = event["InvocationEventType"]
    actions = [ASK] if kind == "CALL_ANSWERED" else []
    if kind == "ACTION_SUCCESSFUL":
        actions = {"PlayAudioAndGetDigits": [RECORD], "RecordAudio": [HANGUP]}.get(event["ActionData"]["Type"], [])
    return {"SchemaVersion": "1.0", "Actions": actions}
"""
)
SPEAK = """
def handler(event, context):
    kind = event["InvocationEventType"]
    say = {"Type": "Speak", "Parameters": {"Text": "Hello from Outdial. This is your first call."}}
    return {"SchemaVersion": "1.0", "Actions": [say, {"Type": "Hangup"}] if kind == "CALL_ANSWERED" else []}
"""
HOLD = """
def handler(event, context):
    pause = {"Type": "Pause", "Parameters": {"DurationInMilliseconds": "60000"}}
    return {"SchemaVersion": "1.0", "Actions": [pause] if event["InvocationEventType"] == "CALL_ANSWERED" else []}
"""
IVR_SECONDS = 6.5
KEY_AFTER = 3.0
"""Seconds into the first prompt; the second one lasts the rest."""


def write_prompts(data: Path) -> None:
    """Both prompts, into the node's bucket of that name."""
    bucket = data / "buckets" / "prompts"
    bucket.mkdir(parents=True, exist_ok=True)
    for name, sample, seconds in (("first", FIRST, 4.0), ("second", SECOND, IVR_SECONDS - KEY_AFTER)):
        with wave.open(str(bucket / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(array.array("h", [sample]).tobytes() * int(8000 * seconds))
