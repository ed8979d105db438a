"""Lists, updates, replies and failures of a whole call, as the reference's sections 5, 6, 8, 9 and 10 have them, seen from the handler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.lines import S3, Event, Line, act, raising
from outdial.model.ids import CallId
from outdial.model.settings import CallSettings, InvocationSettings, Trunk
from outdial.store import read
from outdial.testing.world import THEM, US

BUCKET = {"Type": "S3", "BucketName": "in"}
SPEAK = act("Speak", Text="Hello, this is a reminder.")
ASK_WAV = act("PlayAudio", AudioSource={**S3, "Key": "ask.wav"})
LONG = act("PlayAudio", AudioSource={**S3, "Key": "long.wav"})
SECOND = act("Pause", DurationInMilliseconds="1000")
RECORD = act("RecordAudio", DurationInSeconds="2", RecordingTerminators=["#"], RecordingDestination=BUCKET)
HANGUP = act("Hangup", SipResponseCode="0")
GET = {
    "AudioSource": {**S3, "Key": "ask.wav"}, "FailureAudioSource": {**S3, "Key": "sorry.wav"}, "RepeatDurationInMilliseconds": 2000,
}  # fmt: skip


def told(line: Line, start: int = 3) -> list[str]:
    """Events after CALL_ANSWERED, each with its action."""
    return [f"{event['InvocationEventType']} {event.get('ActionData', {}).get('Type', '')}".rstrip() for event in line.events[start:]]


def answered(folder: Path, actions: Any, **more: Any) -> Line:
    answers = {"CALL_ANSWERED": actions, **more.pop("answers", {})}
    return Line(folder, answers, **more).connect()


@pytest.mark.parametrize(
    ("actions", "events"),
    [
        ([SPEAK, ASK_WAV], ["ACTION_SUCCESSFUL PlayAudio"]),
        ([SECOND, SPEAK], ["ACTION_SUCCESSFUL Speak"]),
        ([ASK_WAV, HANGUP], ["HANGUP Hangup"]),
        ([SECOND, ASK_WAV, HANGUP], ["HANGUP Hangup"]),
        ([SPEAK, {"Type": "Hangup"}, SPEAK, SPEAK], ["HANGUP Hangup"]),
        ([SECOND, RECORD, ASK_WAV], ["ACTION_SUCCESSFUL RecordAudio", "ACTION_SUCCESSFUL PlayAudio"]),
        ([RECORD, SECOND, HANGUP], ["ACTION_SUCCESSFUL RecordAudio", "HANGUP Hangup"]),
        ([act("SendDigits", Digits="12,3"), SECOND], ["ACTION_SUCCESSFUL Pause"]),
        ([SECOND, act("SendDigits", Digits="12,3")], ["ACTION_SUCCESSFUL SendDigits"]),
        ([SECOND, act("PlayAudio", AudioSource={**S3, "Key": "nothing.wav"}), HANGUP], ["ACTION_FAILED PlayAudio"]),
        ([act("VoiceFocus", Enable="True"), HANGUP], ["ACTION_FAILED VoiceFocus"]),
        ([act("Pause", DurationInMilliseconds="soon"), HANGUP], ["ACTION_FAILED Pause"]),
        ([act("Hangup", ParticipantTag="LEG-B"), SPEAK], ["ACTION_FAILED Hangup"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_list_reports(tmp_path: Path, actions: list[Any], events: list[str]) -> None:
    """Reference 6.3, points 2 to 5, with empty answers to every report: the rest goes on; a failure clears it."""
    line = answered(tmp_path, actions)
    line.world.go(20.0)
    assert told(line) == events
    assert [event["Sequence"] for event in line.events] == list(range(1, len(line.events) + 1))


def test_an_answer_to_a_report_in_mid_list_replaces_the_rest(tmp_path: Path) -> None:
    """Reference 6.3 point 5, the workshop's example with what is served."""
    line = answered(tmp_path, [SECOND, RECORD, LONG], answers={"ACTION_SUCCESSFUL RecordAudio": [SECOND, ASK_WAV]})
    line.until("ACTION_SUCCESSFUL PlayAudio")
    line.world.go(40.0)
    assert told(line) == ["ACTION_SUCCESSFUL RecordAudio", "ACTION_SUCCESSFUL PlayAudio"]


def test_the_rest_waits_while_the_report_is_with_the_handler(tmp_path: Path) -> None:
    """DESIGN 3.3: while the report of a mid-list action waits or is in flight, the rest of its list waits."""
    line = answered(tmp_path, [RECORD, SECOND], handler_delay=3.0)
    reported = line.until("ACTION_SUCCESSFUL RecordAudio")
    assert reported
    began = line.world.now
    line.until("ACTION_SUCCESSFUL Pause")
    assert line.world.now - began == pytest.approx(3.0 + 1.0, abs=0.1)


