"""SSML as Amazon Polly takes it becomes what eSpeak NG understands; the rest is refused with its place."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.speech import markup, ssml
from outdial.speech.failure import SpeechFailed


def written(inside: str, language: str = "en-US") -> str:
    document = markup.write(ssml.parse(f"<speak>{inside}</speak>"), language)
    return document.removeprefix("<speak>").removesuffix("</speak>")


def refusal(document: str) -> str:
    with pytest.raises(SpeechFailed) as caught:
        markup.write(ssml.parse(document), "en-US")
    assert caught.value.reason == "ssml"
    return caught.value.detail


@pytest.mark.parametrize(("inside", "out"), [
    ("Hi", "Hi"), ("a &lt; b &amp; c", "a &lt; b &amp; c"), ("<p>A</p><s>B</s>", "<p>A</p><s>B</s>"), ("a\nb\tc", "a b c"), ("क्‍ष", "क्‍ष"),
    # break, with the times that applications use (real-handlers, section 1)
    ('<break time="500ms"/>', '<break time="500ms"/>'), ('<break time="9000ms"/>', '<break time="9000ms"/>'),
    ('<break time="2s"/>', '<break time="2000ms"/>'),
    ('<break time="1.5s"/>', '<break time="1500ms"/>'), ("<break/>", '<break strength="medium"/>'),
    ('<break strength="x-strong"/>', '<break strength="x-strong"/>'),
    # say-as, with the values that applications use
    ('<say-as interpret-as="digits">1234</say-as>', "1 2 3 4"), ('<say-as interpret-as="number:digits">42</say-as>', "4 2"),
    ('<say-as interpret-as="telephone">(206) 555-0100</say-as>', "2 0 6, 5 5 5, 0 1 0 0"),
    ('<say-as interpret-as="telephone">+12065550100</say-as>', "1 2 0 6 5 5 5 0 1 0 0"),
    ('<say-as interpret-as="characters">AB1</say-as>', '<say-as interpret-as="characters">AB1</say-as>'),
    ('<say-as interpret-as="spell-out">a&lt;b</say-as>', '<say-as interpret-as="characters">a&lt;b</say-as>'),
    ('<say-as interpret-as="cardinal">1234</say-as>', "1234"), ('<say-as interpret-as="ordinal">3</say-as>', "3rd"),
    ('<say-as interpret-as="ordinal">12</say-as>', "12th"), ('<say-as interpret-as="ordinal">21</say-as>', "21st"),
    ('<say-as interpret-as="ordinal">112</say-as>', "112th"),
    ('<say-as interpret-as="fraction">3/20</say-as>', "3 over 20"),
    ('<say-as interpret-as="time">1\'21"</say-as>', "1 minute and 21 seconds"),
    ('<say-as interpret-as="date" format="mdy">9/21/2026</say-as>', "September 21st, 2026"),
    ('<say-as interpret-as="date" format="dmy">3.1.2026</say-as>', "January 3rd, 2026"),
    ('<say-as interpret-as="date">20260921</say-as>', "September 21st, 2026"),
    ('<say-as interpret-as="date" format="my">09/2026</say-as>', "September, 2026"),
    ('<say-as interpret-as="date" format="mdy">13/21/2026</say-as>', "13 21 2026"),
    ('<say-as interpret-as="date" format="mdy">soon</say-as>', "soon"),
    ('<say-as interpret-as="expletive">damn</say-as>', '<break time="300ms"/>'),
    ('<say-as interpret-as="address">1 Main St</say-as>', "1 Main St"),
    ('<say-as interpret-as="no-such-kind">42</say-as>', "42"),
    # prosody: eSpeak NG has no decibels
    ('<prosody rate="slow" pitch="+10%">A</prosody>', '<prosody rate="slow" pitch="+10%">A</prosody>'),
    ('<prosody rate="90%">A</prosody>', '<prosody rate="90%">A</prosody>'),
    ('<prosody volume="+6dB">A</prosody>', '<prosody volume="loud">A</prosody>'),
    ('<prosody volume="-20dB">A</prosody>', '<prosody volume="x-soft">A</prosody>'), ('<prosody amazon:max-duration="2s">A</prosody>', "A"),
    ("<emphasis>A</emphasis>", '<emphasis level="moderate">A</emphasis>'),
    ('<emphasis level="strong">A</emphasis>', '<emphasis level="strong">A</emphasis>'),
    ('<sub alias="World Wide Web">WWW</sub>', "World Wide Web"), ('<w role="amazon:VB">read</w>', "read"), ('<mark name="here"/>A', "A"),
    ('<phoneme alphabet="ipa" ph="pɪˈkɑːn">pecan</phoneme>', "pecan"),
    ('<lang xml:lang="fr-FR">Bonjour</lang>', '<voice xml:lang="fr">Bonjour</voice>'),
    ('<amazon:effect name="whispered">A</amazon:effect>', "A"), ('<amazon:domain name="news">A</amazon:domain>', "A"),
    ("<amazon:breath/>A", "A"),
    ("<amazon:auto-breaths>A</amazon:auto-breaths>", "A"),
    ('<p>Hi <say-as interpret-as="digits">1<break/>2</say-as></p>', "<p>Hi 1 2</p>"),
])  # fmt: skip
def test_what_polly_has(inside: str, out: str) -> None:
    assert written(inside) == out


def test_numbers_of_dates_are_left_alone_in_other_languages() -> None:
    assert written('<say-as interpret-as="date" format="dmy">3.1.2026</say-as>', "de-DE") == "3 1 2026"
    assert written('<say-as interpret-as="ordinal">3</say-as>', "de-DE") == "3"
    assert written('<lang xml:lang="en-GB"><say-as interpret-as="ordinal">3</say-as></lang>', "de-DE") == '<voice xml:lang="en">3rd</voice>'


@pytest.mark.parametrize(("document", "detail"), [
    ("Hello", "SSML line 1, column 1: not well-formed XML (syntax error)"),
    ("", "SSML line 1, column 1: not well-formed XML (no element found)"),
    ("<speak>Hello", "SSML line 1, column 13: not well-formed XML (no element found)"),
    ("<speak>Tom & Jerry</speak>", "SSML line 1, column 13: not well-formed XML (not well-formed (invalid token))"),
    ("<speak>\n<p>Hi</s></speak>", "SSML line 2, column 8: not well-formed XML (mismatched tag)"),
    ("<speak>&nbsp;</speak>", "SSML line 1, column 8: not well-formed XML (undefined entity)"),
    ("<speak>a</speak><speak>b</speak>", "SSML line 1, column 17: not well-formed XML (junk after document element)"),
    ("<p>Hi</p>", "SSML line 1, column 1: the outermost tag is <p>, it must be <speak>"),
    ("<speak><speak>Hi</speak></speak>", "SSML line 1, column 8: <speak> stands inside <speak>"),
    ('<!DOCTYPE x [<!ENTITY a "aaaa">]><speak>&a;</speak>', "SSML line 1, column 13: a document type is not allowed; begin with <speak>"),
    ("<speak>Hi <audio src='file:///etc/passwd'/></speak>",
     "SSML line 1, column 11: <audio> is not a tag that can be spoken (amazon:auto-breaths, amazon:breath, amazon:domain, amazon:effect, "
     "amazon:emotion, break, emphasis, lang, mark, p, phoneme, prosody, s, say-as, sub, w are)"),
    ("<speak><break time='soon'/></speak>", 'SSML line 1, column 8: time="soon" is not a time, for example "500ms" or "2s"'),
    ("<speak><break time='11s'/></speak>", 'SSML line 1, column 8: time="11s": the longest break is 10 s'),
    ("<speak><break strength='huge'/></speak>",
     'SSML line 1, column 8: strength="huge" means nothing in <break> (for example medium, none, strong, weak, x-strong, x-weak)'),
    ("<speak><prosody rate='quick'>A</prosody></speak>",
     'SSML line 1, column 8: rate="quick" means nothing in <prosody> (for example slow, 90%)'),
    ("<speak><say-as>1</say-as></speak>", "SSML line 1, column 8: <say-as> needs interpret-as"),
    ("<speak><sub>1</sub></speak>", "SSML line 1, column 8: <sub> needs an alias"),
    ("<speak><lang xml:lang='tlh'>nuqneH</lang></speak>", 'SSML line 1, column 8: xml:lang="tlh" is not a language that can be spoken'),
    ("<speak>" + "a" * 6000 + "</speak>", "SSML has 6,015 characters, the most is 6,000"),
    ("<speak>" + "<p/>" * 500 + "</speak>", "SSML line 1, column 2004: there are more than 500 tags"),
])  # fmt: skip
def test_what_is_refused_says_where(document: str, detail: str) -> None:
    assert refusal(document) == detail


def test_it_nests_a_thousand_deep() -> None:
    started = time.monotonic()
    deep = "<speak>" + "<p>" * 700 + "A" + "</p>" * 700 + "</speak>"
    assert refusal(deep) == "SSML line 1, column 53: tags nest more than 16 deep"
    assert refusal("<speak>" + "<p>" * 1000) == "SSML line 1, column 53: tags nest more than 16 deep"
    assert time.monotonic() - started < 0.5


PIECES = ["<p>", "</p>", "<break time='1s'/>", "&amp;", "&#x41;", "x", "<s>", "</s>", "<![CDATA[<]]>", "<sub alias='&lt;'>", "</sub>"]


@given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_comes_it_is_written_or_refused(inside: str) -> None:
    try:
        out = markup.write(ssml.parse(f"<speak>{inside}</speak>"), "en-US")
    except SpeechFailed:
        return
    ssml.parse(out)
