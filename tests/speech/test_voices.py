"""Every Amazon Polly voice and language has one of eSpeak NG's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from outdial.model.work import SpeechSource
from outdial.speech.failure import SpeechFailed
from outdial.speech.plan import plan
from outdial.speech.voices import LANGUAGES, choose


@pytest.mark.parametrize(("voice", "language", "espeak"), [
    ("Joanna", None, "en-us+f3"), ("Matthew", None, "en-us+m3"), ("Amy", None, "en+f3"), ("Vicki", None, "de+f3"), ("Lea", None, "fr+f3"),
    ("Camila", None, "pt-br+f3"), ("Lupe", None, "es-419+f3"), ("Kajal", None, "en+f3"), ("Kajal", "hi-IN", "hi+f3"),
    ("Aditi", "hi-IN", "hi+f3"),
    ("joanna", "en-us", "en-us+f3"), ("Léa", "fr-FR", "fr+f3"), ("Joanna", "de-DE", "de+f3"), ("Joanna", "en_GB", "en+f3"),
    ("Amy", "en", "en-us+f3"),
    ("Joanna", "es-AR", "es+f3"), ("Zhiyu", "zh-CN", "cmn+f3"), ("Tina", None, "en-us+f3"),
])  # fmt: skip
def test_choice(voice: str, language: str | None, espeak: str) -> None:
    assert choose(voice, language).espeak == espeak


@pytest.mark.parametrize(("voice", "language", "detail"), [
    ("Jo", None, 'VoiceId "Jo" is not a voice of Amazon Polly (for example Joanna, Matthew, Amy, Vicki)'),
    ("\ud800", None, 'VoiceId "\\ud800" is not a voice of Amazon Polly (for example Joanna, Matthew, Amy, Vicki)'),
    ("Joanna", "tlh", 'LanguageCode "tlh" is not a language of Amazon Polly (for example en-US, de-DE)'),
])  # fmt: skip
def test_unknown(voice: str, language: str | None, detail: str) -> None:
    with pytest.raises(SpeechFailed) as caught:
        choose(voice, language)
    assert (caught.value.reason, caught.value.detail) == ("voice", detail)


def test_all_of_polly_s_voices_and_languages_are_known() -> None:
    botocore = pytest.importorskip("botocore")
    (model,) = Path(botocore.__file__).parent.glob("data/polly/*/service-2.json*")
    shapes = json.loads(gzip.decompress(model.read_bytes()) if model.suffix == ".gz" else model.read_bytes())["shapes"]
    for voice in shapes["VoiceId"]["enum"]:
        choose(voice, None)
    assert set(shapes["LanguageCode"]["enum"]) == set(LANGUAGES)


def test_the_key_names_everything_that_makes_the_sound() -> None:
    base = SpeechSource(text="Hello")
    same = [base, SpeechSource(text="Hello", engine="neural"), SpeechSource(text="Hello", voice="Kendra"), SpeechSource(text=" Hello ")]
    other = [
        SpeechSource(text="Hello!"), SpeechSource(text="Hello", voice="Matthew"), SpeechSource(text="Hello", language="de-DE"),
        SpeechSource(text="<speak>Hello</speak>", text_type="ssml"),
    ]  # fmt: skip
    keys = [plan(source, "1").key for source in (*same, *other)]
    assert len(set(keys[: len(same)])) == 1
    assert len(set(keys)) == 1 + len(other)
    assert plan(base, "2").key != plan(base, "1").key


def test_the_remark_names_both_voices() -> None:
    assert plan(SpeechSource(text="Hello", voice="Vicki"), "1").remark == "Vicki (de-DE) is spoken by eSpeak NG's de+f3"


@pytest.mark.parametrize("source", [
    SpeechSource(text=" \n"), SpeechSource(text="\x00\x07"), SpeechSource(text="<speak/>", text_type="ssml"),
    SpeechSource(text="<speak><p> </p></speak>", text_type="ssml"),
])  # fmt: skip
def test_nothing_to_speak(source: SpeechSource) -> None:
    with pytest.raises(SpeechFailed) as caught:
        plan(source, "1")
    assert (caught.value.reason, caught.value.detail) == ("ssml", "there is nothing in the text that could be spoken")


def test_text_is_never_markup() -> None:
    said = plan(SpeechSource(text="a < b & <break time='2s'/>\nc\x00d \ud800"), "1")
    assert (said.ssml, said.text) == (False, "a < b & <break time='2s'/> c d ?")
