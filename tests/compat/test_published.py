"""Handlers that others have published, unmodified, on a live node: checkouts below the folder that OUTDIAL_PUBLISHED names.

Each folder is called as its repository is (reference/real-handlers, section 3): for example
`git clone https://github.com/aws-samples/amazon-chime-sma-outbound-call-notifications`. Handlers of inbound calls are given an outbound
call's CALL_ANSWERED as their NEW_INBOUND_CALL; TypeScript is bundled with esbuild, as its own deployment does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from helpers.aws_stub import AwsStub, aws_stub
from helpers.live_node import LiveNode
from helpers.venvs import CannotInstall, node_with, python_with
from outdial.model.ids import CallId
from outdial.model.resources import CallHistory

ROOT = os.environ.get("OUTDIAL_PUBLISHED", "")
pytestmark = [
    pytest.mark.ours,
    pytest.mark.skipif(not ROOT, reason="OUTDIAL_PUBLISHED names no folder with checkouts of published applications"),
]

ANSWERS, CONFIRMS, REJECTS, WRONG, SPEAKS, DIALS, LEAVES = (f"+120655501{n}" for n in range(80, 87))
SUBSCRIBERS = f"""
[[subscriber]]
number = "{ANSWERS}"
note = "answers and stays"
steps = [{{answer = true}}, {{stay = true}}]

[[subscriber]]
number = "{CONFIRMS}"
note = "presses 1, and leaves a little later"
steps = [{{answer = true}}, {{listen = {{quiet = 0.8}}}}, {{press = "1"}}, {{wait = 4}}]

[[subscriber]]
number = "{REJECTS}"
note = "presses 2"
steps = [{{answer = true}}, {{listen = {{quiet = 0.8}}}}, {{press = "2"}}, {{stay = true}}]

[[subscriber]]
number = "{WRONG}"
note = "presses 9 after each prompt, three times, and hangs up"
steps = [
  {{answer = true}}, {{listen = {{quiet = 0.8}}}}, {{press = "9"}}, {{listen = {{quiet = 0.8}}}}, {{press = "9"}},
  {{listen = {{quiet = 0.8}}}}, {{press = "9"}}, {{wait = 3}},
]

[[subscriber]]
number = "{SPEAKS}"
note = "leaves a message after the beep, and ends it with #"
steps = [
  {{answer = true}}, {{listen = {{quiet = 0.8}}}}, {{listen = {{quiet = 0.8}}}}, {{tone = {{hertz = 440, ms = 1500}}}},
  {{press = "#"}}, {{stay = true}},
]

[[subscriber]]
number = "{DIALS}"
note = "enters a number"
steps = [{{answer = true}}, {{listen = {{quiet = 0.8}}}}, {{press = "12065550180#"}}, {{stay = true}}]

[[subscriber]]
number = "{LEAVES}"
note = "hangs up after a moment"
steps = [{{answer = true}}, {{wait = 1}}]
"""
INBOUND = """
import importlib, sys
sys.path.insert(0, {folder!r})
published = importlib.import_module({module!r})

def handler(event, context):
    kind = event["InvocationEventType"]
    if kind == "NEW_OUTBOUND_CALL":
        return {{"SchemaVersion": "1.0"}}
    return published.{name}({{**event, "InvocationEventType": "NEW_INBOUND_CALL"}} if kind == "CALL_ANSWERED" else event, context)
"""
"""A handler of inbound calls in front of an outbound one."""


def checkout(repository: str, path: str = "") -> Path:
    """A folder of a checkout; skips where it is not there."""
    folder = Path(ROOT) / repository / path
    if not folder.exists():
        pytest.skip(f"there is no {folder}: git clone https://github.com/aws-samples/{repository} below OUTDIAL_PUBLISHED")
    return folder


@pytest.fixture
def stub() -> Iterator[AwsStub]:
    with aws_stub() as running:
        yield running


def beep(path: Path, seconds: float = 0.3) -> None:
    """A prompt."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x00\x20\x00\x20\x00\x20\x00\x20\x00\xe0\x00\xe0\x00\xe0\x00\xe0" * round(1000 * seconds))


