"""From what an application asks to say, to exactly what an engine is given, and the key under which the sound is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from ..model.work import SpeechSource
from . import markup, ssml, voices
from .failure import SpeechFailed

ENGINE: Final = "eSpeak NG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What eSpeak NG is given."""

    voice: str
    text: str
    ssml: bool
    may_be_silent: bool
    """A break was asked for: nothing but silence is then right."""
    key: str
    remark: str


def plan(source: SpeechSource, version: str) -> Utterance:
    """Choose the voice and write the text; `version` is the engine's. Raises `SpeechFailed` (`voice`, `ssml`)."""
    voice = voices.choose(source.voice, source.language)
    may_be_silent = False
    if source.text_type == "ssml":
        root = ssml.parse(source.text)
        text = markup.write(root, voice.language)
        may_be_silent = markup.has_break(root)
        empty = not may_be_silent and not root.words().strip()
    else:
        text = markup.speakable(source.text)
        empty = not text
    if empty:
        raise SpeechFailed("ssml", "there is nothing in the text that could be spoken")
    made_of = "\0".join((ENGINE, version, voice.espeak, source.text_type, text))
    return Utterance(
        voice=voice.espeak,
        text=text,
        ssml=source.text_type == "ssml",
        may_be_silent=may_be_silent,
        key=hashlib.sha256(made_of.encode()).hexdigest(),
        remark=f"{voice.asked} ({voice.language}) is spoken by {ENGINE}'s {voice.espeak}",
    )
