"""Expressions as applications write them: found anywhere, within a time limit, without holding up anybody (reference 10.3, trait 6)."""

from __future__ import annotations

import asyncio
import time

import pytest

from outdial.io.patterns import PatternRefused, Patterns, search


@pytest.mark.parametrize(("pattern", "text", "yes"), [
    # unanchored, as in use (trait 6 and reference 10.3)
    ("[0-9]", "123456", True), ("[1-2]", "1", True), ("[5-7]", "4", False), ("[0-1]$", "5551", True), ("[0-1]$", "5552", False),
    (".*", "", True),
    ("^[1][0-9]", "1205", True), ("^[12]$", "2", True), ("^[12]$", "12", False), (r"^\d{1}$", "7", True), (r"^\d{2}#$", "12#", True),
    (r"^\d{2}#$", "12", False), (r"^(?!1900)\d+$", "12065550100", True), (r"^(?!1900)\d+$", "19005550100", False),
    # Java's spelling
    (r"^\Q*#\E$", "*#", True), (r"\Q*", "1*", True), (r"^(?<x>\d)\k<x>$", "11", True), (r"^(?<x>\d)\k<x>$", "12", False),
    (r"^\p{Digit}+$", "12", True),
    (r"^\d++#$", "12#", True), (r"^[0-9&&[^5]]+$", "1234", True), (r"^[0-9&&[^5]]+$", "1235", False), (r"^1\z", "1", True),
    (r"^(?i)a$", "A", True), (r"^[{}(?R)]+$", "{}", True), (r"^\{\d\}$", "{1}", True), (r"^\Q{(?R)\E$", "{(?R)", True),
    (r"^(?-i)1$", "1", True), (r"^\x{31}$", "1", True), (r"^\d{2,}$", "123", True), (r"^\\Q$", r"\Q", True),
])  # fmt: skip
def test_search(pattern: str, text: str, yes: bool) -> None:
    assert search(pattern, (text,)) is yes


def test_one_of_several_texts_is_enough() -> None:
    assert search(r"^\d{2}#$", ("12", "12#"))
    assert not search(r"^\d{2}#$", ())


@pytest.mark.parametrize(("pattern", "detail"), [
    ("^[0-9{4}$", '"^[0-9{4}$" is not a regular expression (unterminated character set at 10)'),
    ("(", '"(" is not a regular expression (missing ) at 2)'),
    ("*1", '"*1" is not a regular expression (nothing to repeat at 1)'),
    (r"\1", r'"\1" is not a regular expression (invalid group reference at 3)'),
    ("1{1000000000}", '"1{1000000000}" has more than 20,000 steps once its repeats are written out'),
    ("(((1{100}){100}){100}){100}", '"(((1{100}){100}){100}){100}" has more than 20,000 steps once its repeats are written out'),
    ("(1{99999999999999999999})", '"(1{99999999999999999999})" has more than 20,000 steps once its repeats are written out'),
    ("(?R)", '"(?R)" is not a regular expression of Java\'s ("(?R" at 1)'),
    ("1(?1)", '"1(?1)" is not a regular expression of Java\'s ("(?1" at 2)'),
    ("(?|1|2)", '"(?|1|2)" is not a regular expression of Java\'s ("(?|" at 1)'),
    ("(?:1){e<=5}", '"(?:1){e<=5}" is not a regular expression of Java\'s ("{" at 6)'),
    ("(" * 300 + "1" + ")" * 300, "groups nest more than 100 deep at 100"),
    ("1|" * 3000, f'"{"1|" * 50}…" has 6,000 characters, the most is 4,096'),
])  # fmt: skip
def test_what_does_not_compile_says_where(pattern: str, detail: str) -> None:
    started = time.monotonic()
    with pytest.raises(PatternRefused) as caught:
        search(pattern, ("1",))
    assert (caught.value.reason, caught.value.detail) == ("pattern", detail)
    assert time.monotonic() - started < 1


def test_ordinary_repeats_are_few_steps() -> None:
    assert search(r"^(?:[0-9]{3}-){2}[0-9]{4}$", ("206-555-0100",))
    assert search(r"^\d{1,128}$", ("1" * 128,))
    assert search("^" + r"\d{4}" * 30 + "$", ("1" * 120,))


FOR_EVER = "^(1|11)+$"


def test_an_expression_that_runs_for_ever_is_given_up() -> None:
    with pytest.raises(PatternRefused) as caught:
        search(FOR_EVER, ("1" * 100 + "#",))
    assert caught.value.reason == "too_slow"
    assert caught.value.detail == f'"{FOR_EVER}" was not done within 0.25 s; rewrite its nested repeats'


def test_it_costs_its_own_call_and_no_other() -> None:
    """Twenty that run for ever at once: the loop goes on turning, and others are answered while those wait in a lane of their own."""

    async def main() -> None:
        patterns = Patterns()
        evil = ("1" * 100 + "#",)
        with pytest.raises(PatternRefused):
            await patterns.search(FOR_EVER, evil)
        running = [asyncio.create_task(patterns.search(FOR_EVER, evil)) for _ in range(8)]
        slowest = 0.0
        for _ in range(50):
            started = time.monotonic()
            assert await patterns.search("^[12]$", ("1",))
            slowest = max(slowest, time.monotonic() - started)
            await asyncio.sleep(0)
        assert not any(task.done() for task in running[4:])
        assert slowest < 0.2
        for task in running:
            task.cancel()
        patterns.close()
        await asyncio.gather(*running, return_exceptions=True)

    asyncio.run(main())