class Published(LiveNode):
    """A node that serves one published handler."""

    def __init__(self, folder: Path, spec: str, stub: AwsStub, found: Mapping[str, str], settings: Mapping[str, str] | None = None) -> None:
        """`found` is what the handler finds in its environment beside the services' addresses."""
        subscribers = folder / "subscribers.toml"
        subscribers.write_text(SUBSCRIBERS)
        services = {f"AWS_ENDPOINT_URL_{name}": stub.url for name in ("DYNAMODB", "CHIME_SDK_MEETINGS", "CHIME_SDK_MESSAGING")}
        super().__init__(
            folder,
            functions={"published": spec},
            settings={"subscribers": str(subscribers), **(settings or {})},
            environment={**services, **found},
        )

    def bucket(self, *prompts: str) -> Path:
        """The folder of the bucket `sounds`, with these prompts."""
        folder = self.data / "buckets" / "sounds"
        for prompt in prompts:
            beep(folder / prompt)
        return folder

    def told(self, history: CallHistory) -> list[str]:
        """The events, with the action's type where there is one."""
        events = self.events(history)
        return [f"{event['InvocationEventType']} {event.get('ActionData', {}).get('Type', '')}".strip() for event in events]

    def ended(self, call: CallId) -> CallHistory:
        """An ended call whose handler never failed."""
        history = self.finished(call, within=60)
        assert history.cdr is not None
        assert history.cdr.termination.reason == "completed", history.cdr.termination
        assert {done.outcome for done in history.outcomes} == {"replied"}, [done.error for done in history.outcomes]
        return history


DIALLED = ["NEW_OUTBOUND_CALL", "CALL_ANSWERED"]


# E1: reminders (JavaScript, the AWS SDK 2)


@pytest.fixture
def notifications(tmp_path: Path, stub: AwsStub) -> Iterator[Published]:
    try:
        packages = node_with("aws-sdk@2.1692.0", "axios@0.21.4", "graphql@15.8.0", "graphql-tag@2.12.6")
    except CannotInstall as error:
        pytest.skip(f"its packages cannot be installed here: {error}")
    code = shutil.copytree(checkout("amazon-chime-sma-outbound-call-notifications", "src/smaOutbound"), tmp_path / "smaOutbound")
    (code / "node_modules").symlink_to(packages / "node_modules")
    stub.note = {"id": "1", "firstName": "Ada", "lastName": "L", "phoneNumber": CONFIRMS, "message": "m", "status": "s"}
    more = {"OUTGOING_WAV_BUCKET": "sounds", "API_URL": f"{stub.url}/graphql", "API_KEY": "k"}
    with Published(tmp_path, f"node:{code}:smaOutbound.handler", stub, more) as node:
        node.bucket("requestResponse.wav", "confirmed.wav", "rejected.wav", "failure.wav")
        yield node


def remind(node: Published, to: str) -> CallId:
    """As its client does: the prompt is made after the call has been placed."""
    call = node.place(to=to)
    beep(node.bucket() / f"{call}.wav")
    return call


@pytest.mark.parametrize(("to", "status"), [(CONFIRMS, "Appointment Confirmed"), (REJECTS, "Appointment Rejected")])
def test_a_reminder_is_confirmed_or_rejected(notifications: Published, stub: AwsStub, to: str, status: str) -> None:
    history = notifications.ended(remind(notifications, to))
    asked = [*DIALLED, "ACTION_SUCCESSFUL PlayAudioAndGetDigits", "HANGUP Hangup"]
    assert notifications.told(history) == asked
    assert stub.statuses == ["Call Answered", status]


def test_a_reminder_that_nobody_answers_rightly_leaves_the_call_up(notifications: Published, stub: AwsStub) -> None:
    """It answers the failure without actions: the call goes on until the callee leaves."""
    history = notifications.ended(remind(notifications, WRONG))
    assert notifications.told(history) == [*DIALLED, "ACTION_FAILED PlayAudioAndGetDigits", "HANGUP Hangup"]
    assert notifications.events(history)[2]["ActionData"]["ErrorType"] == "InvalidDigitsReceived"
    assert stub.statuses == ["Call Answered", "No Response"]
    assert history.cdr is not None
    assert history.cdr.termination.who == "callee"


