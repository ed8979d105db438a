"""Reminds somebody with recorded prompts: plays a message made for this call, asks for 1 or 2, confirms, hangs up.

The prompts are WAV files in the bucket that PROMPTS_BUCKET names: `message.wav` (or `TRANSACTION-ID.wav`, made once the call has been
placed), `question.wav`, `confirmed.wav`, `rejected.wav` and `failure.wav`. Serve it with
`--function reminder=python:examples/handlers/recorded_reminder.py:handler`.
"""

import os

BUCKET = os.environ.get("PROMPTS_BUCKET", "prompts")
ANSWERS = {"1": "confirmed", "2": "rejected"}


def handler(event, context):
    kind = event["InvocationEventType"]
    action = event.get("ActionData") or {}
    if kind == "NEW_OUTBOUND_CALL":
        # Actions are ignored here; who wants a message of their own says so with the call.
        return answer([], action.get("Parameters", {}).get("Arguments", {}))
    attributes = event["CallDetails"].get("TransactionAttributes") or {}
    if kind == "CALL_ANSWERED":
        own = f"{event['CallDetails']['TransactionId']}.wav" if attributes.get("message") == "own" else "message.wav"
        return answer([pause(1000), play(own), ask()], attributes)
    if kind == "ACTION_SUCCESSFUL" and action["Type"] == "PlayAudioAndGetDigits":
        result = ANSWERS[action["ReceivedDigits"]]
        return answer([play(f"{result}.wav"), hang_up()], {**attributes, "result": result})
    if kind == "ACTION_FAILED":
        return answer([hang_up()], {**attributes, "result": action.get("ErrorType", "failed")})
    if kind == "HANGUP":
        print(f"the reminder ended: {attributes.get('result', 'no answer')}")
    return answer([], attributes)


def answer(actions, attributes):
    return {"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": attributes}


def sound(key):
    return {"Type": "S3", "BucketName": BUCKET, "Key": key}


def pause(milliseconds):
    return {"Type": "Pause", "Parameters": {"DurationInMilliseconds": milliseconds}}


def play(key):
    return {"Type": "PlayAudio", "Parameters": {"AudioSource": sound(key)}}


def ask():
    return {
        "Type": "PlayAudioAndGetDigits",
        "Parameters": {
            "AudioSource": sound("question.wav"),
            "FailureAudioSource": sound("failure.wav"),
            "InputDigitsRegex": "^[12]$",
            "MinNumberOfDigits": 1,
            "MaxNumberOfDigits": 1,
            "Repeat": 3,
            "InBetweenDigitsDurationInMilliseconds": 2000,
            "RepeatDurationInMilliseconds": 10000,
        },
    }


def hang_up():
    return {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}