def test_every_update_interrupts_what_can_be_interrupted(tmp_path: Path) -> None:
    """Reference 5, points 1 to 5, and the order: ACTION_INTERRUPTED, then what the new list brings."""
    answers: dict[str, Any] = {"CALL_UPDATE_REQUESTED": ([LONG], [], [RECORD], [SECOND])}
    line = answered(tmp_path, [SPEAK, LONG], answers=answers)
    line.world.go(0.3)
    for _ in range(4):
        line.update(turn="next")
        line.world.go(0.5)
    line.until("ACTION_SUCCESSFUL Pause")
    assert told(line) == [
        "CALL_UPDATE_REQUESTED CallUpdateRequest", "ACTION_INTERRUPTED Speak",
        "CALL_UPDATE_REQUESTED CallUpdateRequest",
        "CALL_UPDATE_REQUESTED CallUpdateRequest", "ACTION_INTERRUPTED PlayAudio",
        "CALL_UPDATE_REQUESTED CallUpdateRequest", "ACTION_INTERRUPTED RecordAudio",
        "ACTION_SUCCESSFUL Pause",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "running",
    [act("PlayAudioAndGetDigits", **GET), act("SendDigits", Digits=",,,,,,"), act("SpeakAndGetDigits", SpeechParameters={"Text": "Hi"},
     FailureSpeechParameters={"Text": "No"}, RepeatDurationInMilliseconds=2000)],
    ids=lambda one: one["Type"],
)  # fmt: skip
def test_what_cannot_be_interrupted_completes_first(tmp_path: Path, running: dict[str, Any]) -> None:
    """Reference 5 point 4 and 10.18."""
    line = answered(tmp_path, [running, LONG], answers={"CALL_UPDATE_REQUESTED": [SECOND]})
    line.world.go(0.5)
    line.update(a="b")
    line.until("ACTION_SUCCESSFUL Pause")
    assert "ACTION_INTERRUPTED" not in line.types
    assert "ACTION_SUCCESSFUL PlayAudio" not in told(line)


def test_keys_pressed_before_an_action_are_not_its_own(tmp_path: Path) -> None:
    """Reference 10.6: outside of a listener and of GetDigits keys are discarded; 10.2: a terminator stops its own playback only."""
    play = act("PlayAudio", AudioSource={**S3, "Key": "ask.wav"}, PlaybackTerminators=["1"], Repeat="3")
    line = answered(tmp_path, [SECOND, play, act("PlayAudioAndGetDigits", **GET, MinNumberOfDigits=1, MaxNumberOfDigits=2)])
    answered_at = line.world.now
    line.press("1", after=0.3)  # during the pause
    line.press("2", after=1.2)  # during the audio: no terminator of it
    event = line.until("ACTION_FAILED PlayAudioAndGetDigits")
    assert event["ActionData"]["ErrorType"] == "InvalidDigitsReceived"
    assert line.world.now - answered_at == pytest.approx(1.0 + 3.0 + (1.0 + 2.0 + 1.0), abs=0.2)


@pytest.mark.parametrize(
    ("parameters", "digits", "received"),
    [
        ({"MinNumberOfDigits": 6, "MaxNumberOfDigits": 6, "InputDigitsRegex": "[0-9]"}, "123456", "123456"),  # trait 6
        ({"InputDigitsRegex": "^[1][0-9]"}, "1234#", "1234"),
        ({"InputDigitsRegex": "^(?!1900)1[0-9]{10}", "MaxNumberOfDigits": 11}, "12065550100", "12065550100"),
        ({"InputDigitsRegex": "^(?!1900)1[0-9]{10}", "MaxNumberOfDigits": 11}, "19005550100", None),
        ({"InputDigitsRegex": "[0-1]$", "MaxNumberOfDigits": "1"}, "2", None),
        ({"InputDigitsRegex": r"^\d{2}#$"}, "12#", "12"),
        ({"InputDigitsRegex": "", "MaxNumberOfDigits": "3", "MinNumberOfDigits": "0"}, "12", "12"),
        ({"InputDigitsRegex": ".*"}, "", ""),
        ({"MinNumberOfDigits": 0, "Repeat": 9999, "RepeatDurationInMilliseconds": 3000}, "", ""),
        ({"MinNumberOfDigits": 3, "TerminatorDigits": ["*", "0"]}, "12#0", "12#"),
        ({"TerminatorDigits": ["*"]}, "#1*", "#1"),
    ],
    ids=str,
)
def test_digits_and_expressions_in_use(tmp_path: Path, parameters: dict[str, Any], digits: str, received: str | None) -> None:
    """Reference 10.3 and real-handlers trait 6: searched, not matched whole; terminators stripped."""
    line = answered(tmp_path, [act("PlayAudioAndGetDigits", **{**GET, **parameters})])
    if digits:
        line.press(digits, after=1.1)
    line.world.until(lambda: len(line.events) > 3)
    data = line.events[3]["ActionData"]
    assert data.get("ReceivedDigits") == received
    assert data.get("ErrorType") == (None if received is not None else "InvalidDigitsReceived")


