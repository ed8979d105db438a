"""Every scenario of this folder, one test each."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdial.testing.ladder import Ladder
from outdial.testing.ladder_text import Scenario, read

HERE = Path(__file__).parent
ALL = [(path.stem, scenario) for path in sorted(HERE.glob("*.ladder")) for scenario in read(path)]


@pytest.mark.parametrize("scenario", [pytest.param(one, id=f"{file}: {one.title}") for file, one in ALL])
def test_ladder(scenario: Scenario, tmp_path: Path) -> None:
    Ladder(scenario, tmp_path).run()
