"""The background listener, as a line of time: digits, pauses, matches (reference 10.6 and 18)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.driver import CALL, A, B
from outdial.actions.listener import Heard, Listener
from outdial.actions.values import ArmListener
from outdial.io.ids import SeededIds
from outdial.model.actions import Action
from outdial.model.media import Digit
from outdial.model.work import Match, Matched, Note, WorkFailed

ECHO = Action(type="ReceiveDigits", parameters={"CallId": A})


class Line:
    """A listener on a line of time; matches are answered by Python's `re` at once unless they are held."""

    def __init__(self, pattern: str = r"^\d{2}#$", between_ms: int = 1000, flush_ms: int = 10000) -> None:
        armed = ArmListener(leg=A, pattern=pattern, between_ms=between_ms, flush_ms=flush_ms, action=ECHO)
        self.listener = Listener(armed, CALL, SeededIds(1))
        self.now = 50.0
        self.heard: list[str] = []
        self.tried: list[str] = []
        self.notes: list[Note] = []
        self.held: list[Match] = []
        self.hold = False

    def press(self, digits: str, every: float = 0.1) -> Line:
        for digit in digits:
            self._give(Digit(stream=A, digit=digit, duration_ms=100, how="event"))
            self.wait(every)
        return self

    def wait(self, seconds: float) -> Line:
        until = self.now + seconds
        while (deadline := self.listener.next_deadline()) is not None and deadline.at <= until:
            self.now = deadline.at
            self.listener.handle_timer(self.now)
            self._drain()
        self.now = until
        return self

    def answer(self, yes: bool | None = None, failed: str = "") -> Line:
        match = self.held.pop(0)
        if failed:
            self._give(WorkFailed(token=match.token, reason=failed, detail="it ran for ever"))
        else:
            self._give(Matched(token=match.token, yes=bool(re.search(match.pattern, match.texts[0])) if yes is None else yes))
        return self

    def _give(self, item: Any) -> None:
        self.listener.receive(item, self.now)
        self._drain()

    def _drain(self) -> None:
        while (output := self.listener.next_output()) is not None:
            match output:
                case Match():
                    self.tried.append(output.texts[0])
                    self.held.append(output)
                    if not self.hold:
                        self.answer()
                case Heard():
                    assert (output.leg, output.action) == (A, ECHO)
                    self.heard.append(output.digits)
                case Note():
                    self.notes.append(output)


def test_digits_are_tried_when_the_pause_has_passed_and_reported_with_hash_and_star() -> None:
    """Trait 5; the reference's example is `"11#"`."""
    line = Line().press("11#").wait(0.8)
    assert line.tried == []
    line.wait(0.1)
    assert (line.tried, line.heard) == (["11#"], ["11#"])
    assert line.listener.next_deadline() is None


def test_what_does_not_match_causes_nothing_and_is_continued() -> None:
    line = Line().press("1").wait(1.5)
    assert (line.tried, line.heard) == (["1"], [])
    line.press("2#").wait(1)
    assert (line.tried, line.heard) == (["1", "12#"], ["12#"])


def test_after_a_match_the_buffer_is_clear_and_listening_goes_on() -> None:
    line = Line().press("12#").wait(1).press("34#").wait(1)
    assert line.heard == ["12#", "34#"]


def test_what_has_gathered_is_thrown_away_when_the_flush_time_has_passed_since_the_first_digit() -> None:
    line = Line().press("1").wait(9.8)
    line.wait(0.1).press("2#").wait(2)
    assert line.heard == []
    assert line.tried[-1] == "2#"


def test_the_flush_time_begins_anew_with_the_next_digit() -> None:
    line = Line().press("9").wait(10).press("1").wait(5).press("2#").wait(1)
    assert line.heard == ["12#"]


def test_somebody_who_presses_on_past_the_flush_time() -> None:
    line = Line(flush_ms=2000)
    line.press("1234", every=0.9).wait(2)
    assert line.tried == ["4"]


def test_pressed_while_trying_and_it_matched() -> None:
    line = Line()
    line.hold = True
    line.press("12#").wait(1).press("34").answer()
    assert line.heard == ["12#"]
    line.press("#").wait(1).answer()
    assert line.heard == ["12#", "34#"]
    assert line.tried == ["12#", "34#"]


def test_pressed_while_trying_and_it_did_not_match() -> None:
    line = Line()
    line.hold = True
    line.press("1").wait(1).press("2").answer().press("#").wait(1).answer()
    assert line.heard == ["12#"]


def test_the_pause_passes_while_trying() -> None:
    line = Line()
    line.hold = True
    line.press("1").wait(1).press("2#").wait(3)
    assert line.tried == ["1"]
    line.answer()
    assert line.tried == ["1", "12#"]
    line.answer()
    assert line.heard == ["12#"]


def test_the_flush_time_passes_while_trying() -> None:
    line = Line()
    line.hold = True
    line.press("1").wait(12).answer(yes=False)
    line.press("2#").wait(1)
    assert line.tried == ["1", "2#"]


def test_a_match_that_comes_after_the_flush_time_counts() -> None:
    line = Line()
    line.hold = True
    line.press("12#").wait(12).answer()
    assert line.heard == ["12#"]


def test_an_expression_that_runs_for_ever_is_noted_and_listening_goes_on() -> None:
    line = Line()
    line.hold = True
    line.press("12#").wait(1).answer(failed="too_slow")
    assert line.heard == []
    assert [note.what for note in line.notes] == ["ReceiveDigits: what was pressed could not be tried: it ran for ever"]
    line.wait(10).press("34#").wait(1).answer()
    assert line.heard == ["34#"]


def test_other_legs_and_other_work_are_not_ours() -> None:
    line = Line()
    line._give(Digit(stream=B, digit="1", duration_ms=100, how="event"))
    line._give(Matched(token=line.listener._ids.number(), yes=True))  # type: ignore[arg-type]
    assert line.listener.next_deadline() is None


def test_memory_is_bounded_whatever_is_pressed() -> None:
    line = Line(pattern=".", between_ms=10_000, flush_ms=10_000_000)
    line.press("1" * 1000, every=0.05).wait(10)
    assert len(line.tried) == 1
    assert len(line.tried[0]) <= 128


@given(
    st.lists(st.tuples(st.sampled_from("0123456789*#"), st.sampled_from([0.05, 0.3, 0.99, 1.0, 1.01, 2.5, 12.0])), max_size=30),
    st.sampled_from([r"^\d{2}#$", "[0-9]", "^$", "#", ".*"]),
)
def test_every_digit_is_heard_at_most_once_and_in_order(presses: list[tuple[str, float]], pattern: str) -> None:
    line = Line(pattern=pattern)
    for digit, pause in presses:
        line.press(digit, every=pause)
    line.wait(30)
    rest = "".join(digit for digit, _ in presses)
    for digits in line.heard:
        assert re.search(pattern, digits)
        at = rest.find(digits)
        assert at >= 0
        rest = rest[at + len(digits) :]
    assert line.listener.next_deadline() is None


@pytest.mark.parametrize("pause", [0.999, 1.0])
def test_the_pause_is_exact(pause: float) -> None:
    line = Line().press("12#", every=0)
    line.wait(pause)
    assert line.heard == (["12#"] if pause >= 1 else [])
