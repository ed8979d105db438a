"""The main thread of the product, on virtual time: place, ring, answer, speak, ask, hang up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from outdial.model.requests import Placed
from outdial.testing.world import World


def reply(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"SchemaVersion": "1.0", "Actions": list(actions)}


def test_a_call_is_answered_hears_a_prompt_presses_a_key_and_is_hung_up(tmp_path: Path) -> None:
    def handler(event: dict[str, Any]) -> Any:
        match event["InvocationEventType"], event.get("ActionData", {}).get("Type"):
            case "CALL_ANSWERED", _:
                ask = {
                    "SpeechParameters": {"Text": "Press one to confirm."},
                    "FailureSpeechParameters": {"Text": "Sorry."},
                    "MinNumberOfDigits": 1,
                    "MaxNumberOfDigits": 1,
                    "RepeatDurationInMilliseconds": 5000,
                }
                return reply({"Type": "SpeakAndGetDigits", "Parameters": ask})
            case "ACTION_SUCCESSFUL", "SpeakAndGetDigits":
                return reply({"Type": "Hangup", "Parameters": {"SipResponseCode": "0"}})
            case _:
                return reply()

    world = World(tmp_path, handler)
    placed = world.place(arguments={"name": "Ann"})
    assert isinstance(placed, Placed)
    world.until(lambda: world.phone.incoming is not None)
    world.order("ring")
    world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING"))
    world.go(2.0)
    world.order("answer")
    world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED"))
    world.go(0.5)
    world.order("press", text="1")
    world.until(lambda: "HANGUP" in world.types)
    world.go(1.0)
    assert world.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "HANGUP"]
    assert [event["Sequence"] for event in world.events] == [1, 2, 3, 4, 5]
    assert world.events[3]["ActionData"]["ReceivedDigits"] == "1"
    assert world.events[4]["ActionData"]["Parameters"]["SipResponseCode"] == 0
    assert world.store.unfinished() == []