def test_the_callee_goes_while_something_runs(tmp_path: Path) -> None:
    """Only RecordAudio still reports (DESIGN 3.3), with the leg Disconnected, and before HANGUP."""
    for number, running in enumerate((SPEAK, LONG, SECOND, act("PlayAudioAndGetDigits", **GET), act("SendDigits", Digits="1" * 50))):
        line = answered(tmp_path / str(number), [running, SECOND])
        line.hang_up(after=0.3).until("HANGUP")
        line.world.go(5.0)
        assert told(line) == ["HANGUP Hangup"]
    line = answered(tmp_path, [RECORD, SECOND], answers={"ACTION_SUCCESSFUL": [SPEAK]})
    line.hang_up(after=0.8).until("HANGUP")
    line.world.go(5.0)
    assert told(line) == ["ACTION_SUCCESSFUL RecordAudio", "HANGUP Hangup"]
    assert [event["CallDetails"]["Participants"][0]["Status"] for event in line.events[3:]] == ["Disconnected"] * 2


def test_a_reply_that_comes_after_the_end_is_kept_for_its_attributes_only(tmp_path: Path) -> None:
    """Reference 18: let the handler finish, ignore its actions for the dead leg, then send HANGUP."""
    reply = {"SchemaVersion": "1.0", "Actions": [SPEAK], "TransactionAttributes": {"late": True}}
    line = answered(tmp_path, reply, handler_delay=4.0)
    line.hang_up(after=1.0).until("HANGUP")
    line.world.go(10.0)
    assert told(line) == ["HANGUP Hangup"]
    assert line.events[-1]["CallDetails"]["TransactionAttributes"] == {"late": True}
    assert line.world.studio.spoken == []


@pytest.mark.parametrize(("code", "seen"), [("0", 0), (480, 480), ("486", 486), (None, 0), ("", 0), ("200", 200), (500, 500)])
def test_the_code_of_the_applications_hangup(tmp_path: Path, code: Any, seen: int) -> None:
    """Reference 10.9: string or number, echoed as an integer in HANGUP; DESIGN 3.5: the code that the application's Hangup named."""
    line = answered(tmp_path, [act("Hangup", SipResponseCode=code, CallId="", ParticipantTag="")])
    assert line.until("HANGUP")["ActionData"]["Parameters"]["SipResponseCode"] == seen


WRONG_SCHEMA = "The schema version in the invocation request does not match the schema version in the response."
UNREADABLE = "Error while reading actions list."


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ('"Hello"', UNREADABLE),
        ("[]", UNREADABLE),
        ("{", UNREADABLE),
        ({"schemaVersion": "1.0", "actions": []}, WRONG_SCHEMA),
        ({"Actions": [HANGUP]}, WRONG_SCHEMA),
        ({"SchemaVersion": "2.0", "Actions": [HANGUP]}, WRONG_SCHEMA),
        ({"SchemaVersion": "1.0", "Actions": {"Type": "Hangup"}}, UNREADABLE),
        ({"SchemaVersion": "1.0", "Actions": [[HANGUP]]}, UNREADABLE),
        ({"SchemaVersion": "1.0", "Actions": [""]}, UNREADABLE),
        ({"SchemaVersion": "1.0", "Actions": [{"Parameters": {}}]}, UNREADABLE),
        ({"SchemaVersion": "1.0", "Actions": [SECOND] * 11}, "Too many actions specified in a response."),
        ({"SchemaVersion": "1.0", "Actions": [SECOND, {"Type": "Answer"}]}, "Unsupported action Answer specified"),
        ({"SchemaVersion": "1.0", "Actions": [HANGUP], "TransactionAttributes": {str(n): n for n in range(101)}},
         "Transaction Attributes has too many mappings. Maximum number of mappings is 100"),
        ('{"SchemaVersion":"1.0","Actions":[],"x":' + "[" * 101 + "]" * 101 + "}", UNREADABLE),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_bad_reply_is_told_once_and_a_second_in_a_row_ends_the_call(tmp_path: Path, reply: Any, message: str) -> None:
    """Reference 8 and DESIGN 3.3, row by row: nothing of it is run or kept."""
    good = {"SchemaVersion": "1.0", "TransactionAttributes": {"kept": 1}}
    line = answered(tmp_path, reply, answers={"RINGING": good, "INVALID_LAMBDA_RESPONSE": ([SECOND],)})
    event = line.until("INVALID_LAMBDA_RESPONSE")
    assert event["ErrorMessage"] == message
    assert "ActionData" not in event
    assert event["CallDetails"]["TransactionAttributes"] == {"kept": 1}
    line.until("ACTION_SUCCESSFUL Pause")  # a prompt and whatever follows: the call goes on
    line.answers["CALL_UPDATE_REQUESTED"] = reply
    line.answers["INVALID_LAMBDA_RESPONSE"] = reply
    line.update(a="b")
    line.until("HANGUP")
    line.world.go(2.0)
    assert told(line) == [
        "INVALID_LAMBDA_RESPONSE", "ACTION_SUCCESSFUL Pause", "CALL_UPDATE_REQUESTED CallUpdateRequest", "INVALID_LAMBDA_RESPONSE",
        "HANGUP Hangup",
    ]  # fmt: skip
    assert reason(line) == "handler_invalid"
    assert line.events[-1]["ActionData"]["Parameters"]["SipResponseCode"] == 0


