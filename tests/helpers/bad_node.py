"""A live node whose function `bad` misbehaves as a call's argument `how` says, with a healthy function `steady` beside it."""

from __future__ import annotations

import json
import struct
import wave
from pathlib import Path
from typing import Any

from helpers.live_node import ARN, LiveNode
from helpers.steady import STAYS, STEADY
from outdial.model.events import HungUp
from outdial.model.ids import CallId
from outdial.model.records import NoteRow
from outdial.model.resources import CallHistory
from outdial.store import read
from outdial.store.folder import Layout

BAD = """
import ctypes
import json
import os
import sys
import time

OK = {"SchemaVersion": "1.0"}
HANGUP = {"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}}


def says(*actions, **more):
    return {**OK, "Actions": list(actions), **more}


def hangs():
    while True:
        pass


def prints():
    for _ in range(12_800):
        sys.stdout.write("x" * 8191 + "\\n")
    return says(HANGUP)


def raises():
    raise KeyError("no such step")


def deep_ssml():
    text = "<speak>" + "<p>" * 1000 + "x" + "</p>" * 1000 + "</speak>"
    return says({"Type": "Speak", "Parameters": {"Text": text, "TextType": "ssml"}})


HOW = {
    "hangs": hangs,
    "prints": prints,
    "raises": raises,
    "exits": lambda: os._exit(3),
    "breaks the interpreter": lambda: ctypes.string_at(0),
    "10 MB": lambda: says(HANGUP, more="x" * 10_000_000),
    "text": lambda: "Hello",
    "nothing": lambda: None,
    "a number": lambda: 7,
    "a list": lambda: [HANGUP],
    "actions as text": lambda: says() | {"Actions": "Hangup"},
    "a number as type": lambda: says({"Type": 5}),
    "no type": lambda: says({"Parameters": {}}),
    "a list as parameters": lambda: says({"Type": "Speak", "Parameters": []}),
    "another version": lambda: says(HANGUP) | {"SchemaVersion": 2},
    "attributes as text": lambda: says(HANGUP, TransactionAttributes="x"),
    "an unknown action": lambda: says({"Type": "speak"}),
    "too deep": lambda: says(HANGUP, more=json.loads("[" * 900 + "]" * 900)),
    "late": lambda: says(HANGUP),
    "stays": says,
    "deep ssml": deep_ssml,
}


def handler(event, context):
    kind = event["InvocationEventType"]
    if kind == "NEW_OUTBOUND_CALL":
        return says(TransactionAttributes=event["ActionData"]["Parameters"]["Arguments"])
    told = event["CallDetails"]["TransactionAttributes"]
    if kind == "HANGUP" and told["how"] == "late":
        leg = {"CallId": event["CallDetails"]["Participants"][0]["CallId"]}
        return says({"Type": "Speak", "Parameters": {"Text": "Too late", **leg}}, {"Type": "Hangup", "Parameters": leg})
    if kind == "CALL_ANSWERED" and told["how"] == "actions":
        return says(*json.loads(told["actions"]))
    if kind == "CALL_ANSWERED" or (kind == "INVALID_LAMBDA_RESPONSE" and "again" in told):
        return HOW[told["how"]]()
    ends = ("ACTION_FAILED", "ACTION_SUCCESSFUL", "CALL_UPDATE_REQUESTED", "INVALID_LAMBDA_RESPONSE")
    return says(HANGUP) if kind in ends else says()
"""
"""It hangs up after whatever an action reported, and after an INVALID_LAMBDA_RESPONSE unless told `again`."""

TYPES = "+12065550190"
"""A subscriber that presses 31 keys, and hears nothing."""
SUBSCRIBERS = f"""
[[subscriber]]
number = "{STAYS}"
note = "answers at once and stays"
steps = [{{ring = 0}}, {{answer = true}}, {{stay = true}}]

[[subscriber]]
number = "{TYPES}"
note = "presses 31 keys"
steps = [{{answer = true}}, {{press = {{keys = "{"1" * 31}", tone_ms = 40, gap_ms = 40}}}}, {{stay = true}}]
"""
GERMANY = "+493055501234"
"""Nobody's; its country is called to see that Germany is allowed."""


