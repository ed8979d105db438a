"""The example programs: short, unmodified AWS code, and what the two handlers answer is the same."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ADA = {"name": "Ada", "when": "Tuesday at nine"}


def event(kind: str, action: dict[str, Any] | None = None, attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    """As the reference's section 2 has it, cut down to what a handler reads."""
    details: dict[str, Any] = {"TransactionId": "t", "Participants": []}
    if attributes is not None:
        details["TransactionAttributes"] = attributes
    return {"SchemaVersion": "1.0", "InvocationEventType": kind, "CallDetails": details} | ({"ActionData": action} if action else {})


CALL = [
    event("NEW_OUTBOUND_CALL", {"Type": "CallCreateRequest", "Parameters": {"Arguments": ADA}}),
    event("NEW_OUTBOUND_CALL"),
    event("RINGING", attributes=ADA),
    event("CALL_ANSWERED", attributes=ADA),
    event("ACTION_SUCCESSFUL", {"Type": "SpeakAndGetDigits", "Parameters": {}, "ReceivedDigits": "1"}, ADA),
    event("ACTION_SUCCESSFUL", {"Type": "RecordAudio", "Parameters": {}}, ADA),
    event("ACTION_FAILED", {"Type": "SpeakAndGetDigits", "ErrorType": "InvalidDigitsReceived"}, ADA),
    event("HANGUP", {"Type": "Hangup", "Parameters": {"SipResponseCode": 0}}, ADA),
]
TYPES: list[list[str]] = [[], [], [], ["SpeakAndGetDigits"], ["Speak", "RecordAudio"], ["Speak", "Hangup"], ["Hangup"], []]


def python_replies() -> list[Any]:
    spec = importlib.util.spec_from_file_location("reminder", EXAMPLES / "handlers" / "reminder.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.handler(one, None) for one in CALL]


def test_the_python_handler_answers_each_event_of_a_call() -> None:
    replies = python_replies()
    assert [[action["Type"] for action in reply["Actions"]] for reply in replies] == TYPES
    assert replies[0]["TransactionAttributes"] == ADA
    asked = replies[3]["Actions"][0]["Parameters"]
    assert (
        asked["SpeechParameters"]["Text"]
        == "Hello Ada. This is a reminder of your appointment on Tuesday at nine. Please press 1 to confirm."
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_javascript_handler_answers_the_same() -> None:
    code = (
        "const { handler } = await import(process.argv[1]); const out = [];"
        "console.log = () => {}; for (const event of JSON.parse(process.argv[2])) out.push(await handler(event));"
        "process.stdout.write(JSON.stringify(out));"
    )
    command = ["node", "--input-type=module", "-e", code, str(EXAMPLES / "handlers" / "reminder.mjs"), json.dumps(CALL)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout) == python_replies()


def test_the_program_is_short_and_knows_of_nothing_but_boto3() -> None:
    source = (EXAMPLES / "first_call.py").read_text()
    assert len([line for line in source.splitlines() if line.strip()]) <= 32
    imported = [name.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names]
    assert imported == ["sys", "boto3"]
    clients = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "client"]
    assert [ast.unparse(node) for node in clients] == ["boto3.client('chime-sdk-voice')"]
