"""The catalogue: every code is rendered, documented and tested."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from outdial.errors import COMMANDS, REFUSALS, TERMINATIONS, ConfigError, Entry, OutdialError, page
from outdial.model.requests import RefusalReason
from outdial.model.terminations import Reason

ROOT = Path(__file__).parent.parent
ALL = [*COMMANDS.values(), *REFUSALS.values(), *TERMINATIONS.values()]


def test_refusals_and_terminations_are_those_of_the_model() -> None:
    assert set(REFUSALS) == set(get_args(RefusalReason))
    assert set(TERMINATIONS) == set(get_args(Reason))


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: f"{entry.group} {entry.code}")
def test_each_is_one_sentence_with_a_hint(entry: Entry) -> None:
    sentence, hint = entry.render()
    assert "{" not in sentence + hint.replace("{value}", "")
    assert "\n" not in sentence + hint
    assert hint.endswith((".", "?"))
    assert hint[0].isupper() or hint[0] == "`"
    wanted = {name for _, name, _, _ in Formatter().parse(entry.sentence + entry.hint) if name}
    assert wanted == set(entry.example)


def test_the_page_of_the_documentation_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == page(), "write it anew with scripts/docs"


@pytest.mark.parametrize("code", sorted(COMMANDS))
def test_each_is_raised_somewhere_and_tested_somewhere(code: str) -> None:
    """A code that nothing raises, or that no other test names, has no place here."""
    raised = re.compile(rf'OutdialError\(\s*"{code}"|super\(\).__init__\(\s*"{code}"')
    assert any(raised.search(path.read_text()) for path in (ROOT / "src" / "outdial").rglob("*.py")), "never raised"
    named = re.compile(rf'"{code}"')
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if path.name != "test_errors.py"]
    if code == "setting":
        named = re.compile("ConfigError")
    assert any(named.search(path.read_text()) for path in tests), "never tested"


def test_an_error_knows_its_parts() -> None:
    error = OutdialError("no_node", folder="./x")
    assert (error.code, error.sentence, str(error)) == ("no_node", "No node runs on the data folder ./x", error.sentence)
    assert error.hint.startswith("Start one with `outdial up`")


def test_an_error_of_a_setting_is_a_value_error_too() -> None:
    error = ConfigError("max_calls", 0, "a number from 1 on")
    assert isinstance(error, ValueError)
    assert (error.setting, error.value, error.wanted) == ("max_calls", 0, "a number from 1 on")
    assert error.sentence == "max_calls: 0 is not a number from 1 on"
