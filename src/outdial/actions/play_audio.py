"""PlayAudio (reference 10.2)."""

from __future__ import annotations

from ..model.actions import Action
from . import legs, prompts
from .machine import beginning
from .parameters import digit_set, number
from .playback import Playback
from .values import Context, Running


@beginning
def begin(action: Action, context: Context) -> Running:
    """Play an object, `Repeat` times, until a terminator is pressed."""
    raw = action.parameters
    leg = legs.choose(raw, context)
    source = prompts.audio(raw, "AudioSource")
    repeat = number(raw, "Repeat", "The Repeat parameter is invalid.", least=1) or 1
    terminators = digit_set(raw, "PlaybackTerminators", "The PlaybackTerminators parameter is invalid.")
    known = {
        "PlaybackTerminators": None if terminators is None else list(terminators),
        "Repeat": repeat,
        "AudioSource": prompts.audio_echo(source),
    }
    return Playback(legs.echo(action, leg, known), leg.leg, context, source, repeat, terminators or "")
