"""What the API asks of the running node: call control, functions, live records, its own state. `node/live` implements these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..model.ids import CallId, FunctionName
from ..model.invocations import FunctionState
from ..model.records import Record
from ..model.requests import PlaceCall, Placed, Refused, UpdateCall, Updated
from ..model.workers import FunctionSpec


class CallControl(Protocol):
    """Requests to call control. Each is answered by the value that carries its token, within `create_timeout_s`."""

    async def place(self, request: PlaceCall) -> Placed | Refused: ...
    async def update(self, request: UpdateCall) -> Updated | Refused: ...


class Functions(Protocol):
    """The functions that serve handlers."""

    def name_for(self, lambda_arn: str, /) -> FunctionName:
        """Which function an ARN means: its name, or name and qualifier where a function of that full name exists. Never fails."""

    def state(self, function: FunctionName, /) -> FunctionState: ...
    def spec(self, function: FunctionName, /) -> FunctionSpec | None: ...
    def list(self) -> Sequence[FunctionState]: ...

    async def add(self, name: FunctionName, spec: str, /) -> FunctionState:
        """Serve `name` by a SPEC as DESIGN 6 writes it, in place of what served it. Raises `ValueError` with a whole sentence where the
        SPEC is none."""

    async def reload(self, name: FunctionName, /) -> FunctionState:
        """New workers from the files as they are now. Raises `KeyError` where no function has that name."""


class Subscription(Protocol):
    """Records of one call as they are saved, from the moment of subscribing."""

    async def next(self) -> Record: ...
    def close(self) -> None: ...


class Follow(Protocol):
    def subscribe(self, call: CallId, /) -> Subscription: ...


class Node(Protocol):
    """The node itself."""

    def ready(self) -> str | None:
        """None while it takes calls, else why it does not, in one sentence."""

    def status(self) -> Mapping[str, Any]:
        """JSON-ready: addresses, trunk, engine, store, calls in progress, children."""

    def config(self) -> Mapping[str, Any]:
        """JSON-ready settings as they are in force, without secrets."""

    def metrics(self) -> bytes:
        """The Prometheus text format."""

    def shut_down(self, within: float, /) -> None:
        """Begin to drain (0: hang up now), then end the node. Returns at once."""
