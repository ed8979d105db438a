"""A whole node calls the carrier's subscribers in virtual time: real endpoints and engines on both sides, every packet simulated."""

from __future__ import annotations

import importlib.util
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outdial.carrier import SUBSCRIBERS
from outdial.model.records import CallEnded, Cdr, RecordingRow
from outdial.model.requests import Placed
from outdial.model.work import Save
from outdial.testing.network import Quality
from outdial.testing.world import World

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Records:
    """An observer: everything that the node saved."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        if isinstance(value, Save) and destination.startswith("store"):
            self.all += value.unit

    def one(self, kind: type) -> Any:
        (found,) = (record for record in self.all if isinstance(record, kind))
        return found


def world(tmp_path: Path, handler: Callable[[dict[str, Any]], Any], **more: Any) -> tuple[World, Records]:
    records = Records()
    return World(tmp_path, handler, subscribers=SUBSCRIBERS, observers=[records], **more), records


def reminder() -> Callable[[dict[str, Any]], Any]:
    """The handler of the demo, as it stands in examples/."""
    spec = importlib.util.spec_from_file_location("reminder", EXAMPLES / "handlers" / "reminder.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda event: module.handler(event, None)


def silent(event: dict[str, Any]) -> dict[str, Any]:
    return {"SchemaVersion": "1.0", "Actions": []}


def saying(*actions: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """Answers CALL_ANSWERED with these actions."""

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        answered = event["InvocationEventType"] == "CALL_ANSWERED"
        return {"SchemaVersion": "1.0", "Actions": list(actions) if answered else []}

    return handler


SPEAK = {"Type": "Speak", "Parameters": {"Text": "This is a sentence that takes a while."}}
HANG_UP = {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}


def over(records: Records) -> Callable[[], bool]:
    return lambda: any(isinstance(record, CallEnded) for record in records.all)


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05, 0.2])
def test_the_demo_call_with_loss(tmp_path: Path, loss: float) -> None:
    there, records = world(tmp_path, reminder(), quality=Quality(loss=loss), seed=7)
    assert isinstance(there.place(arguments={"name": "Ada", "when": "Tuesday at nine"}), Placed)
    there.until(over(records), within=400)
    assert there.types == [
        "NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "ACTION_SUCCESSFUL", "HANGUP",
    ]  # fmt: skip
    assert there.events[3]["ActionData"]["ReceivedDigits"] == "1"
    assert records.one(Cdr).termination.reason == "completed"
    finished = [record for record in records.all if isinstance(record, RecordingRow) and record.finished]
    with wave.open(finished[0].path) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.abs(samples).max() > 5000  # the callee speaks in it
    whats = [told.what for told in there.story]
    assert whats[:3] == ["called", "rings", "answered"]
    assert whats.count("pressed") == 1
    assert "said" in whats


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        ("+12065550156", 486, "busy"),
        ("+12065550158", 603, "rejected"),
        ("+12065550159", 404, "rejected"),
        ("+12065550160", 480, "no_answer"),
        ("+12065550166", 404, "rejected"),
        ("+12065550170", 503, "rejected"),
        ("+12065550172", 302, "rejected"),
    ],
)
def test_refusals_reach_the_record(tmp_path: Path, number: str, status: int, reason: str) -> None:
    there, records = world(tmp_path, silent)
    there.place(number)
    there.until(over(records), within=120)
    end = records.one(Cdr).termination
    assert (end.sip_status, end.reason, end.answered) == (status, reason, False)
    assert there.types[-1] == "HANGUP"
    if status == 302:
        (moved,) = (trace.data for trace in there.traces if trace.data.startswith(b"SIP/2.0 302"))
        assert b"\r\nContact: <sip:+12065550150@example.com>\r\n" in moved


def test_nobody_answers(tmp_path: Path) -> None:
    there, records = world(tmp_path, silent)
    there.place("+12065550157")
    there.until(over(records), within=200)
    assert records.one(Cdr).termination.reason == "no_answer"
    assert [told.what for told in there.story] == ["called", "rings", "gone"]


def test_the_callee_hangs_up_in_the_middle_of_our_word(tmp_path: Path) -> None:
    there, records = world(tmp_path, saying(SPEAK))
    there.place("+12065550162")
    there.until(over(records), within=60)
    assert (records.one(Cdr).termination.who, there.types[-1]) == ("callee", "HANGUP")
    assert "ACTION_SUCCESSFUL" not in there.types


def test_the_machine_hears_the_keys_that_we_press(tmp_path: Path) -> None:
    keys = {"Type": "SendDigits", "Parameters": {"Digits": ",,,,,,,,,,1234#", "ToneDurationInMilliseconds": 250}}
    there, records = world(tmp_path, saying(keys))
    there.place("+12065550169")
    there.until(lambda: any(told.what == "said" and told.text.startswith("You entered") for told in there.story), within=60)
    assert [told.text for told in there.story if told.what == "said"][-1] == "You entered 1 2 3 4."
    assert not over(records)()


def test_a_voicemail_that_hangs_up_while_it_is_recorded(tmp_path: Path) -> None:
    record = {
        "Type": "RecordAudio",
        "Parameters": {
            "DurationInSeconds": 60,
            "RecordingTerminators": ["#"],
            "RecordingDestination": {"Type": "S3", "BucketName": "b", "Prefix": "p"},
        },
    }
    there, records = world(tmp_path, saying(SPEAK, record))
    there.place("+12065550161")
    there.until(over(records), within=200)
    assert there.types[-2:] == ["ACTION_SUCCESSFUL", "HANGUP"]
    assert records.one(Cdr).termination.who == "callee"


@pytest.mark.parametrize("number", sorted(SUBSCRIBERS))
def test_every_subscriber_ends_and_leaves_one_record(tmp_path: Path, number: str) -> None:
    there, records = world(tmp_path, saying(SPEAK, HANG_UP))
    there.place(number)
    there.until(over(records), within=200)
    assert records.one(Cdr)
    assert there.types.count("HANGUP") == 1
    assert there.story[-1].what in ("gone", "refused", "hung_up")
