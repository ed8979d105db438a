"""A 60-second IVR call in virtual time, every packet simulated (DESIGN 7)."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from outdial.model.requests import Placed
from outdial.testing.world import World

from .measure import percentile

SECONDS = 60.0


def _handler(event: dict[str, Any]) -> Any:
    ask = {
        "Type": "SpeakAndGetDigits",
        "Parameters": {
            "SpeechParameters": {"Text": "Press one to confirm."},
            "FailureSpeechParameters": {"Text": "Sorry."},
            "MinNumberOfDigits": 1,
            "MaxNumberOfDigits": 1,
            "RepeatDurationInMilliseconds": 20000,
        },
    }
    pause = {"Type": "Pause", "Parameters": {"DurationInMilliseconds": "55000"}}
    match event["InvocationEventType"], event.get("ActionData", {}).get("Type"):
        case "CALL_ANSWERED", _:
            actions = [ask]
        case "ACTION_SUCCESSFUL", "SpeakAndGetDigits":
            actions = [pause, {"Type": "Hangup"}]
        case _:
            actions = []
    return {"SchemaVersion": "1.0", "Actions": actions}


def _call(folder: Path) -> float:
    """CPU seconds of one call, from its placing to its end; the world is made before."""
    world = World(folder, _handler)
    begun = time.process_time()
    placed = world.place()
    assert isinstance(placed, Placed)
    world.until(lambda: world.phone.incoming is not None)
    world.order("ring")
    world.go(1.0)
    world.order("answer")
    world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED"))
    world.go(SECONDS - 56.0)
    world.order("press", text="1")
    world.until(lambda: world.events[-1]["InvocationEventType"] == "HANGUP", within=SECONDS + 10)
    return time.process_time() - begun


def virtual() -> dict[str, dict[str, float]]:
    """Milliseconds of CPU a call."""
    taken = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as name:
            taken.append(1000 * _call(Path(name)))
    return {"virtual": {"cpu_ms": percentile(taken, 0.5), "worst_ms": max(taken)}}
