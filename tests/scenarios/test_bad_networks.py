"""Chosen scenarios (tagged `loss`) have the same outcome while the network loses, delays, repeats and reorders; digits stay exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdial.testing.ladder import Ladder
from outdial.testing.ladder_text import Scenario
from outdial.testing.network import Quality

from .scenarios import ALL

NETWORKS = {
    "1 % loss": Quality(loss=0.01),
    "5 % loss": Quality(loss=0.05),
    "20 % loss": Quality(loss=0.20),
    "jitter": Quality(jitter=0.06),
    "duplicates": Quality(duplicates=0.3),
    "all of it": Quality(loss=0.05, jitter=0.05, duplicates=0.1),
}
TAGGED = [pytest.param(scenario, id=f"{file}: {scenario.title}") for file, scenario in ALL if "loss" in scenario.tags]
DIGITS = [pytest.param(scenario, id=scenario.title) for file, scenario in ALL if file == "lossy" and "exact" in scenario.title]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("scenario", TAGGED)
def test_the_outcome_is_the_same(scenario: Scenario, network: str, tmp_path: Path) -> None:
    Ladder(scenario, tmp_path, quality=NETWORKS[network], seed=1).run()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("scenario", DIGITS)
def test_digits_are_exact_under_five_percent_loss(scenario: Scenario, seed: int, tmp_path: Path) -> None:
    world = Ladder(scenario, tmp_path, quality=Quality(loss=0.05), seed=seed).run()
    assert world.network.lost
