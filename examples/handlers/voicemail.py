"""Calls somebody for a message: speaks, beeps, records up to #, plays it back at once, hangs up.

The bucket that MESSAGES_BUCKET names holds `beep.wav` and gets the messages. Somebody who hangs up while speaking has left a message like
any other. Serve it with `--function voicemail=python:examples/handlers/voicemail.py:handler`.
"""

import os

BUCKET = os.environ.get("MESSAGES_BUCKET", "messages")


def handler(event, context):
    kind = event["InvocationEventType"]
    action = event.get("ActionData") or {}
    attributes = event["CallDetails"].get("TransactionAttributes") or {}
    if kind == "CALL_ANSWERED":
        greeting = speak("Please leave a message after the tone, and press pound when you are done.")
        return answer([greeting, play("beep.wav"), record()], attributes)
    if kind == "ACTION_SUCCESSFUL" and action["Type"] == "RecordAudio":
        kept = action["RecordingDestination"]
        print(f"a message: s3://{kept['BucketName']}/{kept['Key']}")
        return answer([speak("Your message was:"), play(kept["Key"]), speak("Goodbye."), hang_up()], {**attributes, "message": kept["Key"]})
    if kind == "ACTION_FAILED":
        print(f"{action['Type']} failed: {action.get('ErrorType')}, {action.get('ErrorMessage')}")
        return answer([hang_up()], attributes)
    return answer([], attributes)


def answer(actions, attributes):
    return {"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": attributes}


def speak(text):
    return {
        "Type": "Speak",
        "Parameters": {"Text": text, "Engine": "neural", "LanguageCode": "en-US", "TextType": "text", "VoiceId": "Joanna"},
    }


def play(key):
    return {"Type": "PlayAudio", "Parameters": {"AudioSource": {"Type": "S3", "BucketName": BUCKET, "Key": key}}}


def record():
    return {
        "Type": "RecordAudio",
        "Parameters": {
            "DurationInSeconds": 60,
            "SilenceDurationInSeconds": 3,
            "SilenceThreshold": 100,
            "RecordingTerminators": ["#"],
            "RecordingDestination": {"Type": "S3", "BucketName": BUCKET, "Prefix": "inbox"},
        },
    }


def hang_up():
    return {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}