# E2, E3, E6: handlers of inbound calls (Python)


def inbound(tmp_path: Path, folder: Path, module: str, name: str) -> str:
    """The SPEC of a published handler of inbound calls."""
    file = tmp_path / "inbound.py"
    file.write_text(INBOUND.format(folder=str(folder), module=module, name=name))
    return f"python:{file}:handler"


def test_call_forwarding_says_that_it_cannot_connect(tmp_path: Path, stub: AwsStub) -> None:
    """Bridging is not supported yet: the application is told, plays its apology and hangs up, as it does for any failure."""
    stub.item = {"destination_number": {"S": "+12065550199"}}
    folder = checkout("amazon-chime-sma-call-forwarding", "src/resources/smaHandler")
    more = {"CallForwardingTableName": "t", "WavBucketName": "sounds", "LoopGreetingWhileRinging": "True"}
    with Published(tmp_path, inbound(tmp_path, folder, "index", "lambda_handler"), stub, more) as node:
        node.bucket("we_were_unable_to_connect_your_call.wav")
        history = node.ended(node.place(to=ANSWERS))
        assert node.told(history) == [*DIALLED, "ACTION_FAILED CallAndBridge", "HANGUP Hangup"]
        failed = node.events(history)[2]["ActionData"]
        assert (failed["ErrorType"], failed["ErrorMessage"]) == ("SystemException", "CallAndBridge is not supported yet")


def test_a_voicemail_is_recorded_and_played_back(tmp_path: Path, stub: AwsStub) -> None:
    try:
        python = python_with("boto3==1.37.1", "botocore==1.37.1")
    except CannotInstall as error:
        pytest.skip(f"an old boto3 cannot be installed here: {error}")
    folder = checkout("amazon-chime-sdk-pstn-audio-workshop", "lambdas/call-make-recording/src")
    spec = inbound(tmp_path, folder, "index", "handler")
    with Published(tmp_path, spec, stub, {"WAVFILE_BUCKET": "sounds"}, {"python": str(python)}) as node:
        node.bucket("500hz-beep.wav")
        history = node.ended(node.place(to=SPEAKS))
        done = ["ACTION_SUCCESSFUL Speak", "ACTION_SUCCESSFUL PlayAudio", "ACTION_SUCCESSFUL RecordAudio", "ACTION_SUCCESSFUL PlayAudio"]
        assert node.told(history) == [*DIALLED, *done, "HANGUP Hangup"]
        [recording] = history.recordings
        kept = node.events(history)[4]["ActionData"]
        assert kept["RecordingDestination"]["Key"] == recording.key
        assert kept["RecordingTerminatorUsed"] == "#"
        with wave.open(str(node.bucket() / recording.key)) as file:
            assert file.getnframes() > 8000


def test_a_number_is_entered_for_voice_focus(tmp_path: Path, stub: AwsStub) -> None:
    """A look-ahead in its expression, eleven digits; then the bridge that is not supported yet, and its apology."""
    folder = checkout("amazon-chime-sdk-pstn-audio-voice-focus", "src")
    spec = inbound(tmp_path, folder, "lambda_function", "lambda_handler")
    with Published(tmp_path, spec, stub, {"WAVFILE_BUCKET": "sounds"}) as node:
        node.bucket("welcome_vf_demo.wav", "invalid_entry.wav", "unable_to_connect_your_call.wav")
        history = node.ended(node.place(to=DIALS))
        entered = "ACTION_SUCCESSFUL PlayAudioAndGetDigits"
        assert node.told(history) == [*DIALLED, entered, "ACTION_FAILED CallAndBridge", "HANGUP Hangup"]
        assert node.events(history)[2]["ActionData"]["ReceivedDigits"] == "12065550180"


# E4, E5: outbound handlers in TypeScript


