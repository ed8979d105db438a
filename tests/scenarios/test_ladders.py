"""Every scenario of this folder, one test each; no line of its log shows a bare number or address."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.observed import Watch
from outdial.testing.ladder import Ladder
from outdial.testing.ladder_text import Scenario

from .scenarios import ALL


@pytest.mark.parametrize("scenario", [pytest.param(one, id=f"{file}: {one.title}") for file, one in ALL])
def test_ladder(scenario: Scenario, tmp_path: Path) -> None:
    watch = Watch()
    ladder = Ladder(scenario, tmp_path, observers=watch.observers)
    watch.world = ladder.world
    world = ladder.run()
    watch.nothing_is_bare()
    assert not world.cdrs or any("call=" in line for line in watch.lines)
