"""Every event that an outbound call can have, whole: its keys, their order, which are absent (reference 2, 3, 5, 6, 8).

Expectations are written from the reference's shapes; texts are compared, so that an extra key or another order fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.lines import S3, Event, Line, act, raising
from outdial.api import sip_headers
from outdial.model.requests import Refused, Updated
from outdial.testing.world import APPLICATION, EPOCH_MS

ATTRIBUTES = {"state": {"step": [1, 2]}, "ünï": "✓"}
BUCKET = {"Type": "S3", "BucketName": "in", "Prefix": "p"}
SPEAK = act("Speak", Text="Hello")
LONG = act("PlayAudio", AudioSource={**S3, "Key": "long.wav"})


def expected(
    line: Line, kind: str, sequence: int, data: Any = None, *, status: str | None = "Connected", attributes: Any = None, **top: str
) -> str:
    """The event as the reference has it."""
    participant = {
        "CallId": line.events[0]["CallDetails"]["Participants"][0]["CallId"],
        "ParticipantTag": "LEG-A",
        "To": "+12065550150",
        "From": "+12065550100",
        "Direction": "Outbound",
        "StartTimeInMilliseconds": str(EPOCH_MS + 1_000_000),
        **({} if status is None else {"Status": status}),
    }
    event = {
        "SchemaVersion": "1.0",
        "Sequence": sequence,
        "InvocationEventType": kind,
        **({} if data is None else {"ActionData": data}),
        "CallDetails": {
            "TransactionId": line.call,
            **({} if attributes is None else {"TransactionAttributes": attributes}),
            "AwsAccountId": "000000000000",
            "AwsRegion": "us-east-1",
            "SipMediaApplicationId": APPLICATION.id,
            "Participants": [participant],
        },
        **top,
    }
    return json.dumps(event)


def leg(line: Line) -> dict[str, str]:
    return {"CallId": line.events[0]["CallDetails"]["Participants"][0]["CallId"], "ParticipantTag": "LEG-A"}


def hangup(line: Line, code: int = 0) -> dict[str, Any]:
    return {"Type": "Hangup", "Parameters": {"SipResponseCode": code, **leg(line)}}


def compare(line: Line, *wanted: str) -> None:
    assert [json.dumps(event) for event in line.events] == list(wanted)


def test_every_kind_of_event_of_one_call(tmp_path: Path) -> None:
    listen = act(
        "ReceiveDigits", InputDigitsRegex="^\\d{2}#$", InBetweenDigitsDurationInMilliseconds="300", FlushDigitsDurationInMilliseconds=5000
    )
    record = act(
        "RecordAudio", CallId="", DurationInSeconds="10", SilenceDurationInSeconds=3, SilenceThreshold="100",
        RecordingTerminators=["#", "1"], RecordingDestination=BUCKET,
    )  # fmt: skip
    ask = act(
        "SpeakAndGetDigits", SpeechParameters={"Text": "Press", "Engine": "Neural"}, FailureSpeechParameters={"Text": "Sorry"},
        InputDigitsRegex="[0-9]", MinNumberOfDigits="1", Repeat="1", RepeatDurationInMilliseconds=1000, Unknown="x",
    )  # fmt: skip
    line = Line(
        tmp_path,
        {
            "NEW_OUTBOUND_CALL": {"SchemaVersion": "1.0", "Actions": [SPEAK], "TransactionAttributes": ATTRIBUTES},
            "RINGING": "()",
            "CALL_ANSWERED": [listen, LONG],
            "CALL_UPDATE_REQUESTED": [record],
            "ACTION_INTERRUPTED": {"SchemaVersion": "1.0", "Actions": [act("Hangup")], "TransactionAttributes": {}},
            "ACTION_SUCCESSFUL": {"SchemaVersion": "1.0", "TransactionAttributes": {"n": 1}, "Actions": [ask]},
            "ACTION_FAILED": {"SchemaVersion": "1.0", "Actions": "Hangup"},
            "INVALID_LAMBDA_RESPONSE": [act("Hangup", SipResponseCode="0", ParticipantTag="")],
        },
    )
    line.connect(arguments={"key1": "val1", "empty": ""})
    line.press("11#", after=0.3)
    line.until("DIGITS_RECEIVED")
    line.update(action="record")
    line.until("ACTION_INTERRUPTED")
    line.press("#", after=1.0)
    line.until("HANGUP")
    line.world.go(5.0)
    one = {"n": 1}
    recorded = {"Type": "S3", "BucketName": "in", "Key": f"p/{leg(line)['CallId']}-0.wav"}
    compare(
        line,
        expected(
            line, "NEW_OUTBOUND_CALL", 1, status=None,
            data={"Type": "CallCreateRequest", "Parameters": {"Arguments": {"key1": "val1", "empty": ""}}},
        ),
        expected(line, "RINGING", 2, status=None, attributes=ATTRIBUTES),
        expected(line, "CALL_ANSWERED", 3, attributes=ATTRIBUTES),
        expected(
            line, "DIGITS_RECEIVED", 4, attributes=ATTRIBUTES,
            data={
                "ReceivedDigits": "11#", "Type": "ReceiveDigits",
                "Parameters": {
                    **leg(line), "InputDigitsRegex": "^\\d{2}#$", "InBetweenDigitsDurationInMilliseconds": 300,
                    "FlushDigitsDurationInMilliseconds": 5000,
                },
            },
        ),
        expected(
            line, "CALL_UPDATE_REQUESTED", 5, attributes=ATTRIBUTES,
            data={"Type": "CallUpdateRequest", "Parameters": {"Arguments": {"action": "record"}}},
        ),
        expected(
            line, "ACTION_INTERRUPTED", 6, attributes=ATTRIBUTES,
            data={"Type": "PlayAudio", "Parameters": {**leg(line), "Repeat": 1, "AudioSource": {**S3, "Key": "long.wav"}}},
        ),
        expected(
            line, "ACTION_SUCCESSFUL", 7,
            data={
                "Type": "RecordAudio",
                "Parameters": {
                    **leg(line), "DurationInSeconds": 10, "SilenceDurationInSeconds": 3, "SilenceThreshold": 100,
                    "RecordingTerminators": ["#", "1"], "RecordingDestination": BUCKET,
                },
                "RecordingDestination": recorded,
                "RecordingTerminatorUsed": "#",
            },
        ),
        expected(
            line, "ACTION_FAILED", 8, attributes=one,
            data={
                "Type": "SpeakAndGetDigits",
                "Parameters": {
                    **leg(line), "InputDigitsRegex": "[0-9]", "MinNumberOfDigits": 1, "InBetweenDigitsDurationInMilliseconds": 1000,
                    "Repeat": 1, "RepeatDurationInMilliseconds": 1000, "SpeechParameters": {"Text": "Press", "Engine": "Neural"},
                    "FailureSpeechParameters": {"Text": "Sorry"},
                },
                "ErrorType": "InvalidDigitsReceived",
                "ErrorMessage": line.events[7]["ActionData"]["ErrorMessage"],
            },
        ),
        expected(
            line, "INVALID_LAMBDA_RESPONSE", 9, attributes=one, ErrorType=line.events[8]["ErrorType"],
            ErrorMessage="Error while reading actions list.",
        ),
        expected(line, "HANGUP", 10, data=hangup(line), status="Disconnected", attributes=one),
    )  # fmt: skip


def test_without_arguments_and_ringing(tmp_path: Path) -> None:
    line = Line(tmp_path, {"CALL_ANSWERED": {"SchemaVersion": "1.0"}})
    line.place()
    line.world.order("answer")
    line.until("CALL_ANSWERED")
    line.hang_up(after=60.0)  # no action at all: the call stays up (reference 6.3, 7)
    line.until("HANGUP")
    line.world.go(2.0)
    compare(
        line,
        expected(line, "NEW_OUTBOUND_CALL", 1, status=None),
        expected(line, "CALL_ANSWERED", 2),
        expected(line, "HANGUP", 3, data=hangup(line), status="Disconnected"),
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(486, 486), (600, 486), (480, 480), (408, 480), (487, 480), (404, 404), (403, 403), (484, 484), (488, 488), (500, 500), (503, 503),
     (603, 603), (604, 604), (302, 302), (410, 410)],
)  # fmt: skip
@pytest.mark.parametrize("rings", [False, True])
def test_a_final_status_is_hangup_with_its_code(tmp_path: Path, status: int, code: int, rings: bool) -> None:
    """Reference 3.3 and 18, DESIGN 3.5: 486 and 600 are busy, 480, 408, 487 no answer, the rest is passed on."""
    line = Line(tmp_path)
    line.place()
    if rings:
        line.world.order("ring")
        line.until("RINGING")
    line.world.order("reject", status=status)
    line.until("HANGUP")
    line.world.go(40.0)
    ringing = [expected(line, "RINGING", 2, status=None)] if rings else []
    last = expected(line, "HANGUP", 3 if rings else 2, data=hangup(line, code), status="Disconnected")
    compare(line, expected(line, "NEW_OUTBOUND_CALL", 1, status=None), *ringing, last)


def test_nobody_answers_and_nothing_ever_comes(tmp_path: Path) -> None:
    """Rings for ever: 480 at the ring limit. Never any response: 480 too (reference 3.3, last row)."""
    line = Line(tmp_path)
    line.place()
    line.world.order("ring")
    began = line.world.now
    assert line.until("HANGUP")["ActionData"] == hangup(line, 480)
    assert line.world.now - began == pytest.approx(90.0, abs=1.0)
    line.world.go(40.0)
    assert line.types == ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"]
    silent = Line(tmp_path)
    silent.world.network.drop = lambda data, source, destination: True
    placed = silent.world.place()
    silent.call = placed.call  # type: ignore[union-attr]
    assert silent.until("HANGUP")["ActionData"] == hangup(silent, 480)
    assert silent.types == ["NEW_OUTBOUND_CALL", "HANGUP"]


def test_ringing_is_one_event_whatever_rings(tmp_path: Path) -> None:
    """One on the first 180 or 183; other progress is none (reference 3.2, 18)."""
    line = Line(tmp_path)
    line.place()
    line.world.order("ring", status=181)
    line.world.go(1.0)
    assert line.types == ["NEW_OUTBOUND_CALL"]
    line.world.order("early")
    line.world.go(1.0)
    for status in (180, 182, 183, 180):
        line.world.order("ring", status=status)
        line.world.go(0.5)
    assert line.types == ["NEW_OUTBOUND_CALL", "RINGING"]


def test_sip_headers_of_the_request_go_out_and_are_in_no_event(tmp_path: Path) -> None:
    """Reference 3.2 and 11.2."""
    line = Line(tmp_path)
    line.connect(sip_headers={"X-Test-Value": "String", "User-to-User": "616d61;encoding=hex"}).end()
    incoming = line.world.phone.incoming
    assert incoming is not None
    sent = dict(incoming.headers)
    assert (sent["X-Test-Value"], sent["User-to-User"]) == ("String", "616d61;encoding=hex")
    assert "SipHeaders" not in json.dumps(line.events)
    assert "X-Test-Value" not in json.dumps(line.events)


def test_the_longest_headers_that_the_api_takes_fit_into_an_invite(tmp_path: Path) -> None:
    """Reference 11.1: 20 headers of 2,048 characters each."""
    headers = {f"X-{n:0>254}": "v" * 2048 for n in range(20)}
    sip_headers.check(headers)
    line = Line(tmp_path).connect(sip_headers=headers)
    incoming = line.world.phone.incoming
    assert incoming is not None
    assert headers.items() <= dict(incoming.headers).items()
    assert max(len(trace.data) for trace in line.world.traces) < 65_507


def test_an_update_of_a_ringing_call_is_accepted_told_and_cannot_end_it(tmp_path: Path) -> None:
    """Reference 3.3 and 5 (issue 2756)."""
    line = Line(tmp_path, {"CALL_UPDATE_REQUESTED": [act("Hangup", SipResponseCode="0")]})
    line.place()
    line.world.order("ring")
    line.until("RINGING")
    assert isinstance(line.update(do="hang up"), Updated)
    event = line.until("CALL_UPDATE_REQUESTED")
    assert "Status" not in event["CallDetails"]["Participants"][0]
    line.world.go(5.0)
    line.world.order("answer")
    line.until("CALL_ANSWERED")
    assert line.end().types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_UPDATE_REQUESTED", "CALL_ANSWERED", "HANGUP"]


def test_an_update_of_an_ended_call_or_of_another_application_finds_nothing(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.connect()
    other = line.world.update(line.call, {}, application="d408563b-0000-4df7-bd59-82460adb1928")  # type: ignore[arg-type]
    assert isinstance(other, Refused)
    assert other.refusal.reason == "no_call"
    line.end()
    ended = line.update(a="b")
    assert isinstance(ended, Refused)
    assert ended.refusal.reason == "no_call"


def test_attributes_are_told_apart_as_json_does(tmp_path: Path) -> None:
    """Whole replacement (reference 7): true is not 1, 1.0 is not 1, and an order of keys is kept."""
    values: tuple[Any, ...] = (
        {"a": 1},
        {"a": True},
        {"a": 1.0},
        {"a": False},
        {"a": 0},
        {"b": 1, "a": 2},
        {"a": 2, "b": 1},
        None,
        {},
        None,
    )
    replies = iter(values)

    def handler(event: Event) -> Any:
        return {"SchemaVersion": "1.0", "Actions": [act("Pause", DurationInMilliseconds=20)], "TransactionAttributes": next(replies)}

    line = Line(tmp_path, {"CALL_ANSWERED": handler, "ACTION_SUCCESSFUL": (*[handler] * (len(values) - 1), [])})
    line.connect()
    line.until("ACTION_SUCCESSFUL", times=len(values))
    seen = [json.dumps(event["CallDetails"].get("TransactionAttributes")) for event in line.all("ACTION_SUCCESSFUL")]
    kept = [*(json.dumps(value) for value in values[:7]), json.dumps(values[6]), "null", "null"]
    assert seen == kept


def test_a_handler_that_throws_on_what_is_informational_ends_nothing(tmp_path: Path) -> None:
    """Trait 19: NEW_OUTBOUND_CALL, RINGING, ACTION_INTERRUPTED and the last HANGUP."""
    boom = raising(RuntimeError("no row yet"))
    answers = {
        "NEW_OUTBOUND_CALL": boom, "RINGING": boom, "ACTION_INTERRUPTED": boom, "HANGUP": boom, "CALL_ANSWERED": [LONG],
        "CALL_UPDATE_REQUESTED": [act("Pause", DurationInMilliseconds=100)],
    }  # fmt: skip
    line = Line(tmp_path, answers)
    line.connect()
    line.world.go(1.0)
    line.update(a="b")
    line.until("ACTION_SUCCESSFUL Pause")
    line.end()
    assert list(dict.fromkeys(line.types)) == [
        "NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "CALL_UPDATE_REQUESTED", "ACTION_INTERRUPTED", "ACTION_SUCCESSFUL", "HANGUP",
    ]  # fmt: skip
    numbers = [event["Sequence"] for event in line.events]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


def test_an_echo_that_would_make_an_event_too_long_is_cut_and_the_call_goes_on(tmp_path: Path) -> None:
    """An event is at most 256 kB (processes 2.1); 300 kB of text fail the action that asked for them, and nothing else."""
    line = Line(tmp_path, {"CALL_ANSWERED": [act("Speak", Text="x" * 300_000, VoiceId="Amy")], "ACTION_FAILED": [SPEAK]})
    line.connect()
    data = line.until("ACTION_FAILED")["ActionData"]
    assert data["Parameters"] == {**leg(line), "VoiceId": "Amy"}
    assert (data["ErrorType"], data["ErrorMessage"]) == ("MissingRequiredActionParameter", "Text is limited to 1,000 characters")
    line.until("ACTION_SUCCESSFUL Speak")