def bundle(tmp_path: Path, source: Path) -> Path:
    """One file of JavaScript with all that it imports, as its own deployment makes it."""
    names = ("client-dynamodb@3.637.0", "lib-dynamodb@3.637.0", "client-chime-sdk-meetings@3.600.0", "client-chime-sdk-messaging@3.637.0")
    try:
        packages = node_with("esbuild@0.24.2", *(f"@aws-sdk/{name}" for name in names))
    except CannotInstall as error:
        pytest.skip(f"its packages cannot be installed here: {error}")
    made = tmp_path / "bundle" / "index.js"
    program = packages / "node_modules" / ".bin" / "esbuild"
    options = ["--bundle", "--platform=node", "--target=node20", f"--outfile={made}", "--log-level=error"]
    path = {**os.environ, "NODE_PATH": str(packages / "node_modules")}
    subprocess.run([str(program), str(source), *options], env=path, check=True, timeout=120)
    return made


def test_click_to_call_as_far_as_it_is_served(tmp_path: Path, stub: AwsStub) -> None:
    """Its arguments reach the bridge that is not supported yet; it leaves the call up until the callee goes."""
    code = bundle(tmp_path, checkout("amazon-chime-sdk-click-to-call", "src/resources/smaHandler/smaHandler.ts"))
    arguments = {"MeetingId": "m", "RequestedDialNumber": "+12065550199", "RequestedVCArn": "a", "RequestorEmail": "a@example.com"}
    with Published(tmp_path, f"node:{code}:lambdaHandler", stub, {"FROM_NUMBER": "+12065550100"}) as node:
        headers = {"X-chime-join-token": "token", "X-chime-meeting-id": "m"}
        call = node.place(to=LEAVES, ArgumentsMap={**arguments, "DialVC": "false"}, SipHeaders=headers)
        history = node.finished(call)
        placed = "NEW_OUTBOUND_CALL CallCreateRequest"
        assert node.told(history) == [placed, "CALL_ANSWERED", "ACTION_FAILED CallAndBridge", "HANGUP Hangup"]
        failed = node.events(history)[2]
        assert failed["ActionData"]["Parameters"]["Endpoints"] == [{"BridgeEndpointType": "PSTN", "Uri": "+12065550199"}]
        assert failed["CallDetails"]["TransactionAttributes"]["RequestorEmail"] == "a@example.com"
        assert b"X-chime-join-token: token\r\n" in history.sip[0].message
        assert {done.outcome for done in history.outcomes} == {"replied"}
        assert [path for path, _ in stub.asked] == ["/meetings/m"]


@pytest.fixture
def telehealth(tmp_path: Path, stub: AwsStub) -> Iterator[Published]:
    code = bundle(tmp_path, checkout("amazon-chime-sdk", "apps/telehealth-widget/backend/lambda/src/handle-telephony-events.ts"))
    found = {"TABLE_NAME": "t", "APP_INSTANCE_ARN": "arn:aws:chime:us-east-1:0:app-instance/i"}
    with Published(tmp_path, f"node:{code}:handler", stub, found) as node:
        yield node


def test_telehealth_asks_with_extreme_values_and_goes_as_far_as_it_is_served(telehealth: Published, stub: AwsStub) -> None:
    """Repeat 9999, RepeatDuration 99999999, Min 0: asked as far as it can be. Joining a meeting is not supported yet."""
    item: dict[str, Any] = {name: {"S": name} for name in ("channelArn", "clientId", "patientUsername", "patientName", "doctorName")}
    stub.item = {**item, "meetingId": {"S": "m"}, "callIdMap": {"M": {}}}
    history = telehealth.ended(telehealth.place(to=CONFIRMS))
    pressed = "ACTION_SUCCESSFUL SpeakAndGetDigits"
    assert telehealth.told(history) == [*DIALLED, pressed, "ACTION_FAILED JoinChimeMeeting", "HANGUP Hangup"]
    assert telehealth.events(history)[2]["ActionData"]["ReceivedDigits"] == "1"
    asked = [what.rpartition(".")[2] for what, _ in stub.asked]
    assert asked[:5] == ["GetItem", "GetItem", "/channels/channelArn/messages", "/meetings/m/attendees", "UpdateItem"]


def test_telehealth_does_not_know_the_call(telehealth: Published, stub: AwsStub) -> None:
    """Its answer ends with a Hangup whose Parameters are empty."""
    history = telehealth.ended(telehealth.place(to=ANSWERS))
    assert telehealth.told(history) == [*DIALLED, "HANGUP Hangup"]
