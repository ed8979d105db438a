"""Writes a tree of SSML as what eSpeak NG understands; what it does not know is rewritten, not passed on in hope."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from xml.sax.saxutils import escape

from . import say_as
from .ssml import Element
from .voices import LANGUAGES, spoken

LONGEST_BREAK_MS: Final = 10_000
"""Polly's."""
_TIME: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s)", re.ASCII)
_STRENGTHS: Final = frozenset({"none", "x-weak", "weak", "medium", "strong", "x-strong"})
_LEVELS: Final = frozenset({"strong", "moderate", "reduced"})
_RATES: Final = frozenset({"x-slow", "slow", "medium", "fast", "x-fast", "default"})
_PITCHES: Final = frozenset({"x-low", "low", "medium", "high", "x-high", "default"})
_VOLUMES: Final = frozenset({"silent", "x-soft", "soft", "medium", "loud", "x-loud", "default"})
_PERCENT: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d+)?%", re.ASCII)
_DECIBELS: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d+)?dB", re.ASCII)


def write(root: Element, language: str) -> str:
    """The document for eSpeak NG, in the voice of `language` (a Polly code). Raises `SpeechFailed` for an attribute that means nothing."""
    return f"<speak>{_inside(root, language)}</speak>"


def speakable(text: str) -> str:
    """Text as it may be handed over: one line, no control characters, no lone surrogates."""
    return " ".join(_plain(text.encode("utf-8", "replace").decode()).split())


def has_break(element: Element) -> bool:
    """Silence was asked for."""
    return element.name == "break" or any(has_break(child) for child in element.children if isinstance(child, Element))


def _inside(element: Element, language: str) -> str:
    return "".join(_text(child) if isinstance(child, str) else _element(child, language) for child in element.children)


def _text(text: str) -> str:
    return escape(_plain(text))


def _plain(text: str) -> str:
    """Without control characters and line ends; joiners stay, since Hindi and Arabic are written with them."""
    return "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)


def _element(element: Element, language: str) -> str:
    attributes = element.attributes
    match element.name:
        case "break":
            return _break(element)
        case "p" | "s":
            return f"<{element.name}>{_inside(element, language)}</{element.name}>"
        case "emphasis":
            level = _one_of(element, "level", _LEVELS) or "moderate"
            return f'<emphasis level="{level}">{_inside(element, language)}</emphasis>'
        case "prosody":
            return _prosody(element, language)
        case "sub":
            if "alias" not in attributes:
                raise element.refuse("<sub> needs an alias")
            return _text(attributes["alias"])
        case "say-as":
            return _say_as(element, language)
        case "lang":
            tag = attributes.get("xml:lang", "")
            code = spoken(tag)
            if code is None:
                raise element.refuse(f'xml:lang="{tag[:40]}" is not a language that can be spoken')
            return f'<voice xml:lang="{LANGUAGES[code]}">{_inside(element, code)}</voice>'
        case "mark" | "amazon:breath":
            return ""
    return _inside(element, language)  # phoneme, w, amazon:…: the words are spoken, the manner is not known here


def _break(element: Element) -> str:
    time = element.attributes.get("time")
    if time is None:
        return f'<break strength="{_one_of(element, "strength", _STRENGTHS) or "medium"}"/>'
    match = _TIME.fullmatch(time.strip())
    if match is None:
        raise element.refuse(f'time="{time[:40]}" is not a time, for example "500ms" or "2s"')
    milliseconds = round(float(match[1]) * (1000 if match[2] == "s" else 1))
    if milliseconds > LONGEST_BREAK_MS:
        raise element.refuse(f'time="{time[:40]}": the longest break is {LONGEST_BREAK_MS // 1000} s')
    return f'<break time="{milliseconds}ms"/>'


def _prosody(element: Element, language: str) -> str:
    kept = []
    if rate := _one_of(element, "rate", _RATES, _PERCENT):
        kept.append(f'rate="{rate}"')
    if pitch := _one_of(element, "pitch", _PITCHES, _PERCENT):
        kept.append(f'pitch="{pitch}"')
    if volume := _one_of(element, "volume", _VOLUMES, _DECIBELS):
        kept.append(f'volume="{_volume(volume)}"')
    inside = _inside(element, language)
    return f"<prosody {' '.join(kept)}>{inside}</prosody>" if kept else inside


def _volume(volume: str) -> str:
    """eSpeak NG knows no decibels."""
    if not volume.endswith("dB"):
        return volume
    decibels = float(volume[:-2])
    steps = ((-12, "x-soft"), (-3, "soft"), (3, "medium"), (9, "loud"))
    return next((name for limit, name in steps if decibels <= limit), "x-loud")


def _say_as(element: Element, language: str) -> str:
    kind = element.attributes.get("interpret-as", "").strip().lower()
    if not kind:
        raise element.refuse("<say-as> needs interpret-as")
    words = element.words()
    if kind in {"characters", "spell-out"}:
        return f'<say-as interpret-as="characters">{_text(words)}</say-as>'
    if kind == "expletive":
        return '<break time="300ms"/>'
    return _text(say_as.words(kind, words, element.attributes.get("format", ""), language))


def _one_of(element: Element, name: str, words: frozenset[str], form: re.Pattern[str] | None = None) -> str | None:
    value = element.attributes.get(name)
    if value is None:
        return None
    value = value.strip()
    if value in words or (form is not None and form.fullmatch(value)):
        return value
    example = {"rate": "slow, 90%", "pitch": "low, +10%", "volume": "loud, +6dB"}.get(name, ", ".join(sorted(words)))
    raise element.refuse(f'{name}="{value[:40]}" means nothing in <{element.name}> (for example {example})')
