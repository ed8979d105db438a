"""PlayAudioAndGetDigits (reference 10.3)."""

from __future__ import annotations

from ..model.actions import Action
from . import get_digits, legs, prompts
from .machine import beginning
from .values import Context, Running


@beginning
def begin(action: Action, context: Context) -> Running:
    """Play an object and collect digits, in up to `Repeat` attempts."""
    raw = action.parameters
    leg = legs.choose(raw, context, get_digits.BAD_LEG)
    prompt, sorry = prompts.audio(raw, "AudioSource"), prompts.audio(raw, "FailureAudioSource")
    rules, known = get_digits.read(raw)
    known.update(AudioSource=prompts.audio_echo(prompt), FailureAudioSource=prompts.audio_echo(sorry))
    return get_digits.GetDigits(legs.echo(action, leg, known), leg.leg, context, rules, prompt, sorry)
