"""The scenario language itself: what it reads, what it refuses, and that a scenario can fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outdial.testing.ladder import Ladder, Mismatch
from outdial.testing.ladder_text import LadderError, parse
from outdial.testing.shorthand import differences, read_reply

GOOD = """
answered call
handler > us     PlayAudio tone-440.wav
us > alice       RTP tone 440Hz 1.0s
us > handler     ACTION_SUCCESSFUL seq=3 type=PlayAudio
alice > us       BYE
us > handler     HANGUP seq=4 code=0                    ends: callee, success, completed
"""


def run(text: str, folder: Path, **more: Any) -> None:
    (scenario,) = parse(text)
    Ladder(scenario, folder, **more).run()


def test_a_true_scenario_passes(tmp_path: Path) -> None:
    run(GOOD, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("440Hz", "460Hz", "instead sounded tone 440Hz 1.00s"),
        ("440Hz 1.0s", "440Hz 1.5s", "instead sounded tone 440Hz 1.00s"),
        ("seq=3", "seq=4", "seq is 3, wanted 4"),
        ("type=PlayAudio", "type=Speak", "type is 'PlayAudio', wanted 'Speak'"),
        ("code=0", "code=480", "code is 0, wanted 480"),
        ("ACTION_SUCCESSFUL", "ACTION_FAILED", "instead came ACTION_SUCCESSFUL seq=3 Type=PlayAudio"),
        ("us > handler     ACTION_SUCCESSFUL seq=3 type=PlayAudio\n", "", "instead came ACTION_SUCCESSFUL"),
        ("alice > us       BYE\n", "", "nothing came within 35 s"),
        ("alice > us       BYE", "us > alice       BYE", "nothing came within 35 s"),
        ("callee, success", "us, success", "the call ended callee, success, completed"),
        ("alice > us       BYE", "alice > us       INVITE offer pcma\n... 0.1s\nalice > us       BYE", "no line tells 488"),
        ("us > handler     HANGUP seq=4 code=0 ", "", "no line tells HANGUP"),
        ("alice > us       BYE", "us > alice       RTP nothing 1s\nalice > us       BYE", "packets came"),
        ("alice > us       BYE", "us > alice       RTP tone 440Hz\nalice > us       BYE", "no further tone came"),
        ("us > alice       RTP tone 440Hz 1.0s", "us > alice       RTP silence 0.5s", "instead sounded"),
        ("alice > us       BYE", "us > log warning nonsense\nalice > us       BYE", "the notes are"),
    ],
)
def test_an_untrue_line_fails_and_says_what_came_instead(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Mismatch) as caught:
        run(GOOD.replace(old, new), tmp_path)
    assert said in str(caught.value)
    assert "CALL_ANSWERED" in str(caught.value), "the ladder so far is shown"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alice > us 180", "does not say how it ends"),
        ("what is this\nends: us, success, completed", "wanted 'party > party what'"),
        ("... soon\nends: us, success, completed", "wanted a time that passes"),
        ("== title\n== another\nalice > us 180 ends: us, success, completed", "has no lines"),
        ('alice > us "180\nends: us, success, completed', "No closing quotation"),
        ("", "no scenario in it"),
    ],
)
def test_text_that_is_no_scenario_is_refused_by_line(text: str, said: str) -> None:
    with pytest.raises(LadderError) as caught:
        parse(text, "file")
    assert said in str(caught.value)
    assert str(caught.value).startswith("file")


def test_a_title_has_tags_and_variants() -> None:
    text = "== {a} is {b} [loss walk]\nwith a=1 b=2\nwith a=3 b='x y'\nalice > us {a} ends: us, success, completed"
    scenarios = parse(text, "f")
    assert [one.title for one in scenarios] == ["1 is 2", "3 is x y"]
    assert scenarios[0].tags == ("loss", "walk")
    assert scenarios[1].lines[0].words == ("3",)


def test_replies_are_lists_of_short_forms() -> None:
    actions, attributes = read_reply(
        ["Pause", "500", "+", "PlayAudio", "a.wav", "Repeat=2", "AudioSource.Key=b.wav", 'attributes={"k":"v"}']
    )
    assert actions == [
        {"Type": "Pause", "Parameters": {"DurationInMilliseconds": "500"}},
        {"Type": "PlayAudio", "Parameters": {"AudioSource": {"Type": "S3", "BucketName": "prompts", "Key": "b.wav"}, "Repeat": 2}},
    ]
    assert attributes == {"k": "v"}
    assert read_reply(["nothing"]) == ([], None)


def test_events_are_compared_by_type_as_well() -> None:
    event = {"Sequence": 3, "ActionData": {"Parameters": {"Repeat": "1"}}}
    assert differences(event, {"seq": 3, "Repeat": "1", "code": "-"}) == []
    assert differences(event, {"Repeat": 1}) == ["Repeat is '1', wanted 1"]


def test_a_handler_of_ones_own_is_tested_by_the_same_text(tmp_path: Path) -> None:
    def handler(event: dict[str, Any]) -> dict[str, Any]:
        play = {"Type": "PlayAudio", "Parameters": {"AudioSource": {"Type": "S3", "BucketName": "prompts", "Key": "tone-440.wav"}}}
        return {"SchemaVersion": "1.0", "Actions": [play] if event["InvocationEventType"] == "CALL_ANSWERED" else []}

    run(GOOD, tmp_path / "good", handler=handler)
    with pytest.raises(Mismatch, match="the handler answered"):
        run(GOOD.replace("PlayAudio tone-440.wav", "Speak hello"), tmp_path / "bad", handler=handler)
