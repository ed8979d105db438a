"""What each action takes and refuses: one row a parameter (reference 10.2 to 10.11, loose types of 6.2, echo of 2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from actions.driver import AUDIO, DESTINATION, GONE, LEAST, SORRY, A, B, Driven, fails
from outdial.actions.table import TABLE
from outdial.actions.values import FailedAs
from outdial.model import media
from outdial.model.work import Prompt

LEG = "CallId or ParticipantTag parameter for action is invalid."
SOURCE = "Audio Source parameter value is invalid."
GET = "PlayAudioAndGetDigits"
SPEAK_GET = "SpeakAndGetDigits"

# (action, changed parameters; None removes, error type, message, where the truth stands)
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    # 10.2 PlayAudio
    ("PlayAudio", {"AudioSource": None}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": "prompts/ask.wav"}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": []}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": {**AUDIO, "Type": "FTP"}}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": {**AUDIO, "BucketName": ""}}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": {**AUDIO, "Key": ""}}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": {**AUDIO, "Key": 5}}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"AudioSource": {"BucketName": "b", "Key": "k"}}, "InvalidAudioSource", SOURCE),
    ("PlayAudio", {"Repeat": 0}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    ("PlayAudio", {"Repeat": "-1"}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    ("PlayAudio", {"Repeat": "often"}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    ("PlayAudio", {"Repeat": True}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    ("PlayAudio", {"Repeat": 1.5}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    ("PlayAudio", {"Repeat": [1]}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    ("PlayAudio", {"PlaybackTerminators": ["12"]}, "InvalidActionParameter", "The PlaybackTerminators parameter is invalid."),
    ("PlayAudio", {"PlaybackTerminators": ["A"]}, "InvalidActionParameter", "The PlaybackTerminators parameter is invalid."),
    ("PlayAudio", {"PlaybackTerminators": {"1": 1}}, "InvalidActionParameter", "The PlaybackTerminators parameter is invalid."),
    ("PlayAudio", {"CallId": "nobody"}, "InvalidActionParameter", LEG),
    ("PlayAudio", {"CallId": 5}, "InvalidActionParameter", LEG),
    ("PlayAudio", {"ParticipantTag": "LEG-C"}, "InvalidActionParameter", LEG),
    # 10.3 PlayAudioAndGetDigits
    (GET, {"CallId": "nobody"}, "InvalidActionParameter", "CallId or ParticipantTag parameter for the action is invalid."),
    (GET, {"AudioSource": None}, "InvalidAudioSource", SOURCE),
    (GET, {"FailureAudioSource": None}, "InvalidAudioSource", SOURCE),
    (GET, {"FailureAudioSource": {**SORRY, "Key": " "}}, "InvalidAudioSource", SOURCE),
    (GET, {"RepeatDurationInMilliseconds": None}, "InvalidActionParameter", "The RepeatDurationInMilliseconds parameter is invalid."),
    (GET, {"RepeatDurationInMilliseconds": 0}, "InvalidActionParameter", "The RepeatDurationInMilliseconds parameter is invalid."),
    (GET, {"RepeatDurationInMilliseconds": "soon"}, "InvalidActionParameter", "The RepeatDurationInMilliseconds parameter is invalid."),
    (GET, {"MaxNumberOfDigits": 129}, "InvalidActionParameter", "The MaxNumberOfDigits parameter is invalid."),
    (GET, {"MaxNumberOfDigits": 0}, "InvalidActionParameter", "The MaxNumberOfDigits parameter is invalid."),
    (GET, {"MinNumberOfDigits": 4, "MaxNumberOfDigits": 3}, "InvalidActionParameter", "The MaxNumberOfDigits parameter is invalid."),
    (GET, {"MinNumberOfDigits": 129}, "InvalidActionParameter", "The MaxNumberOfDigits parameter is invalid."),
    (GET, {"MinNumberOfDigits": -1}, "InvalidActionParameter", "The MinNumberOfDigits parameter is invalid."),
    (GET, {"Repeat": 0}, "InvalidActionParameter", "The Repeat parameter is invalid."),
    (GET, {"TerminatorDigits": ["##"]}, "InvalidActionParameter", "The TerminatorDigits parameter is invalid."),
    (GET, {"InBetweenDigitsDurationInMilliseconds": 0}, "InvalidActionParameter",
     "The InBetweenDigitsDurationInMilliseconds parameter is invalid."),
    (GET, {"InputDigitsRegex": 12}, "InvalidActionParameter", "The InputDigitsRegex parameter is invalid."),
    # 10.4 Speak
    ("Speak", {"Text": None}, "MissingRequiredActionParameter", "Text is a required parameter."),
    ("Speak", {"Text": ""}, "MissingRequiredActionParameter", "Text is a required parameter."),
    ("Speak", {"Text": "a" * 1001}, "MissingRequiredActionParameter", "Text is limited to 1,000 characters"),
    ("Speak", {"Text": 5}, "InvalidActionParameter", "The Text parameter is invalid."),
    ("Speak", {"TextType": "html"}, "InvalidActionParameter", "The TextType parameter is invalid."),
    ("Speak", {"Engine": "steam"}, "InvalidActionParameter", "The Engine parameter is invalid."),
    ("Speak", {"VoiceId": 5}, "InvalidActionParameter", "The VoiceId parameter is invalid."),
    ("Speak", {"LanguageCode": 5}, "InvalidActionParameter", "The LanguageCode parameter is invalid."),
    ("Speak", {"CallId": "nobody"}, "InvalidActionParameter", LEG),
    # 10.5 SpeakAndGetDigits
    (SPEAK_GET, {"SpeechParameters": None}, "MissingRequiredActionParameter", "Text is a required parameter."),
    (SPEAK_GET, {"SpeechParameters": "Press one"}, "MissingRequiredActionParameter", "Text is a required parameter."),
    (SPEAK_GET, {"FailureSpeechParameters": {"VoiceId": "Amy"}}, "MissingRequiredActionParameter", "Text is a required parameter."),
    (SPEAK_GET, {"FailureSpeechParameters": {"Text": "é" * 1001}}, "MissingRequiredActionParameter", "Text is limited to 1,000 characters"),
    (SPEAK_GET, {"RepeatDurationInMilliseconds": None}, "InvalidActionParameter", "The RepeatDurationInMilliseconds parameter is invalid."),
    # 10.6 ReceiveDigits
    ("ReceiveDigits", {"InputDigitsRegex": None}, "InvalidActionParameter", "The InputDigitsRegex parameter is invalid."),
    ("ReceiveDigits", {"InputDigitsRegex": ""}, "InvalidActionParameter", "The InputDigitsRegex parameter is invalid."),
    ("ReceiveDigits", {"InBetweenDigitsDurationInMilliseconds": None}, "InvalidActionParameter",
     "The InBetweenDigitsDurationInMilliseconds parameter is invalid."),
    ("ReceiveDigits", {"InBetweenDigitsDurationInMilliseconds": 0}, "InvalidActionParameter",
     "The InBetweenDigitsDurationInMilliseconds parameter is invalid."),
    ("ReceiveDigits", {"FlushDigitsDurationInMilliseconds": None}, "InvalidActionParameter",
     "The FlushDigitsDurationInMilliseconds parameter is invalid."),
    ("ReceiveDigits", {"FlushDigitsDurationInMilliseconds": 1000}, "InvalidActionParameter",
     "The FlushDigitsDurationInMilliseconds parameter is invalid."),
    ("ReceiveDigits", {"ParticipantTag": "LEG-Z"}, "InvalidActionParameter", LEG),
    # 10.7 SendDigits
    ("SendDigits", {"Digits": None}, "InvalidActionParameter", "Digits parameter value is invalid."),
    ("SendDigits", {"Digits": "1" * 51}, "InvalidActionParameter", "Digits parameter value is invalid."),
    ("SendDigits", {"Digits": "12E"}, "InvalidActionParameter", "Digits parameter value is invalid."),
    ("SendDigits", {"Digits": "1 2"}, "InvalidActionParameter", "Digits parameter value is invalid."),
    ("SendDigits", {"ToneDurationInMilliseconds": 49}, "InvalidActionParameter", "ToneDuration parameter value is invalid."),
    ("SendDigits", {"ToneDurationInMilliseconds": 60001}, "InvalidActionParameter", "ToneDuration parameter value is invalid."),
    ("SendDigits", {"ToneDurationInMilliseconds": "long"}, "InvalidActionParameter", "ToneDuration parameter value is invalid."),
    ("SendDigits", {"CallId": "nobody"}, "InvalidActionParameter", LEG),
    # 10.8 Pause
    ("Pause", {"DurationInMilliseconds": None}, "InvalidActionParameter", "The Duration parameter is invalid."),
    ("Pause", {"DurationInMilliseconds": 0}, "InvalidActionParameter", "The Duration parameter is invalid."),
    ("Pause", {"DurationInMilliseconds": "a while"}, "InvalidActionParameter", "The Duration parameter is invalid."),
    ("Pause", {"DurationInMilliseconds": 10**400}, "InvalidActionParameter", "The Duration parameter is invalid."),
    ("Pause", {"DurationInMilliseconds": "9" * 5000}, "InvalidActionParameter", "The Duration parameter is invalid."),
    ("Pause", {"DurationInMilliseconds": float("inf")}, "InvalidActionParameter", "The Duration parameter is invalid."),
    ("Pause", {"CallId": "nobody"}, "InvalidActionParameter", LEG),
    # 10.9 Hangup
    ("Hangup", {"SipResponseCode": "busy"}, "InvalidActionParameter", "The SipResponseCode parameter is invalid."),
    ("Hangup", {"SipResponseCode": 100}, "InvalidActionParameter", "The SipResponseCode parameter is invalid."),
    ("Hangup", {"SipResponseCode": 700}, "InvalidActionParameter", "The SipResponseCode parameter is invalid."),
    ("Hangup", {"ParticipantTag": "LEG-C"}, "InvalidActionParameter", LEG),
    # 10.11 RecordAudio
    ("RecordAudio", {"DurationInSeconds": None}, "InvalidActionParameter", "DurationInSeconds parameter value is invalid."),
    ("RecordAudio", {"DurationInSeconds": 0}, "InvalidActionParameter", "DurationInSeconds parameter value is invalid."),
    ("RecordAudio", {"SilenceDurationInSeconds": 0}, "InvalidActionParameter", "SilenceDurationInSeconds parameter value is invalid."),
    ("RecordAudio", {"SilenceDurationInSeconds": 1001}, "InvalidActionParameter", "SilenceDurationInSeconds parameter value is invalid."),
    ("RecordAudio", {"SilenceThreshold": 0}, "InvalidActionParameter", "SilenceThreshold parameter value is invalid."),
    ("RecordAudio", {"SilenceThreshold": 1001}, "InvalidActionParameter", "SilenceThreshold parameter value is invalid."),
    ("RecordAudio", {"RecordingTerminators": None}, "MissingRequiredActionParameter", "RecordingTerminators is a required parameter."),
    ("RecordAudio", {"RecordingTerminators": ["A"]}, "InvalidActionParameter", "RecordingTerminators parameter value is invalid."),
    ("RecordAudio", {"RecordingDestination": None}, "InvalidActionParameter", "RecordingDestination parameter value is invalid."),
    ("RecordAudio", {"RecordingDestination": {"BucketName": "b"}}, "InvalidActionParameter",
     "RecordingDestination parameter value is invalid."),
    ("RecordAudio", {"RecordingDestination": {"Type": "S3"}}, "InvalidActionParameter", "RecordingDestination parameter value is invalid."),
    *(
        ("RecordAudio", {"RecordingDestination": {**DESTINATION, "Prefix": prefix}}, "InvalidActionParameter",
         "RecordingDestination parameter value is invalid.")
        for prefix in ("p" * 980, "../up", "a/../b", "/rooted", "a//b", "a\\b", "a\nb", "a{b}", "naïve")
    ),
    ("RecordAudio", {"CallId": "nobody"}, "InvalidActionParameter", LEG),
]  # fmt: skip


@pytest.mark.parametrize(("action", "changes", "error_type", "message"), REFUSED)
def test_a_bad_parameter_fails_the_action_by_name(action: str, changes: dict[str, Any], error_type: str, message: str) -> None:
    parameters = {name: value for name, value in {**LEAST[action], **changes}.items() if value is not None}
    assert fails(action, parameters) == FailedAs(error_type=error_type, message=message)


# (action, changed parameters, what the echo holds of them)
TAKEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("PlayAudio", {}, {"Repeat": 1, "AudioSource": AUDIO}),
    ("PlayAudio", {"Repeat": "5"}, {"Repeat": 5}),
    ("PlayAudio", {"Repeat": 5.0}, {"Repeat": 5}),
    ("PlayAudio", {"Repeat": ""}, {"Repeat": 1}),
    ("PlayAudio", {"Repeat": None}, {"Repeat": 1}),
    ("PlayAudio", {"PlaybackTerminators": ["1", "8", "#", "1"]}, {"PlaybackTerminators": ["1", "8", "#"]}),
    ("PlayAudio", {"PlaybackTerminators": [1, "", "#"]}, {"PlaybackTerminators": ["1", "#"]}),
    ("PlayAudio", {"PlaybackTerminators": "#*"}, {"PlaybackTerminators": ["#", "*"]}),
    ("PlayAudio", {"AudioSource": {**AUDIO, "Type": "s3", "Extra": 1}}, {"AudioSource": AUDIO}),
    (GET, {}, {"InBetweenDigitsDurationInMilliseconds": 1000, "RepeatDurationInMilliseconds": 1000}),
    (GET, {"InBetweenDigitsDurationInMilliseconds": "250"}, {"InBetweenDigitsDurationInMilliseconds": 250}),
    (GET, {"MinNumberOfDigits": "1", "MaxNumberOfDigits": "1"}, {"MinNumberOfDigits": 1, "MaxNumberOfDigits": 1}),
    (GET, {"MaxNumberOfDigits": 128}, {"MaxNumberOfDigits": 128}),
    (GET, {"TerminatorDigits": ["*"], "Repeat": "3"}, {"TerminatorDigits": ["*"], "Repeat": 3}),
    ("Speak", {"Engine": "Neural"}, {"Engine": "Neural", "Text": "Hello"}),
    ("Speak", {"Engine": "generative", "TextType": "SSML", "LanguageCode": "en-US", "VoiceId": "Amy"}, {"VoiceId": "Amy"}),
    ("Speak", {"Text": "a" * 1000}, {"Text": "a" * 1000}),
    (SPEAK_GET, {}, {"SpeechParameters": {"Text": "Press one"}, "FailureSpeechParameters": {"Text": "Sorry"}}),
    ("ReceiveDigits", {"FlushDigitsDurationInMilliseconds": "1001"}, {"FlushDigitsDurationInMilliseconds": 1001}),
    ("SendDigits", {"Digits": ",,*1234,56,7890ABCD#"}, {"Digits": ",,*1234,56,7890ABCD#"}),
    ("SendDigits", {"Digits": 1234, "ToneDurationInMilliseconds": "50"}, {"Digits": "1234", "ToneDurationInMilliseconds": 50}),
    ("Pause", {"DurationInMilliseconds": "3000"}, {"DurationInMilliseconds": 3000}),
    ("Pause", {"DurationInMilliseconds": " 3000 "}, {"DurationInMilliseconds": 3000}),
    ("Hangup", {}, {"SipResponseCode": 0}),
    ("Hangup", {"SipResponseCode": "480"}, {"SipResponseCode": 480}),
    ("Hangup", {"SipResponseCode": 486}, {"SipResponseCode": 486}),
    ("RecordAudio", {"DurationInSeconds": "10"}, {"DurationInSeconds": 10, "RecordingDestination": DESTINATION}),
    ("RecordAudio", {}, {"RecordingTerminators": ["#"]}),
    ("RecordAudio", {"SilenceDurationInSeconds": "3", "SilenceThreshold": "100"}, {"SilenceDurationInSeconds": 3, "SilenceThreshold": 100}),
    ("RecordAudio", {"RecordingTerminators": []}, {"RecordingTerminators": []}),
]  # fmt: skip


@pytest.mark.parametrize(("action", "changes", "echoed"), TAKEN)
def test_loose_types_are_taken_and_echoed_as_the_service_sees_them(action: str, changes: dict[str, Any], echoed: dict[str, Any]) -> None:
    driven = Driven(action, {**LEAST[action], **changes})
    assert not isinstance(driven.end, FailedAs), driven.end
    assert {name: driven.echo[name] for name in echoed} == echoed


@pytest.mark.parametrize("action", LEAST)
def test_echo_names_the_leg_both_ways_and_nothing_that_is_unknown(action: str) -> None:
    """Reference 2.3; trait 10: unknown extra keys (AttendeeId, CallID, ToneGapInMilliseconds) are ignored."""
    driven = Driven(action, {**LEAST[action], "AttendeeId": "x", "CallID": "y", "ToneGapInMilliseconds": 1, "CallId": B})
    assert driven.end is None or not isinstance(driven.end, FailedAs)
    assert (driven.echo["CallId"], driven.echo["ParticipantTag"]) == (B, "LEG-B")
    assert not {"AttendeeId", "CallID", "ToneGapInMilliseconds"} & driven.echo.keys()


def test_defaults_that_are_not_echoed() -> None:
    """Reference 2.3: TerminatorDigits stays absent when it was not sent."""
    assert not {"TerminatorDigits", "MinNumberOfDigits", "MaxNumberOfDigits", "InputDigitsRegex"} & Driven(GET).echo.keys()


NUMBERS = {
    "PlayAudio": ["Repeat"],
    GET: ["MinNumberOfDigits", "MaxNumberOfDigits", "InBetweenDigitsDurationInMilliseconds", "Repeat", "RepeatDurationInMilliseconds"],
    "ReceiveDigits": ["InBetweenDigitsDurationInMilliseconds", "FlushDigitsDurationInMilliseconds"],
    "SendDigits": ["ToneDurationInMilliseconds"],
    "Pause": ["DurationInMilliseconds"],
    "Hangup": ["SipResponseCode"],
    "RecordAudio": ["DurationInSeconds", "SilenceDurationInSeconds", "SilenceThreshold"],
}


@pytest.mark.parametrize(("action", "name"), [(action, name) for action, names in NUMBERS.items() for name in names])
@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 1e300, float("nan"), float("-inf"), 10**12, "9" * 13, "0x10", "1e3", "١", {}, [], False]
)
def test_no_number_is_too_strange(action: str, name: str, value: Any) -> None:
    """Trait 7: numbers come as text or as numbers; whatever else comes is refused before anybody counts with it."""
    assert fails(action, {**LEAST[action], name: value}).error_type == "InvalidActionParameter"


# (selectors, the leg meant): reference 6.2, traits 8 and 9
LEGS = [
    ({}, A),
    ({"CallId": A}, A),
    ({"CallId": B.upper()}, B),
    ({"ParticipantTag": "LEG-A"}, A),
    ({"ParticipantTag": "LEG-B"}, B),
    ({"CallId": A, "ParticipantTag": "LEG-B"}, A),
    ({"CallId": "", "ParticipantTag": ""}, A),
    ({"CallId": None, "ParticipantTag": None}, A),
    ({"CallId": "", "ParticipantTag": "LEG-B"}, B),
]


@pytest.mark.parametrize("action", LEAST)
@pytest.mark.parametrize(("selectors", "leg"), LEGS)
def test_which_leg(action: str, selectors: dict[str, Any], leg: str) -> None:
    driven = Driven(action, {**LEAST[action], **selectors})
    assert driven.running.leg == leg


@pytest.mark.parametrize("action", LEAST)
@pytest.mark.parametrize(
    "selectors", [{"CallId": GONE}, {"CallId": GONE, "ParticipantTag": "LEG-A"}, {"CallId": "x"}, {"ParticipantTag": 3}]
)
def test_a_leg_that_is_finished_or_unknown(action: str, selectors: dict[str, Any]) -> None:
    """Reference 18: InvalidActionParameter with the action's message."""
    the = "the " if action.endswith("GetDigits") else ""
    failed = fails(action, {**LEAST[action], **selectors})
    assert failed == FailedAs(
        error_type="InvalidActionParameter", message=f"CallId or ParticipantTag parameter for {the}action is invalid."
    )


