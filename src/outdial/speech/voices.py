"""Amazon Polly's voices and languages, and the eSpeak NG voice that stands in for each."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from .failure import SpeechFailed

LANGUAGES: Final = {
    "ar-AE": "ar", "arb": "ar", "ca-ES": "ca", "cmn-CN": "cmn", "cs-CZ": "cs", "cy-GB": "cy", "da-DK": "da", "de-AT": "de", "de-CH": "de",
    "de-DE": "de", "en-AU": "en", "en-GB": "en", "en-GB-WLS": "en", "en-IE": "en", "en-IN": "en", "en-NZ": "en", "en-SG": "en",
    "en-US": "en-us", "en-ZA": "en", "es-ES": "es", "es-MX": "es-419", "es-US": "es-419", "fi-FI": "fi", "fr-BE": "fr-be", "fr-CA": "fr",
    "fr-FR": "fr", "hi-IN": "hi", "is-IS": "is", "it-IT": "it", "ja-JP": "ja", "ko-KR": "ko", "nb-NO": "nb", "nl-BE": "nl", "nl-NL": "nl",
    "pl-PL": "pl", "pt-BR": "pt-br", "pt-PT": "pt", "ro-RO": "ro", "ru-RU": "ru", "sv-SE": "sv", "tr-TR": "tr", "yue-CN": "yue",
}  # fmt: skip
"""Polly's language codes → eSpeak NG's names (`en-gb`, `nl-be` and others do not exist there)."""

_VOICES: Final = {
    "ar-AE": "Hala/f Zayd/m", "arb": "Zeina/f", "ca-ES": "Arlet/f", "cmn-CN": "Zhiyu/f", "cs-CZ": "Jitka/f", "cy-GB": "Gwyneth/f",
    "da-DK": "Naja/f Sofie/f Mads/m", "de-AT": "Hannah/f", "de-CH": "Sabrina/f", "de-DE": "Marlene/f Vicki/f Hans/m Daniel/m Lennart/m",
    "en-AU": "Nicole/f Olivia/f Russell/m", "en-GB": "Amy/f Emma/f Brian/m Arthur/m", "en-GB-WLS": "Geraint/m", "en-IE": "Niamh/f",
    "en-IN": "Aditi/f Raveena/f Kajal/f", "en-NZ": "Aria/f", "en-SG": "Jasmine/f",
    "en-US": "Danielle/f Ivy/f Joanna/f Kendra/f Kimberly/f Ruth/f Salli/f Tiffany/f Gregory/m Joey/m Justin/m Kevin/m Matthew/m Patrick/m "
             "Stephen/m",
    "en-ZA": "Ayanda/f", "es-ES": "Alba/f Conchita/f Lucia/f Enrique/m Raul/m Sergio/m", "es-MX": "Mia/f Andres/m",
    "es-US": "Lupe/f Penelope/f Miguel/m Pedro/m", "fi-FI": "Suvi/f", "fr-BE": "Isabelle/f", "fr-CA": "Chantal/f Gabrielle/f Liam/m",
    "fr-FR": "Ambre/f Celine/f Lea/f Florian/m Mathieu/m Remi/m", "hi-IN": "Arjun/m", "is-IS": "Dora/f Karl/m",
    "it-IT": "Beatrice/f Bianca/f Carla/f Adriano/m Giorgio/m Lorenzo/m", "ja-JP": "Kazuha/f Mizuki/f Tomoko/f Takumi/m",
    "ko-KR": "Jihye/f Seoyeon/f Hyunduk/m", "nb-NO": "Ida/f Liv/f", "nl-BE": "Lisa/f", "nl-NL": "Laura/f Lotte/f Ruben/m",
    "pl-PL": "Ewa/f Maja/f Ola/f Jacek/m Jan/m", "pt-BR": "Camila/f Vitoria/f Ricardo/m Thiago/m", "pt-PT": "Ines/f Cristiano/m",
    "ro-RO": "Carmen/f", "ru-RU": "Tatyana/f Maxim/m", "sv-SE": "Astrid/f Elin/f", "tr-TR": "Burcu/f Filiz/f", "yue-CN": "Hiujin/f",
    "": "Carlos/m Carolina/f Curtis/m Kenneth/m Kiara/f Leo/m Nate/m Tina/f",
}  # fmt: skip
"""Voices by the language they speak where none is asked for; those whose language we do not know speak `en-US` then."""

_KNOWN: Final = {
    name.lower(): (name, language or "en-US", sex)
    for language, names in _VOICES.items()
    for name, sex in (entry.split("/") for entry in names.split())
}
_CODES: Final = {code.lower(): code for code in LANGUAGES}
_VARIANT: Final = {"f": "f3", "m": "m3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who speaks."""

    asked: str
    """Polly's name."""
    language: str
    """Polly's code."""
    espeak: str
    """eSpeak NG's name, with a variant."""


def choose(voice: str, language: str | None) -> Voice:
    """The voice for a Polly name; a language that is asked for wins over the voice's own. Raises `SpeechFailed` (`voice`)."""
    plain = "".join(c for c in unicodedata.normalize("NFD", voice.strip().lower()) if not unicodedata.combining(c))
    known = _KNOWN.get(plain)
    if known is None:
        raise SpeechFailed("voice", f'VoiceId "{_shown(voice)}" is not a voice of Amazon Polly (for example Joanna, Matthew, Amy, Vicki)')
    name, own, sex = known
    code = own if language is None else spoken(language)
    if code is None:
        raise SpeechFailed("voice", f'LanguageCode "{_shown(language or "")}" is not a language of Amazon Polly (for example en-US, de-DE)')
    return Voice(asked=name, language=code, espeak=f"{LANGUAGES[code]}+{_VARIANT[sex]}")


def spoken(language: str) -> str | None:
    """Polly's code for a language tag in any case, or for its first part; None where nobody speaks it."""
    tag = language.strip().lower().replace("_", "-")
    if tag in _CODES:
        return _CODES[tag]
    first = {"en": "en-US", "es": "es-ES", "fr": "fr-FR", "de": "de-DE", "pt": "pt-BR", "ar": "arb", "zh": "cmn-CN", "nl": "nl-NL"}
    base = tag.split("-")[0]
    return first.get(base) or next((code for code in LANGUAGES if code.split("-")[0].lower() == base), None)


def _shown(text: str) -> str:
    return text[:40].encode("ascii", "backslashreplace").decode()
