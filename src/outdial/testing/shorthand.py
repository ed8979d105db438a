"""Actions and events as few words: what a ladder line stands for in the JSON that handlers speak."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .ladder_text import LadderError, take_facts

PROMPTS = "prompts"
RECORDINGS = "recordings"
ABSENT = "-"

Parameters = dict[str, Any]


def audio(key: str) -> Parameters:
    """An audio source in the bucket of prompts."""
    return {"Type": "S3", "BucketName": PROMPTS, "Key": key}


def _one(name: str, wrap: Callable[[str], Any] = lambda word: word) -> Callable[[tuple[str, ...]], Parameters]:
    return lambda words: {name: wrap(words[0])} if words else {}


def _two(first: str, second: str, wrap: Callable[[str], Any]) -> Callable[[tuple[str, ...]], Parameters]:
    return lambda words: {
        **({first: wrap(words[0])} if words else {}),
        **({second: wrap(words[1])} if len(words) > 1 else {}),
        "RepeatDurationInMilliseconds": 3000,
    }


def _record(words: tuple[str, ...]) -> Parameters:
    return {
        "DurationInSeconds": int(words[0]) if words else 10,
        "RecordingTerminators": ["#"],
        "RecordingDestination": {"Type": "S3", "BucketName": RECORDINGS, "Prefix": "p"},
    }


def _receive(words: tuple[str, ...]) -> Parameters:
    pattern = {"InputDigitsRegex": words[0]} if words else {}
    return {**pattern, "InBetweenDigitsDurationInMilliseconds": 1000, "FlushDigitsDurationInMilliseconds": 10000}


_FORMS: dict[str, Callable[[tuple[str, ...]], Parameters]] = {
    "PlayAudio": _one("AudioSource", audio),
    "Speak": _one("Text"),
    "Pause": _one("DurationInMilliseconds"),
    "SendDigits": _one("Digits"),
    "Hangup": _one("SipResponseCode"),
    "PlayAudioAndGetDigits": _two("AudioSource", "FailureAudioSource", audio),
    "SpeakAndGetDigits": _two("SpeechParameters", "FailureSpeechParameters", lambda text: {"Text": text}),
    "RecordAudio": _record,
    "ReceiveDigits": _receive,
}
"""What the words after an action's name stand for; further parameters follow as `name=value`, `name=-` leaves one out."""


def read_reply(pieces: list[str]) -> tuple[list[dict[str, Any]], Any]:
    """Pieces of a `handler > us` line: its actions, and its attributes (None: not given)."""
    lists: list[list[str]] = [[]]
    for piece in pieces:
        if piece == "+":
            lists.append([])
        else:
            lists[-1].append(piece)
    found: list[dict[str, Any]] = []
    attributes = None
    for each in lists:
        words, facts = take_facts(each)
        attributes = facts.pop("attributes", attributes)
        if words and words[0] != "nothing":
            found.append(action(words, facts))
    return found, attributes


def action(words: tuple[str, ...], facts: Parameters) -> dict[str, Any]:
    """One action: its name, what its form says of the words after it, and what is given by name (dots reach into objects)."""
    name, *rest = words
    form = _FORMS.get(name)
    if form is None and rest:
        raise LadderError(f"no short form of {name} takes words: {' '.join(rest)}")
    parameters = {} if form is None else form(tuple(rest))
    for path, given in facts.items():
        *into, last = path.split(".")
        place = parameters
        for key in into:
            place = place.setdefault(key, {})
        if given == ABSENT:
            place.pop(last, None)
        else:
            place[last] = given
    return {"Type": name, "Parameters": parameters}


_NAMES = {
    "seq": "Sequence",
    "type": "ActionData.Type",
    "digits": "ActionData.ReceivedDigits",
    "code": "ActionData.Parameters.SipResponseCode",
    "status": "CallDetails.Participants.0.Status",
    "headers": "CallDetails.Participants.0.SipHeaders",
    "attributes": "CallDetails.TransactionAttributes",
    "arguments": "ActionData.Parameters.Arguments",
    "terminator": "ActionData.RecordingTerminatorUsed",
    "key": "ActionData.RecordingDestination.Key",
}
_STEP = re.compile(r"\d+")


def look(event: Any, path: str) -> Any:
    """What stands at a path (dots, list positions as numbers); ABSENT where nothing does."""
    here = event
    for step in path.split("."):
        if isinstance(here, list) and _STEP.fullmatch(step) and int(step) < len(here):
            here = here[int(step)]
        elif isinstance(here, dict) and step in here:
            here = here[step]
        else:
            return ABSENT
    return here


def differences(event: dict[str, Any], facts: Parameters) -> list[str]:
    """What of a line's facts an event does not bear out, each as one sentence."""
    found = []
    for name, wanted in facts.items():
        if name in ("error", "message"):
            key = "ErrorType" if name == "error" else "ErrorMessage"
            got = look(event, key)
            got = look(event, f"ActionData.{key}") if got == ABSENT else got
        elif name in _NAMES:
            got = look(event, _NAMES[name])
        elif name[0].isupper() and "." not in name and name not in event:
            got = look(event, f"ActionData.Parameters.{name}")
        else:
            got = look(event, name)
        if isinstance(wanted, str) and len(wanted) > 1 and wanted.endswith("*"):
            same = isinstance(got, str) and got.startswith(wanted[:-1])
        elif name in ("digits", "terminator"):
            same = str(got) == str(wanted)
        else:
            same = got == wanted and type(got) is type(wanted)
        if not same:
            found.append(f"{name} is {got!r}, wanted {wanted!r}")
    return found
