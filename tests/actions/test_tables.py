"""The actions' state machines are total (STYLE 3)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from actions.driver import A, B, Driven
from outdial.actions import get_digits, playback, receive_digits, record_audio, send_digits
from outdial.actions.table import TABLE
from outdial.core import Table, draw, missing
from outdial.model import media
from outdial.model.ids import CommandId, Token
from outdial.model.work import Matched, PromptReady, WorkFailed

MACHINES = [
    (playback.PLAYBACK, playback),
    (get_digits.GET_DIGITS, get_digits),
    (receive_digits.RECEIVE_DIGITS, receive_digits),
    (send_digits.SEND_DIGITS, send_digits),
    (record_audio.RECORD_AUDIO, record_audio),
]


@pytest.mark.parametrize(("table", "module"), MACHINES)
def test_total(table: Table, module: Any) -> None:
    states: type[Enum] = module.State
    inputs: type[Enum] = module.Input
    assert missing(table, states, inputs) == []


@pytest.mark.parametrize(("table", "module"), MACHINES)
def test_every_state_is_reached_and_can_be_left(table: Table, module: Any) -> None:
    arrows = {(state, row[0]) for state, rows in table.items() for row in rows.values() if isinstance(row, tuple)}
    states = set(module.State)
    start = next(iter(module.State))
    reached = {start}
    for _ in states:
        reached |= {to for state, to in arrows if state in reached}
    assert reached == states
    assert all(any(state is source for source, _ in arrows) for state in states - {module.State.OVER})
    assert draw(table).startswith("stateDiagram-v2")


@pytest.mark.parametrize("action", TABLE)
def test_what_is_not_the_action_s_own_changes_nothing(action: str) -> None:
    driven = Driven(action)
    other, token = CommandId(10**9), Token(10**9)
    others: list[Any] = [
        media.PlayEnded(id=other, stream=A, why="finished", played_ms=1),
        media.Collected(id=other, stream=B, digits="1", why="max"),
        media.RecordEnded(id=other, stream=A, why="limit", path="x", samples=1), media.Failed(id=other, stream=A, reason="x"),
        media.DigitsSent(id=other, stream=A, why="finished"), media.Digit(stream=A, digit="1", duration_ms=1, how="event"),
        PromptReady(token=token, path="x", samples=1), Matched(token=token, yes=True), WorkFailed(token=token, reason="x"),
        media.Done(id=other, stream=A), media.Ready(version="1"), "noise", None,
    ]  # fmt: skip
    assert [out for item in others for out in driven.give(item)] == []


def test_what_call_control_must_know_of_each() -> None:
    """Reference 6.3, 10.18 and section 5; DESIGN 3.3: when a leg goes, RecordAudio alone still reports."""
    supported = {name: kind for name, kind in TABLE.items() if kind.reports_mid_list or kind.interruptible or kind.owns_digits}
    assert {name for name, kind in supported.items() if kind.reports_mid_list} == {
        "Hangup", "PlayAudioAndGetDigits", "SpeakAndGetDigits", "RecordAudio",
    }  # fmt: skip
    assert {name for name, kind in supported.items() if kind.interruptible} == {"PlayAudio", "Speak", "Pause", "RecordAudio"}
    assert {name for name, kind in TABLE.items() if kind.reports_when_leg_goes} == {"RecordAudio"}
    assert {name for name, kind in supported.items() if kind.owns_digits} == {"PlayAudioAndGetDigits", "SpeakAndGetDigits"}