def test_a_default_leg_that_has_gone() -> None:
    assert fails("Pause", LEAST["Pause"], default_leg=GONE).error_type == "InvalidActionParameter"


@pytest.mark.parametrize("parameters", [{}, {"AudioSource": None}, {"CallId": []}, {"Text": {}}, {"RecordingDestination": "x"}])
@pytest.mark.parametrize("action", TABLE)
def test_begin_never_raises(action: str, parameters: dict[str, Any]) -> None:
    driven = Driven(action, parameters)
    assert driven.out


@pytest.mark.parametrize("action", TABLE)
def test_what_is_refused_echoes_what_was_asked(action: str) -> None:
    driven = Driven(action, {"Repeat": "x", "Engine": 5, "SipResponseCode": "x"})
    assert isinstance(driven.end, FailedAs)
    assert driven.running.echo.type == action
    assert driven.echo["Repeat"] == "x"


def test_extreme_values_cost_nothing() -> None:
    """Trait 11: Repeat 9999, RepeatDuration 99999999, Min 0."""
    driven = Driven(GET, {**LEAST[GET], "Repeat": 9999, "RepeatDurationInMilliseconds": 99999999, "MinNumberOfDigits": 0})
    assert len(driven.out) == 2
    assert all(isinstance(item, Prompt) for item in driven.out)


