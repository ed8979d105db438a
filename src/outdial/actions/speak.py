"""Speak (reference 10.4)."""

from __future__ import annotations

from ..model.actions import Action
from . import legs, prompts
from .machine import beginning
from .playback import Playback
from .values import Context, Running

NAMES = ("Text", "Engine", "LanguageCode", "TextType", "VoiceId")


@beginning
def begin(action: Action, context: Context) -> Running:
    """Speak a text once; there is no terminator and no repeat."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    source = prompts.speech(raw)
    return Playback(legs.echo(action, leg, legs.as_given(raw, *NAMES)), leg.leg, context, source)