def reason(line: Line) -> str:
    """Of the one CDR."""
    with line.world.store.read() as connection:
        history = read.history(connection, CallId(line.call))
    assert history is not None
    assert history.cdr is not None
    return history.cdr.termination.reason


@pytest.mark.parametrize("reply", ["null", "", '""'])
def test_a_blank_reply_is_not_repeated_and_ends_the_call(tmp_path: Path, reply: str) -> None:
    line = answered(tmp_path, reply)
    line.until("HANGUP")
    line.world.go(2.0)
    assert told(line) == ["HANGUP Hangup"]
    assert reason(line) == "handler_failed"


def test_a_handler_that_throws_is_given_the_same_event_once_more_then_the_call_ends(tmp_path: Path) -> None:
    line = answered(tmp_path, raising(KeyError("x")))
    line.until("HANGUP")
    line.world.go(2.0)
    assert line.events[2] == line.events[3]  # the same Sequence, the same bytes (reference 18, Retry)
    assert told(line, 4) == ["HANGUP Hangup"]
    assert line.events[-1]["Sequence"] == 4
    assert reason(line) == "handler_failed"


def test_a_handler_that_hangs_ends_the_call_after_twenty_seconds(tmp_path: Path) -> None:
    line = Line(tmp_path, invocations=InvocationSettings())
    line.place()
    line.world.order("ring")
    line.until("RINGING")
    line.world.order("answer")
    line.until("CALL_ANSWERED")
    line.world.handler_delay = 1000.0
    line.update(a="b")
    line.until("CALL_UPDATE_REQUESTED")
    began = line.world.now
    line.until("HANGUP")
    assert line.world.now - began == pytest.approx(20.0, abs=0.1)


def test_strict_limits_of_invocations(tmp_path: Path) -> None:
    """Reference 6.1: at most 1,000 a call; DESIGN 3.3: the 1,001st ends it under strict limits."""
    settings = CallSettings(
        local_host=US, recordings=str(tmp_path), trunk=Trunk(name="trunk", uri=f"sip:{THEM}"), limits="strict", max_invocations=1000
    )
    listen = act("ReceiveDigits", InputDigitsRegex="1", InBetweenDigitsDurationInMilliseconds=100, FlushDigitsDurationInMilliseconds=200)
    line = answered(tmp_path, [listen], answers={"ACTION_SUCCESSFUL": [listen]}, settings=settings)
    line.until("HANGUP")
    line.world.go(5.0)
    assert (line.events[-2]["Sequence"], line.types.count("HANGUP")) == (1000, 1)


def test_a_wrong_answer_to_what_is_ignored_is_ignored(tmp_path: Path) -> None:
    """Traits 1 and 2."""
    junk: list[Any] = ["[]", {"Actions": None}, [HANGUP], '""', {"SchemaVersion": "1.0", "Actions": [[SPEAK]]},
                       {"SchemaVersion": "1.0", "Actions": [""]}]  # fmt: skip
    for number, reply in enumerate(junk):
        answers: dict[str, Any] = {"NEW_OUTBOUND_CALL": reply, "RINGING": reply, "HANGUP": reply}
        line = Line(tmp_path / str(number), answers).connect()
        assert line.end().types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]


def test_a_prompt_of_1000_characters_and_ssml(tmp_path: Path) -> None:
    """Reference 13.2; the echo holds what was given, in the given spelling."""
    ssml = '<speak>Your code is <say-as interpret-as="number:digits">1234</say-as><break time="9000ms"/></speak>'
    given: Event = {"Text": ssml, "Engine": "Neural", "LanguageCode": "en-GB", "TextType": "ssml", "VoiceId": "Amy"}
    line = answered(tmp_path, [act("Speak", Text="x" * 1000), act("Speak", **given, Extra={"a": 1})])
    parameters = line.until("ACTION_SUCCESSFUL Speak")["ActionData"]["Parameters"]
    assert {name: parameters[name] for name in given} == given
    assert set(parameters) == {*given, "CallId", "ParticipantTag"}
