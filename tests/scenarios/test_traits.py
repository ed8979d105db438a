"""What real applications rely on (reference/real-handlers, section 2), each trait through a whole node on virtual time.

What lies in one room alone has its tests there (calls, apps, io, actions: `pytest -k trait`); those of JavaScript, of process state, of the
context and of handlers' names (21 to 24) need real processes: tests/io/test_handler_process.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from outdial.model.requests import Placed
from outdial.testing.world import World

Reply = Any | Callable[[dict[str, Any]], Any]
PLAIN: dict[str, Any] = {"SchemaVersion": "1.0"}
SPEAK = {"Type": "Speak", "Parameters": {"Text": "Hello."}}
HANGUP = {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}


def says(*actions: Any, **more: Any) -> dict[str, Any]:
    return {**PLAIN, "Actions": list(actions), **more}


def raises(event: dict[str, Any]) -> Any:
    raise RuntimeError("the meeting service is away")


class Call(World):
    """One call whose handler answers by event, or by event and action (`ACTION_SUCCESSFUL Speak`); else with no actions."""

    def __init__(self, folder: Path, answers: Mapping[str, Reply], **more: Any) -> None:
        def handler(event: dict[str, Any]) -> Any:
            kind = event["InvocationEventType"]
            full = f"{kind} {event.get('ActionData', {}).get('Type')}"
            answer = answers.get(full, answers.get(kind, PLAIN))
            return answer(event) if callable(answer) else answer

        super().__init__(folder, handler, **more)

    def answered(self, arguments: dict[str, str] | None = None) -> Call:
        """Placed, rung and answered, and the handler has said what comes first."""
        assert isinstance(self.place(arguments=arguments), Placed)
        self.until(lambda: self.phone.incoming is not None)
        self.order("ring")
        self.until(lambda: "RINGING" in self.types)
        self.order("answer")
        self.until(lambda: "CALL_ANSWERED" in self.types)
        return self

    def ended(self) -> Call:
        """The handler has been told HANGUP, and nothing is left."""
        self.until(lambda: "HANGUP" in self.types)
        self.go(1.0)
        assert self.types[-1] == "HANGUP"
        assert self.types.count("HANGUP") == 1
        assert self.store.unfinished() == []
        assert [event["Sequence"] for event in self.events] == list(range(1, len(self.events) + 1))
        return self

    def only(self, kind: str) -> dict[str, Any]:
        """The one event of this kind."""
        [event] = [event for event in self.events if event["InvocationEventType"] == kind]
        return event

    def action(self, kind: str) -> dict[str, Any]:
        """Its ActionData."""
        found: dict[str, Any] = self.only(kind)["ActionData"]
        return found


STALE = says(SPEAK, HANGUP)


@pytest.mark.parametrize("junk", [PLAIN, [], (), says(SPEAK), STALE, None, "text"], ids=str)
def test_trait_01_replies_to_new_outbound_call_and_ringing_are_ignored(tmp_path: Path, junk: Any) -> None:
    call = Call(tmp_path, {"NEW_OUTBOUND_CALL": junk, "RINGING": junk, "CALL_ANSWERED": says(HANGUP)}).answered().ended()
    assert call.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]


@pytest.mark.parametrize("junk", [says(HANGUP), PLAIN, says([HANGUP]), says(""), says(SPEAK, HANGUP), None], ids=str)
def test_trait_02_a_reply_to_hangup_neither_loops_nor_keeps_the_call_alive(tmp_path: Path, junk: Any) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(HANGUP), "HANGUP": junk}).answered().ended()
    assert call.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]


def test_trait_03_a_hangup_of_the_only_leg_is_told_as_hangup_alone(tmp_path: Path) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(SPEAK, HANGUP), "ACTION_SUCCESSFUL": says(SPEAK)}).answered().ended()
    assert call.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert call.only("HANGUP")["CallDetails"]["Participants"][0]["Status"] == "Disconnected"


LISTEN = {
    "Type": "ReceiveDigits",
    "Parameters": {"InputDigitsRegex": "[0-9]", "InBetweenDigitsDurationInMilliseconds": 1000, "FlushDigitsDurationInMilliseconds": 10000},
}


def test_traits_04_05_06_one_success_a_list_then_the_digits_and_an_expression_is_no_whole_match(tmp_path: Path) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(SPEAK, LISTEN), "DIGITS_RECEIVED": says(HANGUP)}).answered()
    call.until(lambda: "ACTION_SUCCESSFUL" in call.types)
    assert call.action("ACTION_SUCCESSFUL")["Type"] == "ReceiveDigits"
    assert "DIGITS_RECEIVED" not in call.types
    call.order("press", text="123456")
    call.ended()
    digits = call.action("DIGITS_RECEIVED")
    assert (digits["Type"], digits["ReceivedDigits"]) == ("ReceiveDigits", "123456")


@pytest.mark.parametrize(
    ("expression", "pressed", "taken"),
    [("[0-9]", "123456", True), ("[5-7]", "6", True), ("[0-1]$", "7", False), ("^(?!1900)1[0-9]{3}", "1206", True),
     ("^(?!1900)1[0-9]{3}", "1900", False), (".*", "9", True), (None, "42", True)],
)  # fmt: skip
def test_trait_06_expressions_as_they_are_in_use(tmp_path: Path, expression: str | None, pressed: str, taken: bool) -> None:
    sounds = {"SpeechParameters": {"Text": "Please."}, "FailureSpeechParameters": {"Text": "Sorry."}}
    limits = {"MinNumberOfDigits": "1", "MaxNumberOfDigits": str(len(pressed)), "Repeat": "1", "RepeatDurationInMilliseconds": "3000"}
    pattern = {} if expression is None else {"InputDigitsRegex": expression}
    ask = {"Type": "SpeakAndGetDigits", "Parameters": {**sounds, **limits, **pattern}}
    ends = {"ACTION_SUCCESSFUL": says(HANGUP), "ACTION_FAILED": says(HANGUP)}
    call = Call(tmp_path, {"CALL_ANSWERED": says(ask), **ends}).answered()
    call.go(0.5)
    call.order("press", text=pressed)
    call.ended()
    if taken:
        assert call.action("ACTION_SUCCESSFUL")["ReceivedDigits"] == pressed
    else:
        assert call.action("ACTION_FAILED")["ErrorType"] == "InvalidDigitsReceived"


def test_trait_07_numbers_as_text_are_taken_and_echoed_as_numbers(tmp_path: Path) -> None:
    record = {
        "DurationInSeconds": "2",
        "RecordingTerminators": ["#"],
        "RecordingDestination": {"Type": "S3", "BucketName": "messages"},
    }
    pause = {"Type": "Pause", "Parameters": {"DurationInMilliseconds": "1000"}}
    first = says(pause, {"Type": "RecordAudio", "Parameters": record})
    call = Call(tmp_path, {"CALL_ANSWERED": first, "ACTION_SUCCESSFUL": says(HANGUP)}).answered()
    began = call.now
    call.ended()
    assert call.action("ACTION_SUCCESSFUL")["Parameters"]["DurationInSeconds"] == 2
    assert 3.0 <= call.now - began - 1.0 <= 3.5


@pytest.mark.parametrize("selector", [{}, {"CallId": ""}, {"ParticipantTag": ""}, {"CallId": "", "ParticipantTag": ""}], ids=str)
def test_traits_08_09_empty_and_absent_selectors_mean_leg_a(tmp_path: Path, selector: dict[str, str]) -> None:
    speak = {"Type": "Speak", "Parameters": {"Text": "Hello.", **selector}}
    leave = {"Type": "Hangup", "Parameters": {"SipResponseCode": "0", **selector}}
    call = Call(tmp_path, {"CALL_ANSWERED": says(speak), "ACTION_SUCCESSFUL": says(leave)}).answered().ended()
    assert call.types[-2:] == ["ACTION_SUCCESSFUL", "HANGUP"]
    assert call.action("ACTION_SUCCESSFUL")["Parameters"]["ParticipantTag"] == "LEG-A"


def test_trait_10_unknown_keys_are_ignored(tmp_path: Path) -> None:
    odd = {"Text": "Hello.", "AttendeeId": "a", "AttendeeJoinToken": "t", "CallID": "x", "ToneGapInMilliseconds": 50}
    answers = {"CALL_ANSWERED": says({"Type": "Speak", "Parameters": odd, "Comment": 1}, More=1), "ACTION_SUCCESSFUL": says(HANGUP)}
    call = Call(tmp_path, answers).answered().ended()
    assert not {"AttendeeId", "AttendeeJoinToken", "CallID"} & call.action("ACTION_SUCCESSFUL")["Parameters"].keys()


@pytest.mark.parametrize("name", ["Answer", "StartMediaStreamingPipeline"])
def test_trait_10_an_action_that_does_not_exist_is_an_error_and_no_crash(tmp_path: Path, name: str) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says({"Type": name}), "INVALID_LAMBDA_RESPONSE": says(HANGUP)}).answered().ended()
    assert call.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "INVALID_LAMBDA_RESPONSE", "HANGUP"]


def test_trait_11_values_out_of_range_are_as_far_as_they_can_be(tmp_path: Path) -> None:
    sounds = {"SpeechParameters": {"Text": "Please."}, "FailureSpeechParameters": {"Text": "Sorry."}}
    limits = {"MinNumberOfDigits": 0, "MaxNumberOfDigits": 1, "Repeat": 9999, "RepeatDurationInMilliseconds": 99999999}
    ask = {"Type": "SpeakAndGetDigits", "Parameters": {**sounds, **limits, "InputDigitsRegex": "^1$"}}
    send = {"Type": "SendDigits", "Parameters": {"Digits": "," * 20 + "1", "ToneDurationInMilliseconds": 60000}}
    answers = {"CALL_ANSWERED": says(ask), "ACTION_SUCCESSFUL SpeakAndGetDigits": says(send), "ACTION_SUCCESSFUL SendDigits": says(HANGUP)}
    call = Call(tmp_path, answers).answered()
    call.go(60.0)
    assert call.types[-1] == "CALL_ANSWERED"
    call.order("press", text="1")
    call.until(lambda: "HANGUP" in call.types, within=120)
    call.ended()
    assert call.types.count("ACTION_SUCCESSFUL") == 2


def test_trait_11_no_digits_at_all_is_an_error_that_names_them(tmp_path: Path) -> None:
    send = {"Type": "SendDigits", "Parameters": {"Digits": "", "ToneDurationInMilliseconds": 100}}
    call = Call(tmp_path, {"CALL_ANSWERED": says(send), "ACTION_FAILED": says(HANGUP)}).answered().ended()
    assert call.action("ACTION_FAILED")["ErrorType"] == "InvalidActionParameter"


def test_traits_12_13_attributes_are_echoed_to_the_end_and_arguments_come_once(tmp_path: Path) -> None:
    kept = {"state": {"step": 1, "list": [1, None]}, "name": "Ada"}
    call = Call(tmp_path, {"NEW_OUTBOUND_CALL": {**PLAIN, "TransactionAttributes": kept}, "CALL_ANSWERED": says(SPEAK, HANGUP)})
    call.answered(arguments={"name": "Ada"}).ended()
    first, *later = call.events
    assert first["ActionData"] == {"Type": "CallCreateRequest", "Parameters": {"Arguments": {"name": "Ada"}}}
    assert "TransactionAttributes" not in first["CallDetails"]
    assert [event["CallDetails"]["TransactionAttributes"] for event in later] == [kept] * 3
    assert "ActionData" not in later[0]
    assert "ActionData" not in later[1]


def test_trait_13_without_arguments_there_is_no_action_data_and_an_update_has_its_own(tmp_path: Path) -> None:
    call = Call(tmp_path, {"CALL_UPDATE_REQUESTED": says(HANGUP)}).answered()
    assert "ActionData" not in call.only("NEW_OUTBOUND_CALL")
    call.update(call.only("CALL_ANSWERED")["CallDetails"]["TransactionId"], {"action": "end"})
    call.ended()
    assert call.action("CALL_UPDATE_REQUESTED") == {"Type": "CallUpdateRequest", "Parameters": {"Arguments": {"action": "end"}}}


@pytest.mark.parametrize("who", ["us", "callee"])
def test_traits_14_15_hangup_has_its_data_and_status_comes_with_the_answer(tmp_path: Path, who: str) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(HANGUP) if who == "us" else PLAIN}).answered()
    if who == "callee":
        call.order("hang_up")
    call.ended()
    parties = [event["CallDetails"]["Participants"][0] for event in call.events]
    assert [party.get("Status") for party in parties] == [None, None, "Connected", "Disconnected"]
    leg = {"CallId": parties[0]["CallId"], "ParticipantTag": "LEG-A"}
    assert call.action("HANGUP") == {"Type": "Hangup", "Parameters": {"SipResponseCode": 0, **leg}}


def test_trait_16_the_application_is_named_and_the_transaction_is_a_lower_case_uuid(tmp_path: Path) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(HANGUP)}).answered().ended()
    for event in call.events:
        details = event["CallDetails"]
        assert details["SipMediaApplicationId"] == "d408563b-4a60-4df7-bd59-82460adb1928"
        assert re.fullmatch(r"[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", details["TransactionId"])


def test_trait_17_errors_of_an_action_are_inside_and_those_of_a_reply_at_the_top(tmp_path: Path) -> None:
    missing = {"Type": "PlayAudio", "Parameters": {"AudioSource": {"Type": "S3", "BucketName": "b", "Key": "nothing.wav"}}}
    answers = {"CALL_ANSWERED": says(missing), "ACTION_FAILED": says("no action"), "INVALID_LAMBDA_RESPONSE": says(HANGUP)}
    call = Call(tmp_path, answers).answered().ended()
    failed, invalid = call.only("ACTION_FAILED"), call.only("INVALID_LAMBDA_RESPONSE")
    assert failed["ActionData"]["ErrorType"] == "InvalidAudioSource"
    assert failed["ActionData"]["ErrorMessage"] == "Cannot access S3 bucket or audio file."
    assert "ErrorType" not in failed
    assert invalid["ErrorType"] == "InvalidLambdaResponse"
    assert "ActionData" not in invalid


def test_trait_18_a_recording_can_be_played_back_at_once(tmp_path: Path) -> None:
    destination = {"Type": "S3", "BucketName": "messages", "Prefix": "box-"}
    wanted = {"DurationInSeconds": "2", "RecordingTerminators": ["#"], "RecordingDestination": destination}
    record = {"Type": "RecordAudio", "Parameters": wanted}

    def play(event: dict[str, Any]) -> Any:
        kept = event["ActionData"]["RecordingDestination"]
        source = {"Type": "S3", "BucketName": kept["BucketName"], "Key": kept["Key"]}
        return says({"Type": "PlayAudio", "Parameters": {"AudioSource": source, "Repeat": "1"}})

    answers = {
        "CALL_ANSWERED": says(record),
        "ACTION_SUCCESSFUL RecordAudio": play,
        "ACTION_SUCCESSFUL PlayAudio": says(HANGUP),
        "ACTION_FAILED": says(HANGUP),
    }
    call = Call(tmp_path, answers).answered().ended()
    assert [event["ActionData"]["Type"] for event in call.events[3:-1]] == ["RecordAudio", "PlayAudio"]
    assert "ACTION_FAILED" not in call.types


@pytest.mark.parametrize("event", ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"])
def test_trait_19_a_handler_that_throws_on_an_informational_event_ends_nothing(tmp_path: Path, event: str) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(SPEAK, HANGUP), event: raises}).answered()
    call.until(lambda: "HANGUP" in call.types)
    call.go(1.0)
    assert call.store.unfinished() == []
    assert "INVALID_LAMBDA_RESPONSE" not in call.types
    [ended] = call.phone.seen[-1:]
    assert type(ended).__name__ == "Over"


def test_trait_20_a_handler_may_take_eighteen_seconds(tmp_path: Path) -> None:
    call = Call(tmp_path, {"CALL_ANSWERED": says(SPEAK, HANGUP)}, handler_delay=18.0).answered()
    call.until(lambda: "HANGUP" in call.types, within=120)
    call.go(20.0)
    assert call.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert call.store.unfinished() == []
