"""SpeakAndGetDigits (reference 10.5)."""

from __future__ import annotations

from ..model.actions import Action
from . import get_digits, legs, prompts
from .machine import beginning
from .parameters import table
from .speak import NAMES
from .values import Context, Running


@beginning
def begin(action: Action, context: Context) -> Running:
    """Speak and collect digits, in up to `Repeat` attempts; the failure speech takes what it does not set from the speech."""
    raw = action.parameters
    leg = legs.choose(raw, context, get_digits.BAD_LEG)
    prompt = prompts.speech(table(raw, "SpeechParameters"))
    sorry = prompts.speech(table(raw, "FailureSpeechParameters"), prompt)
    rules, known = get_digits.read(raw)
    for name in ("SpeechParameters", "FailureSpeechParameters"):
        known[name] = legs.as_given(raw[name], *NAMES)
    return get_digits.GetDigits(legs.echo(action, leg, known), leg.leg, context, rules, prompt, sorry)
