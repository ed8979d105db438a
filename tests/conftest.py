"""What holds for every test: chance is drawn the same way each time, unless OUTDIAL_FUZZ=1 asks for other cases (`make fuzz`)."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

FUZZ = os.environ.get("OUTDIAL_FUZZ") == "1"

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("fuzz", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("fuzz" if FUZZ else "same")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A fuzz run needs only what draws its own cases."""
    if not FUZZ:
        return
    drawn = [item for item in items if getattr(getattr(item, "function", None), "is_hypothesis_test", False)]
    config.hook.pytest_deselected(items=[item for item in items if item not in drawn])
    items[:] = drawn
