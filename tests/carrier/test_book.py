"""Subscribers of one's own in TOML: what can be written, and what each fault is told."""

from __future__ import annotations

import pytest

from outdial.carrier import steps
from outdial.carrier.book import NAMES, check, read_book
from outdial.carrier.subscribers import SUBSCRIBERS, Subscriber
from outdial.errors import OutdialError


def test_a_whole_script() -> None:
    book = read_book(
        """
[[subscriber]]
number = "+12065550150"
note = "mine"
steps = [
  {ring = 2}, {answer = true}, {say = "Hello."}, {say = {text = "Bye.", voice = "Joanna", wait = false}},
  {listen = {quiet = 0.8, at_most = 10}}, {press = "1#"}, {press = {keys = "2", by = "info"}},
  {tone = {hertz = 440, ms = 200, times = 2}}, {read = {keys = 4}}, {hang_up = {cause = 16}},
]
[[subscriber]]
number = "+12065550151"
steps = [{refuse = 486}]
[[subscriber]]
number = "+12065550152"
steps = [{ring = true}, {answer = true}, {echo = true}]
"""
    )
    assert list(book) == ["+12065550150", "+12065550151", "+12065550152"]
    assert book["+12065550150"] == Subscriber(
        number="+12065550150",
        note="mine",
        steps=(
            steps.Ring(seconds=2), steps.Answer(), steps.Say(text="Hello."), steps.Say(text="Bye.", voice="Joanna", wait=False),
            steps.Listen(quiet=0.8, at_most=10), steps.Press(keys="1#"), steps.Press(keys="2", by="info"),
            steps.Tone(hertz=440, ms=200, times=2), steps.Read(keys=4), steps.HangUp(cause=16),
        ),
    )  # fmt: skip
    assert book["+12065550151"].steps == (steps.Refuse(status=486),)
    assert book["+12065550152"].steps[2] == steps.Echo()


def of(*listed: str) -> str:
    return f'[[subscriber]]\nnumber = "+12065550150"\nsteps = [{", ".join(listed)}]\n'


FAULTS = [
    ("[other]", 'there is no table "other"; write [[subscriber]]'),
    ("[subscriber]", "subscribers are tables in a list; write [[subscriber]] with two brackets"),
    ('[[subscriber]]\nnumer = "1"', 'subscriber 1: there is no key "numer"; it has number, note and steps'),
    ('[[subscriber]]\nnumber = "555"', "subscriber 1: number must be in E.164, for example +12065550150"),
    (
        '[[subscriber]]\nnumber = "+1"',
        'subscriber 1: steps must be a list, for example [{ring = 1}, {answer = true}, {say = "Hello."}]',
    ),
    (of("5"), "subscriber 1, step 1: a step is a table of one key, for example {ring = 1.0}"),
    (of("{ring = 1}", "{answr = true}"), 'subscriber 1, step 2: there is no step "answr"; did you mean answer?'),
    (of("{xyzzy = 1}"), 'subscriber 1, step 1: there is no step "xyzzy"'),
    (of("{answer = 5}"), "subscriber 1, step 1: answer takes no value; write {answer = true}"),
    (of("{say = {txt = 'a'}}"), 'subscriber 1, step 1: say has no "txt"; it has text, voice, wait'),
    (of("{say = 5}"), "subscriber 1, step 1: say: text cannot be 5"),
    (of("{ring = 'long'}"), "subscriber 1, step 1: ring: seconds cannot be 'long'"),
    (of("{wait = -1}"), "subscriber 1, step 1: wait: seconds cannot be -1"),
    (of("{wait = true}"), "subscriber 1, step 1: wait needs seconds"),
    (of("{press = {keys = '1', by = 'shouting'}}"), "subscriber 1, step 1: press: by cannot be 'shouting'"),
    (of("{answer = true}", "{answer = true}"), "subscriber 1: a call is answered once"),
    (of("{again = true}"), "subscriber 1: again goes back to the answer, so there must be one before it"),
    (of("{answer = true}", "{again = true}"), "subscriber 1: something must take time between answer and again"),
    (of("{refuse = 200}"), "subscriber 1: refuse needs a status from 300 to 699"),
    (of("{say = 'a'}", "{answer = true}"), "subscriber 1: nothing can be played or heard before early or answer"),
]


@pytest.mark.parametrize(("text", "problem"), FAULTS, ids=[problem[:50] for _, problem in FAULTS])
def test_a_fault_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(OutdialError) as caught:
        read_book(text, name="mine.toml")
    assert (caught.value.code, caught.value.sentence) == ("subscribers", f"mine.toml: {problem}")


def test_what_is_no_toml_is_named_with_its_line() -> None:
    with pytest.raises(OutdialError, match=r"^mine\.toml: .+\(at line 2, column \d\)$"):
        read_book("[[subscriber]]\nsteps 5", name="mine.toml")


@pytest.mark.parametrize("number", sorted(SUBSCRIBERS))
def test_the_built_in_scripts_are_sound(number: str) -> None:
    check(SUBSCRIBERS[number].steps, number)


def test_every_step_has_a_name() -> None:
    kinds = {kind for kind in vars(steps).values() if isinstance(kind, type) and issubclass(kind, steps.Step)} - {steps.Step}
    assert set(NAMES.values()) == kinds
