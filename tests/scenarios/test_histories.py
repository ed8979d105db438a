"""Saved histories of calls, replayed: a change in the order or in a payload fails and shows the difference.

Where the change is meant: `python tests/data/make/golden_ladders.py`, and look at the difference before committing it.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from .histories import GOLDEN, KEPT, file_of, history


@pytest.mark.parametrize("name", KEPT)
def test_the_history_is_what_it_was(name: str, tmp_path: Path) -> None:
    kept, now = file_of(name).read_text(encoding="utf-8"), history(name, tmp_path)
    difference = "\n".join(difflib.unified_diff(kept.splitlines(), now.splitlines(), "kept", "now", lineterm="", n=4))
    assert not difference, f"{name}\n{difference}"


def test_each_kept_history_belongs_to_a_scenario() -> None:
    assert {file_of(name) for name in KEPT} == set(GOLDEN.glob("*.txt"))
