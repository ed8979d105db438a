"""One suite for every engine (reference/processes 1.4): each test that takes `rig` runs on virtual time and on the engine's process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.media_rig import LiveRig, VirtualRig, free_range
from outdial.model.media import Configure


@pytest.fixture(params=["virtual", "live"])
def rig(request: pytest.FixtureRequest) -> Iterator[VirtualRig | LiveRig]:
    """Any engine."""
    if request.param == "virtual":
        made: VirtualRig | LiveRig = VirtualRig(Configure(seed=None))
    else:
        made = LiveRig(Configure(ports=free_range()))
    yield made
    made.close()


@pytest.fixture
def virtual() -> VirtualRig:
    """The core alone, for what needs exact time."""
    return VirtualRig(Configure())


@pytest.fixture
def live() -> Iterator[LiveRig]:
    """The engine's process, for what only it can do."""
    made = LiveRig(Configure(ports=free_range()))
    yield made
    made.close()
