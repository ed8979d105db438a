"""What the node says of itself: ready or why not, its state, its settings, its metrics. It learns as an observer of the pump."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from ..children.values import Child, ChildState
from ..config import Config
from ..model.ids import CallId
from ..model.media import EngineGone, Load, Ready
from ..model.records import CallEnded, CallRow, Unfinished
from ..model.requests import Drain
from ..model.work import Save, StoreState


class Report:
    """Satisfies `api.control.Node`."""

    def __init__(
        self,
        config: Config,
        addresses: Mapping[str, str],
        *,
        metrics: Callable[[], bytes],
        child: Callable[[Child], ChildState],
        pids: Callable[[], Mapping[str, int]],
        end: Callable[[float], None],
    ) -> None:
        self._config = config
        self._addresses = addresses
        self._metrics = metrics
        self._child = child
        self._pids = pids
        self._end = end
        self._engine: str | None = "the media engine is starting"
        self._store: str | None = None
        self._draining = False
        self._load: Load | None = None
        self.calls: set[CallId] = set()
        """Calls in progress."""
        self._see: dict[type, Callable[[Any], None]] = {
            Ready: self._on_ready,
            EngineGone: self._on_engine_gone,
            StoreState: self._on_store,
            Drain: self._on_drain,
            Load: self._on_load,
            Save: self._on_save,
            Unfinished: self._on_unfinished,
        }

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind in self._see

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump."""
        see = self._see.get(type(value))
        if see is not None:
            see(value)

    def ready(self) -> str | None:
        """None while calls are taken, else why not."""
        if self._draining:
            return "the node is draining"
        if self._store is not None:
            return f"the store refuses: {self._store}"
        if self._engine is not None:
            resting = self._child("engine").resting_s
            return f"{self._engine}; it is started again in {resting:.0f} s" if resting else self._engine
        return None

    def status(self) -> Mapping[str, Any]:
        """Addresses, trunk, children, calls in progress."""
        trunk, load = self._config.trunk_settings(), self._load
        children = {name: self._child(name) for name in get_args(Child)}
        return {
            **self._addresses,
            "trunk": {"name": trunk.name, "uri": self._addresses.get("carrier", trunk.uri), "builtin": trunk.builtin},
            "calls": len(self.calls),
            "draining": self._draining,
            "store": self._store or "ok",
            "children": {name: {"state": state.state, "detail": state.detail} for name, state in children.items()},
            "pids": dict(self._pids()),
            "media": None if load is None else {"streams": load.streams, "ports_free": load.ports_free, "worst_ms": load.worst_ms},
        }

    def config(self) -> Mapping[str, Any]:
        """The settings in force."""
        return self._config.model_dump(mode="json")

    def metrics(self) -> bytes:
        """The Prometheus text format."""
        return self._metrics()

    def shut_down(self, within: float, /) -> None:
        """Begin to drain, then end the node."""
        self._end(within)

    def _on_ready(self, _: Ready) -> None:
        self._engine = None

    def _on_engine_gone(self, gone: EngineGone) -> None:
        self._engine = gone.detail or "the media engine is gone"

    def _on_store(self, state: StoreState) -> None:
        self._store = state.detail if state.refusing else None

    def _on_drain(self, _: Drain) -> None:
        self._draining = True

    def _on_load(self, load: Load) -> None:
        self._load = load

    def _on_unfinished(self, found: Unfinished) -> None:
        self.calls.add(found.call.call)

    def _on_save(self, save: Save) -> None:
        for record in save.unit:
            if type(record) is CallRow:
                self.calls.add(record.call)
            elif type(record) is CallEnded:
                self.calls.discard(record.call)
