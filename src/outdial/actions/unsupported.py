"""The documented actions that are not served yet: each fails when its turn comes, by name (DESIGN 3.3)."""

from __future__ import annotations

from typing import Final

from ..model.actions import Action
from .machine import Refusal
from .parameters import SYSTEM
from .values import Context, Kind, Running

NAMES: Final = (
    "CallAndBridge", "JoinChimeMeeting", "ModifyChimeMeetingAttendees", "StartBotConversation", "StartCallRecording", "StopCallRecording",
    "PauseCallRecording", "ResumeCallRecording", "VoiceFocus",
)  # fmt: skip


def begin(action: Action, context: Context) -> Running:
    """Fail, saying which action it was."""
    return Refusal(action, context.default_leg, SYSTEM, f"{action.type} is not supported yet")


KINDS: Final = tuple(Kind(name=name, begin=begin) for name in NAMES)
