"""The functions as they are configured, and what call control is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..model.ids import FunctionName
from ..model.invocations import FunctionState
from ..model.workers import FunctionSpec
from .connections import Connections
from .environment import worker_environment
from .pool import Pool

if TYPE_CHECKING:
    from .invocations import Invocations

State = Literal["served", "unserved", "broken"]


def unserved(name: FunctionName) -> str:
    """The sentence for a function that nothing serves."""
    return f'nothing serves the function "{name}"; give the node --function {name}=python:PATH.py:NAME, or the like for node: and http:'


class Functions:
    """By name: the workers of a process function, the connections of an HTTP function."""

    def __init__(self, core: Invocations) -> None:
        self._core = core
        self._functions: dict[FunctionName, Pool | Connections] = {}
        self._states: dict[FunctionName, FunctionState] = {}

    def get(self, name: FunctionName) -> Pool | Connections | None:
        """What serves a function, or None."""
        return self._functions.get(name)

    def configure(self, specs: tuple[FunctionSpec, ...], now: float) -> None:
        """Serve these from now on: new ones start, those that changed start anew, those that are not among them end."""
        wanted = {spec.name: spec for spec in specs}
        for name in [name for name in self._functions if name not in wanted]:
            self._functions.pop(name).close(now)
            self.state(name, "unserved", unserved(name))
        for name, spec in wanted.items():
            function = self._functions.get(name)
            if function is not None and function.spec == spec:
                continue
            environment = worker_environment(spec, self._core.settings)
            if function is not None and (function.spec.kind == "http") == (spec.kind == "http"):
                function.reload(now, spec, environment)
                continue
            new = Connections(self._core, spec) if spec.kind == "http" else Pool(self._core, spec, environment)
            self._functions[name] = new
            new.open(now)
            if function is not None:
                function.close(now)

    def state(self, name: FunctionName, state: State, detail: str = "", *, loading: bool = False, again: bool = False) -> None:
        """Tell call control where it is news, or where somebody asked (`again`)."""
        new = FunctionState(function=name, state=state, detail=detail, loading=loading)
        if again or self._states.get(name) != new:
            self._states[name] = new
            self._core.emit(new)
