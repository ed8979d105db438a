"""A pytest plugin: test your own handler in virtual time, with a whole node and a telephone, in milliseconds (docs/testing.md).

Switch it on with `pytest_plugins = ["outdial.testing.plugin"]` in the topmost conftest.py. It gives the fixture `ladder` and collects files
that end in `.ladder`, one test a scenario; a first line `# handler: package.module.function` names the handler that they test.
"""

from __future__ import annotations

import importlib
import inspect
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .ladder import Ladder, Mismatch
from .ladder_text import LadderError, Scenario, parse
from .ladder_world import LadderWorld
from .network import Quality
from .world import Handler

Run = Callable[..., LadderWorld]


@pytest.fixture
def ladder(tmp_path: Path) -> Run:
    """A function `ladder(text, handler=None, *, quality=Quality(), seed=0)` that runs one scenario and gives the world as it ended.

    `handler` is a Lambda handler: it is given an event, and a context where it takes two arguments. Raises Mismatch.
    """

    def run(text: str, handler: Callable[..., Any] | None = None, *, quality: Quality | None = None, seed: int = 0) -> LadderWorld:
        (scenario,) = parse(text)
        return Ladder(scenario, tmp_path, None if handler is None else adapted(handler), quality=quality, seed=seed).run()

    return run


def adapted(handler: Callable[..., Any]) -> Handler:
    """A Lambda handler as the world calls it: `handler(event)`."""
    wanted = [
        parameter
        for parameter in inspect.signature(handler).parameters.values()
        if parameter.default is parameter.empty and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    return handler if len(wanted) < 2 else lambda event: handler(event, None)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Files that end in `.ladder`."""
    return LadderFile.from_parent(parent, path=file_path) if file_path.suffix == ".ladder" else None


class LadderFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterator[LadderItem]:
        """One test a scenario."""
        text = self.path.read_text(encoding="utf-8")
        first = text.partition("\n")[0]
        name = first.removeprefix("# handler:").strip() if first.startswith("# handler:") else ""
        for scenario in parse(text, self.path.stem):
            yield LadderItem.from_parent(self, name=scenario.title, scenario=scenario, handler=name)


class LadderItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: Scenario, handler: str, **more: Any) -> None:
        super().__init__(**more)
        self._scenario = scenario
        self._handler = handler

    def runtest(self) -> None:
        """Run it. Raises Mismatch."""
        with tempfile.TemporaryDirectory(prefix="ladder-") as folder:
            Ladder(self._scenario, Path(folder), self._load()).run()

    def _load(self) -> Handler | None:
        if not self._handler:
            return None
        module, _, name = self._handler.rpartition(".")
        try:
            return adapted(getattr(importlib.import_module(module), name))
        except (ImportError, AttributeError, ValueError) as error:
            raise LadderError(f"{self._scenario.where}: the handler {self._handler} cannot be imported: {error}") from error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The ladder so far, without a trace through us."""
        if isinstance(excinfo.value, Mismatch | LadderError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, int(self._scenario.where.rpartition(":")[2]) - 1, self._scenario.title
