"""The functions that serve handlers, as the API sees them: their SPECs, their states, additions and reloads while the node runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..apps.function_spec import FunctionSpecError, parse_function
from ..io.file_watch import FileWatch
from ..model.ids import FunctionName
from ..model.invocations import FunctionState
from ..model.workers import FilesChanged, FunctionsConfigured, FunctionSpec

SETTLED_S = 15.0


class Functions:
    """Satisfies `api.control.Functions`, and is an observer of the pump: that is how it learns of states."""

    def __init__(self, specs: Sequence[FunctionSpec], give: Callable[[Any], None], watch: FileWatch | None) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._give = give
        self._watch = watch
        self._states: dict[FunctionName, FunctionState] = {}
        self._changed = asyncio.Event()
        if watch is not None:
            watch.watch(specs)

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind is FunctionState

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump."""
        if isinstance(value, FunctionState):
            self._states[value.function] = value
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    def name_for(self, lambda_arn: str, /) -> FunctionName:
        """Which function an ARN means: its last part, with the qualifier only where a function of that full name exists (DESIGN 6)."""
        parts = lambda_arn.split(":")
        whole = ":".join(parts[6:]) or lambda_arn
        return FunctionName(whole if whole in self._specs else parts[6] if len(parts) > 6 else whole)

    def state(self, function: FunctionName, /) -> FunctionState:
        """How a function is; one that nobody serves is `unserved`."""
        known = self._states.get(function)
        if known is not None:
            return known
        detail = f"nothing serves {function}: start the node with --function {function}=SPEC"
        return FunctionState(function=function, state="unserved", detail=detail)

    def spec(self, function: FunctionName, /) -> FunctionSpec | None:
        """What serves a function."""
        return self._specs.get(function)

    def list(self) -> Sequence[FunctionState]:
        """Every function that is configured, by name."""
        return [self.state(name) for name in sorted(self._specs)]

    async def add(self, name: FunctionName, spec: str, /) -> FunctionState:
        """Serve `name` by a SPEC, in place of what served it, and wait until it is loaded (or is not). Raises `ValueError`."""
        try:
            parsed = parse_function(name, spec)
        except FunctionSpecError as error:
            raise ValueError(f"{error}. {error.hint}") from None
        if self._specs.get(name) == parsed:
            return await self.reload(name)
        self._specs[name] = parsed
        if self._watch is not None:
            self._watch.watch(list(self._specs.values()))
        self._states.pop(name, None)
        self._give(FunctionsConfigured(functions=tuple(self._specs.values())))
        return await self._settled(name)

    async def reload(self, name: FunctionName, /) -> FunctionState:
        """New workers from the files as they are now. Raises `KeyError` where no function has that name."""
        if name not in self._specs:
            raise KeyError(name)
        self._states.pop(name, None)
        self._give(FilesChanged(function=name))
        return await self._settled(name)

    async def _settled(self, name: FunctionName) -> FunctionState:
        try:
            async with asyncio.timeout(SETTLED_S):
                while (known := self._states.get(name)) is None or known.loading:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.state(name)