class BadNode(LiveNode):
    """`ask(how)` calls with a handler that misbehaves so, and gives the ended call's history."""

    def __init__(self, folder: Path) -> None:
        steady, subscribers = folder / "steady.py", folder / "subscribers.toml"
        steady.write_text(STEADY)
        subscribers.write_text(SUBSCRIBERS)
        functions = {"steady": f"python:{steady}:handler", "missing": f"python:{folder}/nowhere.py:handler"}
        settings = {
            "handler_timeout": "4s",
            "handler_warn": "2s",
            "subscribers": str(subscribers),
            "allow_countries": '["US", "DE"]',
            "allow_prefixes": '["+1911", "+44999", "+49110", "+1900"]',
        }
        (folder / "app").mkdir()
        bad = folder / "app" / "bad.py"
        bad.write_text(BAD)
        super().__init__(folder, functions={"bad": f"python:{bad}:handler", **functions}, settings=settings)
        self._applications: dict[str, str] = {}

    def application_of(self, function: str) -> str:
        """The application whose handler is this function."""
        if function not in self._applications:
            arn = ARN.format(function)
            made = self.client().create_sip_media_application(AwsRegion="us-east-1", Name=function, Endpoints=[{"LambdaArn": arn}])
            self._applications[function] = made["SipMediaApplication"]["SipMediaApplicationId"]
        return self._applications[function]

    def count(self) -> int:
        """How many calls are on record."""
        with read.reading(Layout(self.data).database)() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM calls").scalar_one())

    def begin(self, how: str, *, to: str = STAYS, function: str = "bad", **arguments: str) -> CallId:
        """Place a call whose handler misbehaves."""
        return self.place(to=to, application=self.application_of(function), ArgumentsMap={"how": how, **arguments})

    def ask(self, how: str, *, to: str = STAYS, function: str = "bad", **arguments: str) -> CallHistory:
        """One such call to its end: one HANGUP, one termination, one CDR."""
        return self.over(self.begin(how, to=to, function=function, **arguments))

    def act(self, *actions: dict[str, Any], to: str = STAYS) -> CallHistory:
        """One call whose handler answers with these actions."""
        return self.ask("actions", to=to, actions=json.dumps(actions))

    def over(self, call: CallId) -> CallHistory:
        """An ended call: one HANGUP, one termination, one CDR, and no gap in its sequence."""
        history = self.finished(call)
        assert [row.number for row in history.events] == list(range(1, len(history.events) + 1))
        assert [isinstance(row.event, HungUp) for row in history.events].count(True) == 1
        assert isinstance(history.events[-1].event, HungUp)
        assert [row.sequence for row in history.invocations] == list(range(1, len(history.invocations) + 1))
        [ended] = history.legs_ended
        assert history.cdr is not None
        assert history.ended is not None
        assert ended.termination == history.ended.termination == history.cdr.termination
        return history


def noted(history: CallHistory) -> list[str]:
    """The notes of a call, as `outdial calls show` has them, without what the log adds."""
    return [_plain(note) for note in history.notes]


def _plain(note: NoteRow) -> str:
    return note.what.split(" function=")[0].split(" reason=")[0]


def failure(node: LiveNode, history: CallHistory) -> tuple[str, str, str]:
    """Which action failed, its ErrorType and its ErrorMessage, as the handler was told."""
    [told] = [event["ActionData"] for event in node.events(history) if event["InvocationEventType"] == "ACTION_FAILED"]
    return told["Type"], told["ErrorType"], told["ErrorMessage"]


def write_long_wav(path: Path, seconds: int) -> None:
    """A WAV of silence, 8 kHz, 16-bit, that takes no room on the disk."""
    octets = seconds * 16_000
    head = b"RIFF" + struct.pack("<I", 36 + octets) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16_000, 2, 16)
    with path.open("wb") as file:
        file.write(head + b"data" + struct.pack("<I", octets))
        file.truncate(44 + octets)


def write_low_wav(path: Path, seconds: int) -> None:
    """A WAV of silence at 4 kHz and 8 bits: two hours of it are under the limit of 50 MB."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(4000)
        file.writeframes(b"\x80" * 4000 * seconds)
