"""Actions that cannot be done, on a whole node: the handler is told, hangs up, and the record has what the event cannot say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.bad_node import TYPES, BadNode, failure, noted, write_long_wav, write_low_wav
from outdial.model.resources import CallHistory

UNREACHABLE = "Cannot access S3 bucket or audio file."
CONVERT = "convert it to PCM WAV, 8 kHz, 16-bit, mono"
INVALID = "Audio Source parameter value is invalid."


@pytest.fixture(scope="module")
def bucket(node: BadNode) -> Path:
    """The folder of the bucket `sounds`."""
    folder = node.data / "buckets" / "sounds"
    folder.mkdir(parents=True)
    (folder / "text.wav").write_bytes(b"This is no sound at all. " * 100)
    (folder / "empty.wav").write_bytes(b"")
    write_long_wav(folder / "second.wav", 1)
    write_long_wav(folder / "two-hours.wav", 7200)
    write_low_wav(folder / "two-low-hours.wav", 7200)
    return folder


def source(key: str, bucket: str = "sounds") -> dict[str, str]:
    return {"Type": "S3", "BucketName": bucket, "Key": key}


def play(key: str, bucket: str = "sounds") -> dict[str, Any]:
    return {"Type": "PlayAudio", "Parameters": {"AudioSource": source(key, bucket)}}


def speak(text: str) -> dict[str, Any]:
    return {"Type": "Speak", "Parameters": {"Text": text, "TextType": "ssml"}}


def ask(pattern: str) -> dict[str, Any]:
    times = {"RepeatDurationInMilliseconds": 5000, "InBetweenDigitsDurationInMilliseconds": 2000}
    limits = {"MinNumberOfDigits": 1, "MaxNumberOfDigits": 31, "Repeat": 1, "TerminatorDigits": ["#"]}
    sounds = {"AudioSource": source("second.wav"), "FailureAudioSource": source("second.wav")}
    return {"Type": "PlayAudioAndGetDigits", "Parameters": {"InputDigitsRegex": pattern, **sounds, **limits, **times}}


def went_on(history: CallHistory) -> bool:
    """The handler was told and ended the call itself."""
    assert history.cdr is not None
    return (history.cdr.termination.who, history.cdr.termination.reason) == ("us", "completed")


@pytest.mark.parametrize(
    ("key", "where", "message", "note"),
    [
        ("nothing.wav", "sounds", UNREACHABLE, "s3://sounds: no object nothing.wav; it would be the file {buckets}/sounds/nothing.wav"),
        ("x.wav", "nowhere", UNREACHABLE, "s3://nowhere: no such bucket; it would be the file {buckets}/nowhere/x.wav"),
        (
            "../../outdial.db",
            "sounds",
            UNREACHABLE,
            'key "../../outdial.db" cannot be a file (empty, "." or ".." between slashes, or over 255 bytes)',
        ),
        (
            "text.wav",
            "sounds",
            INVALID,
            f"s3://sounds/text.wav is not a WAV file (it begins with b'This'); {CONVERT}",
        ),
        (
            "empty.wav",
            "sounds",
            INVALID,
            f"s3://sounds/empty.wav is not a WAV file (it is empty); {CONVERT}",
        ),
        (
            "two-hours.wav",
            "sounds",
            INVALID,
            "s3://sounds/two-hours.wav has 115,200,044 bytes, the most is 52,428,800 (50 MB, as Amazon's service)",
        ),
    ],
)
def test_a_prompt_that_cannot_be_played(node: BadNode, bucket: Path, key: str, where: str, message: str, note: str) -> None:
    history = node.act(play(key, where))
    assert failure(node, history) == ("PlayAudio", "InvalidAudioSource", message)
    assert noted(history) == [f"PlayAudio: s3://{where}/{key} cannot be played: {note.format(buckets=bucket.parent)}"]
    assert went_on(history)


def test_a_prompt_of_two_hours_that_is_small_enough(node: BadNode, bucket: Path) -> None:
    history = node.act(play("two-low-hours.wav"))
    assert failure(node, history) == ("PlayAudio", "InvalidAudioSource", INVALID)
    told = "s3://sounds/two-low-hours.wav lasts 120 minutes; the most is just under 120"
    assert noted(history) == [f"PlayAudio: s3://sounds/two-low-hours.wav cannot be played: {told}"]
    assert went_on(history)


DOCTYPE = '<!DOCTYPE speak [<!ENTITY a "aaaaaaaaaa">]><speak>&a;</speak>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hello", "SSML line 1, column 1: not well-formed XML (syntax error)"),
        ("<speak>Hello <b", "SSML line 1, column 14: not well-formed XML (unclosed token)"),
        (DOCTYPE, "SSML line 1, column 17: a document type is not allowed; begin with <speak>"),
    ],
)
def test_ssml_that_cannot_be_read(node: BadNode, text: str, message: str) -> None:
    history = node.act(speak(text))
    assert failure(node, history) == ("Speak", "InvalidActionParameter", message)
    assert noted(history) == [f"Speak: speech by Joanna cannot be played: {message}"]
    assert went_on(history)


def test_ssml_that_nests_a_thousand_deep(node: BadNode) -> None:
    """Seven characters a level are far over the limit of a Speak; what fits is refused for its depth."""
    history = node.ask("deep ssml")
    assert failure(node, history) == ("Speak", "MissingRequiredActionParameter", "Text is limited to 1,000 characters")
    assert went_on(history)
    history = node.act(speak("<speak>" + "<p>" * 140 + "</p>" * 140 + "</speak>"))
    assert failure(node, history) == ("Speak", "InvalidActionParameter", "SSML line 1, column 53: tags nest more than 16 deep")
    assert went_on(history)


def test_an_expression_that_does_not_compile(node: BadNode, bucket: Path) -> None:
    history = node.act(ask("^[0-9{4}$"))
    assert failure(node, history) == ("PlayAudioAndGetDigits", "InvalidActionParameter", "The InputDigitsRegex parameter is invalid.")
    told = '"^[0-9{4}$" is not a regular expression (unterminated character set at 10)'
    assert noted(history) == [f"PlayAudioAndGetDigits: InputDigitsRegex: {told}"]
    assert went_on(history)


def test_an_expression_that_runs_for_ever(node: BadNode, bucket: Path) -> None:
    history = node.act(ask("^(1|11|111)+[*]$"), to=TYPES)
    assert failure(node, history) == ("PlayAudioAndGetDigits", "InvalidActionParameter", "The InputDigitsRegex parameter is invalid.")
    told = '"^(1|11|111)+[*]$" was not done within 0.25 s; rewrite its nested repeats'
    assert noted(history) == [f"PlayAudioAndGetDigits: InputDigitsRegex: {told}"]
    assert went_on(history)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"Type": "Pause", "Parameters": {"DurationInMilliseconds": {"a": 1}}}, "The Duration parameter is invalid."),
        ({"Type": "Speak", "Parameters": {"Text": 5}}, "The Text parameter is invalid."),
        ({"Type": "SendDigits", "Parameters": {"Digits": "12x"}}, "Digits parameter value is invalid."),
        ({"Type": "RecordAudio", "Parameters": {"DurationInSeconds": "soon"}}, "DurationInSeconds parameter value is invalid."),
        ({"Type": "Hangup", "Parameters": {"SipResponseCode": "abc"}}, "The SipResponseCode parameter is invalid."),
        (
            {"Type": "Speak", "Parameters": {"Text": "x", "CallId": "11111111-1111-4111-8111-111111111111"}},
            "CallId or ParticipantTag parameter for action is invalid.",
        ),
        (
            {"Type": "Speak", "Parameters": {"Text": "x", "ParticipantTag": "LEG-B"}},
            "CallId or ParticipantTag parameter for action is invalid.",
        ),
    ],
)
def test_parameters_of_the_wrong_type_or_of_a_leg_that_is_not_there(node: BadNode, action: dict[str, Any], message: str) -> None:
    history = node.act(action)
    assert failure(node, history) == (action["Type"], "InvalidActionParameter", message)
    assert went_on(history)
