"""The example handlers through a whole node on virtual time: what a published application of their kind needs is served."""

from __future__ import annotations

import importlib.util
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outdial.model.requests import Placed
from outdial.testing.studio import tone
from outdial.testing.world import World

HANDLERS = Path(__file__).parent.parent.parent / "examples" / "handlers"


def handler(name: str) -> Callable[[dict[str, Any]], Any]:
    spec = importlib.util.spec_from_file_location(name, HANDLERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda event: module.handler(event, None)


class Call(World):
    """One answered call of an example."""

    def __init__(self, folder: Path, name: str, **placing: Any) -> None:
        super().__init__(folder, handler(name))
        placed = self.place(**placing)
        assert isinstance(placed, Placed)
        self.call = placed.call
        self.until(lambda: self.phone.incoming is not None)

    def prompts(self, bucket: str, *keys: str) -> None:
        for key in keys:
            tone(self.studio.object(bucket, key), 440, 0.5)

    def answered(self) -> Call:
        self.order("answer")
        self.until(lambda: "CALL_ANSWERED" in self.types)
        return self

    def ended(self) -> list[str]:
        """The events, with the action's type where there is one, to the end."""
        self.until(lambda: "HANGUP" in self.types)
        self.go(1.0)
        assert self.store.unfinished() == []
        return [f"{event['InvocationEventType']} {event.get('ActionData', {}).get('Type', '')}".strip() for event in self.events]


@pytest.mark.parametrize(("key", "result"), [("1", "confirmed"), ("2", "rejected")])
def test_a_recorded_reminder_is_confirmed_or_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, result: str) -> None:
    call = Call(tmp_path, "recorded_reminder", arguments={"message": "own"})
    call.prompts("prompts", f"{call.call}.wav", "question.wav", "confirmed.wav", "rejected.wav", "failure.wav")
    call.answered()
    call.go(1.6)
    call.order("press", text=key)
    assert call.ended() == [
        "NEW_OUTBOUND_CALL CallCreateRequest",
        "CALL_ANSWERED",
        "ACTION_SUCCESSFUL PlayAudioAndGetDigits",
        "HANGUP Hangup",
    ]
    assert capsys.readouterr().out == f"the reminder ended: {result}\n"


def test_a_recorded_reminder_asks_three_times_and_gives_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = Call(tmp_path, "recorded_reminder")
    call.prompts("prompts", "message.wav", "question.wav", "failure.wav")
    call.answered()
    assert call.ended() == ["NEW_OUTBOUND_CALL", "CALL_ANSWERED", "ACTION_FAILED PlayAudioAndGetDigits", "HANGUP Hangup"]
    assert capsys.readouterr().out == "the reminder ended: InvalidDigitsReceived\n"


def test_a_message_is_left_and_played_back(tmp_path: Path) -> None:
    call = Call(tmp_path, "voicemail")
    call.prompts("messages", "beep.wav")
    call.answered()
    call.go(5.0)
    call.order("say", text=str(tone(tmp_path / "message.wav", 700, 2.0)))
    call.go(2.5)
    call.order("press", text="#")
    assert call.ended() == ["NEW_OUTBOUND_CALL", "CALL_ANSWERED", "ACTION_SUCCESSFUL RecordAudio", "HANGUP Hangup"]
    kept = call.events[2]["ActionData"]["RecordingDestination"]
    with wave.open(str(call.studio.object("messages", kept["Key"]))) as file:
        assert file.getnframes() > 16_000
    assert call.studio.spoken[-1] == "Goodbye."


def test_somebody_who_hangs_up_while_speaking_has_left_a_message(tmp_path: Path) -> None:
    call = Call(tmp_path, "voicemail")
    call.prompts("messages", "beep.wav")
    call.answered()
    call.go(5.0)
    call.order("say", text=str(tone(tmp_path / "message.wav", 700, 2.0)))
    call.go(1.5)
    call.order("hang_up")
    assert call.ended() == ["NEW_OUTBOUND_CALL", "CALL_ANSWERED", "ACTION_SUCCESSFUL RecordAudio", "HANGUP Hangup"]
    kept = call.events[2]["ActionData"]["RecordingDestination"]
    assert call.studio.object("messages", kept["Key"]).is_file()


def test_a_call_is_steered_by_updates(tmp_path: Path) -> None:
    call = Call(tmp_path, "remote_control", arguments={"name": "Ada"}, sip_headers={"X-Requestor": "ada"})
    call.answered()
    call.go(0.5)
    for arguments in ({"say": "Please hold."}, {"press": "12#"}, {"end": "yes"}):
        call.update(call.call, arguments)
        call.go(3.0)
    assert call.ended() == [
        "NEW_OUTBOUND_CALL CallCreateRequest",
        "CALL_ANSWERED",
        "CALL_UPDATE_REQUESTED CallUpdateRequest",
        "ACTION_INTERRUPTED Speak",
        "ACTION_SUCCESSFUL Speak",
        "CALL_UPDATE_REQUESTED CallUpdateRequest",
        "ACTION_SUCCESSFUL SendDigits",
        "CALL_UPDATE_REQUESTED CallUpdateRequest",
        "HANGUP Hangup",
    ]
    assert call.phone.heard == ["1", "2", "#"]
    assert call.studio.spoken == ["This is a call for Ada.", "Please hold."]
