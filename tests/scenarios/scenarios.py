"""The scenarios of this folder."""

from __future__ import annotations

from pathlib import Path

from outdial.testing.ladder_text import Scenario, read

HERE = Path(__file__).parent
ALL: list[tuple[str, Scenario]] = [(path.stem, scenario) for path in sorted(HERE.glob("*.ladder")) for scenario in read(path)]
