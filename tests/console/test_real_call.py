"""The observers and the renderings on the records of real calls: the node's own code on virtual time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from helpers.observed import BARE_NUMBER, Observed
from outdial.console.call_story import call_story
from outdial.console.ladder import ladder
from outdial.console.told import Teller
from outdial.model.records import CallEnded
from outdial.model.resources import CallHistory


def reply(event: dict[str, Any]) -> Any:
    if event["InvocationEventType"] == "CALL_ANSWERED":
        return {
            "SchemaVersion": "1.0",
            "Actions": [{"Type": "Speak", "Parameters": {"Text": "Call +12065550199 back"}}, {"Type": "Hangup"}],
        }
    return {"SchemaVersion": "1.0", "Actions": []}


@pytest.fixture
def answered(tmp_path: Path) -> tuple[Observed, CallHistory]:
    observed = Observed(tmp_path, reply)
    world = observed.world
    placed = world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("ring")
    world.go(1.0)
    world.order("answer")
    world.until(lambda: "HANGUP" in world.types)
    world.go(1.0)
    return observed, observed.history(placed)


def arrows(text: str) -> list[str]:
    """The labels of a ladder's arrows."""
    return re.findall(r"[<─]─? ([^─│]+?) ─?[─>]", text)


def test_the_ladder_of_a_call_tells_its_signalling_in_order(answered: tuple[Observed, CallHistory]) -> None:
    labels = arrows(ladder(answered[1]))
    signalling = [label for label in labels if re.match(r"[A-Z]{3,6}$|\d{3} ", label) and label not in ("RINGING", "HANGUP")]
    assert signalling == ["INVITE", "100 Trying", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK"]
    events = [label for label in labels if label in ("NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP")]
    assert events == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert labels.index("CALL_ANSWERED") < labels.index("Speak, Hangup") < labels.index("BYE")


def test_nothing_that_is_shown_has_a_bare_number(answered: tuple[Observed, CallHistory]) -> None:
    observed, history = answered
    lines = [line for line in (ladder(history) + call_story(history)).splitlines() if history.call.call not in line]
    for line in lines:
        assert not BARE_NUMBER.search(line), line
    observed.nothing_is_bare()
    assert "Call +1206555**** back" in call_story(history)


def test_what_was_followed_is_what_was_kept(answered: tuple[Observed, CallHistory]) -> None:
    observed, history = answered
    followed = [observed.steps.take() for _ in range(len(observed.steps))]
    kept = [history.call, *history.legs, *history.events, *history.invocations, *history.outcomes, *history.sip, history.cdr, history.ended]
    assert all(record in followed for record in kept)
    assert isinstance(followed[-1], CallEnded)
    teller = Teller()
    told = [line for record in followed for line in teller.tell(record)]
    assert told[0].endswith("> calling +1206555**** from +1206555****")
    assert told[-1].split(" - ")[1].startswith("call over: completed after")


def test_a_calls_life_is_under_ten_lines_at_info(answered: tuple[Observed, CallHistory]) -> None:
    observed, history = answered
    life = [line for line in observed.lines if f"call={history.call.call[:6]}" in line and " DEBUG " not in line]
    assert 4 <= len(life) < 10, life


def test_metrics_of_the_call(answered: tuple[Observed, CallHistory]) -> None:
    page = answered[0].metrics.render().decode()
    assert "outdial_calls_in_progress 0.0" in page
    assert 'outdial_calls_ended_total{reason="completed"} 1.0' in page
    assert 'outdial_sip_messages_total{method="INVITE",status="200",way="received"} 1.0' in page
    assert 'outdial_invocation_seconds_count{outcome="replied"} 4.0' in page


def test_a_busy_telephone_is_told_in_a_plain_sentence(tmp_path: Path) -> None:
    observed = Observed(tmp_path, reply)
    world = observed.world
    placed = world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("reject", status=486)
    world.until(lambda: "HANGUP" in world.types)
    world.go(1.0)
    history = observed.history(placed)
    story = call_story(history).splitlines()
    assert story[3].startswith("Failed (busy) after")
    assert story[4] == "The callee was busy. The far end answered 486 Busy Here."
    assert arrows(ladder(history)).count("ACK") == 1
