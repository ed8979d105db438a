"""`docs/actions.md` names every action and shows the machines as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdial.actions.get_digits import GET_DIGITS
from outdial.actions.playback import PLAYBACK
from outdial.actions.record_audio import RECORD_AUDIO
from outdial.actions.table import TABLE
from outdial.core import Table, draw

PAGE = (Path(__file__).parents[2] / "docs" / "actions.md").read_text()


@pytest.mark.parametrize("table", [PLAYBACK, GET_DIGITS, RECORD_AUDIO])
def test_diagrams_are_drawn_from_the_tables(table: Table) -> None:
    assert draw(table) in PAGE


@pytest.mark.parametrize("action", TABLE)
def test_every_action_is_named(action: str) -> None:
    assert action in PAGE
