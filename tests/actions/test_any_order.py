"""Whatever happens in whatever order, an action says one last thing, nothing after it, and leaves no timer and nothing running."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.driver import LEAST, A, Driven
from outdial.actions.values import FailedAs, Interrupt, Interrupted, LegGone
from outdial.model import media
from outdial.model.records import RecordingRow
from outdial.model.work import Deliver, Delivered, Match, Matched, Prompt, PromptReady, WorkFailed

PARAMETERS = {
    **LEAST,
    "PlayAudioAndGetDigits": {**LEAST["PlayAudioAndGetDigits"], "InputDigitsRegex": "^[12]$", "Repeat": 3, "MinNumberOfDigits": 1},
}
HAPPENINGS = (
    "prompt", "no prompt", "yes", "no", "no match", "done", "failed", "played", "stopped", "digit", "digits", "no digits", "sent",
    "recorded", "hung up", "delivered", "not delivered", "interrupt", "leg gone", "engine gone", "time",
)  # fmt: skip
COMMANDS = (media.Play, media.Collect, media.Record, media.SendDigits)


def happen(driven: Driven, what: str, which: int) -> None:
    """Let one thing happen to what the action asked for (the `which`-th of its kind), where it asked for such a thing."""

    def one(*kinds: Any) -> Any | None:
        asked = [item for item in driven.out if isinstance(item, kinds)]
        return asked[which % len(asked)] if asked else None

    play, collect, record, send = (one(kind) for kind in COMMANDS)
    command, prompt, match, deliver = one(*COMMANDS), one(Prompt), one(Match), one(Deliver)
    item: Any = None
    match what:
        case "prompt":
            item = prompt and PromptReady(token=prompt.token, path="/p", samples=1)
        case "no prompt":
            item = prompt and WorkFailed(token=prompt.token, reason="not_found")
        case "yes" | "no":
            item = match and Matched(token=match.token, yes=what == "yes")
        case "no match":
            item = match and WorkFailed(token=match.token, reason="too_slow")
        case "done":
            item = command and media.Done(id=command.id, stream=A)
        case "failed":
            item = command and media.Failed(id=command.id, stream=A, reason="no_stream")
        case "played" | "stopped" | "digit":
            why: Any = {"played": "finished"}.get(what, what)
            item = play and media.PlayEnded(id=play.id, stream=A, why=why, played_ms=1)
        case "digits" | "no digits":
            item = collect and media.Collected(id=collect.id, stream=A, digits="1" if what == "digits" else "", why="max")
        case "sent":
            item = send and media.DigitsSent(id=send.id, stream=A, why="finished")
        case "recorded" | "hung up":
            ended: Any = "limit" if what == "recorded" else "stream_closed"
            item = record and media.RecordEnded(id=record.id, stream=A, why=ended, path=record.path, samples=1)
        case "delivered":
            item = deliver and Delivered(token=deliver.token)
        case "not delivered":
            item = deliver and WorkFailed(token=deliver.token, reason="denied")
        case "interrupt":
            item = Interrupt() if driven.kind.interruptible else None
        case "leg gone":
            item = LegGone()
        case "engine gone":
            item = media.EngineGone()
        case "time":
            driven.wait(which)
    if item is not None:
        driven.give(item, after=0.1)


@pytest.mark.parametrize("action", PARAMETERS)
@settings(max_examples=150, deadline=None)
@given(happenings=st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 12)), max_size=25))
def test_any_order(action: str, happenings: list[tuple[str, int]]) -> None:
    driven = Driven(action, PARAMETERS[action])
    interrupted = gone = False
    for what, which in happenings:
        before = driven.end
        if before is None and what == "interrupt" and driven.kind.interruptible and not gone:
            interrupted = True
        gone = gone or what == "leg gone"
        happen(driven, what, which)
        if before is not None:
            assert driven.end is before
    if driven.end is not None:
        assert driven.running.next_deadline() is None
        if interrupted and not gone and driven.kind.name != "RecordAudio":
            assert isinstance(driven.end, Interrupted)
        if isinstance(driven.end, FailedAs):
            assert driven.end.error_type
            assert driven.end.message
    ids = [item.id for item in driven.all(object) if isinstance(item, COMMANDS)]
    assert len(ids) == len(set(ids)) <= 20
    rows = driven.all(RecordingRow)
    assert len({row.recording for row in rows}) <= 1
    assert [row.finished for row in rows] == sorted(row.finished for row in rows)


ENGINE_ENDS = ("played", "digits", "sent", "recorded")


@pytest.mark.parametrize("action", PARAMETERS)
@settings(max_examples=60, deadline=None)
@given(happenings=st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 12)), max_size=10))
def test_whatever_happened_it_comes_to_an_end(action: str, happenings: list[tuple[str, int]]) -> None:
    """After any beginning in which the leg stays, an engine and workshop that do their work bring every action to its end."""
    driven = Driven(action, PARAMETERS[action])
    for what, which in happenings:
        if what not in ("leg gone", "hung up"):
            happen(driven, what, which)
    for _ in range(12):
        for what in ("prompt", "yes", "done", *ENGINE_ENDS, "delivered"):
            if driven.end is None:
                for which in range(len(driven.out)):
                    happen(driven, what, which)
    assert driven.end is not None
