"""One node for all bad input, and a healthy call beside each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.bad_node import BadNode
from helpers.steady import SteadyCall


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadNode]:
    with BadNode(tmp_path_factory.mktemp("bad")) as running:
        yield running


@pytest.fixture(scope="module")
def steady(node: BadNode) -> Iterator[SteadyCall]:
    """A call that is up while the module's tests run; its record shows at the end that it felt nothing."""
    call = SteadyCall(node, node.application_of("steady"))
    yield call
    call.end()


@pytest.fixture(autouse=True)
def beside(steady: SteadyCall) -> Iterator[None]:
    """After each test the healthy call is still up, and its handler is still asked."""
    yield
    steady.goes_on()
