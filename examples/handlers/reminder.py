"""Reminds somebody of an appointment: speaks, asks for a key, records what they have to say, hangs up.

An AWS Lambda function like any other; serve it with `--function reminder=python:examples/handlers/reminder.py:handler`.
"""

import os

BUCKET = os.environ.get("RECORDINGS_BUCKET", "recordings")


def handler(event, context):
    kind = event["InvocationEventType"]
    attributes = event["CallDetails"].get("TransactionAttributes") or {}
    action = event.get("ActionData") or {}
    if kind == "NEW_OUTBOUND_CALL":
        # Actions are ignored here, attributes are kept for the later events.
        attributes = action.get("Parameters", {}).get("Arguments", {})
        return answer([], attributes)
    if kind == "CALL_ANSWERED":
        return answer([ask(attributes)], attributes)
    if kind == "ACTION_SUCCESSFUL" and action["Type"] == "SpeakAndGetDigits":
        print(f"confirmed with {action['ReceivedDigits']}")
        return answer([say("Thank you. Is there anything that we should know? Please speak now."), record()], attributes)
    if kind == "ACTION_SUCCESSFUL" and action["Type"] == "RecordAudio":
        return answer([say("We have noted that. Goodbye."), hang_up()], attributes)
    if kind == "ACTION_FAILED":
        return answer([hang_up()], attributes)
    return answer([], attributes)


def answer(actions, attributes):
    return {"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": attributes}


def say(text):
    return {
        "Type": "Speak",
        "Parameters": {"Text": text, "Engine": "neural", "LanguageCode": "en-US", "TextType": "text", "VoiceId": "Joanna"},
    }


def ask(attributes):
    name, when = attributes.get("name", "there"), attributes.get("when", "Monday at noon")
    return {
        "Type": "SpeakAndGetDigits",
        "Parameters": {
            "SpeechParameters": {
                "Text": f"Hello {name}. This is a reminder of your appointment on {when}. Please press 1 to confirm.",
                "Engine": "neural",
                "LanguageCode": "en-US",
                "TextType": "text",
                "VoiceId": "Joanna",
            },
            "FailureSpeechParameters": {"Text": "That was not 1."},
            "InputDigitsRegex": "^1$",
            "MinNumberOfDigits": 1,
            "MaxNumberOfDigits": 1,
            "Repeat": 3,
            "RepeatDurationInMilliseconds": 8000,
            "InBetweenDigitsDurationInMilliseconds": 3000,
        },
    }


def record():
    return {
        "Type": "RecordAudio",
        "Parameters": {
            "DurationInSeconds": 30,
            "SilenceDurationInSeconds": 3,
            "RecordingTerminators": ["#"],
            "RecordingDestination": {"Type": "S3", "BucketName": BUCKET, "Prefix": "reminders"},
        },
    }


def hang_up():
    return {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}