@pytest.mark.parametrize(("strict", "duration", "taken"), [
    (False, 100, True), (False, 60000, True), (False, 99, True), (True, 100, True), (True, 30000, True), (True, 99, False),
    (True, 30001, False), (True, 60000, False),
])  # fmt: skip
def test_pause_range(strict: bool, duration: int, taken: bool) -> None:
    """Reference 10.8 gives an integer > 0 on one page and 100 to 30000 on another: the latter under strict limits.
    Applications use up to 60000."""
    driven = Driven("Pause", {"DurationInMilliseconds": duration}, strict=strict)
    assert (driven.end is None) is taken


@pytest.mark.parametrize(("strict", "tone", "taken"), [(False, 60000, True), (True, 24000, True), (True, 24001, False), (True, 50, True)])
def test_tone_range(strict: bool, tone: int, taken: bool) -> None:
    """Reference 10.7: 50 to 24000; trait 11: an application goes to 60000."""
    driven = Driven("SendDigits", {"Digits": "1", "ToneDurationInMilliseconds": tone}, strict=strict)
    assert (driven.end is None) is taken


def test_twenty_commas_and_no_digits_at_all() -> None:
    """Trait 11: an application sends up to 20 commas as pauses, and an empty Digits when it knows no better."""
    assert Driven("SendDigits", {"Digits": "," * 20 + "123456#"}).last(media.SendDigits).digits == "," * 20 + "123456#"
    assert fails("SendDigits", {"Digits": ""}).error_type == "InvalidActionParameter"
