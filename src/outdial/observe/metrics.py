"""Numbers for Prometheus: calls, invocations, the engine, the loop, the store, SIP messages. Fed by the pump."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ..model.ids import CallId, Token
from ..model.invocations import BadReply, InvocationFailed, Invoke, Replied
from ..model.media import Load
from ..model.records import CallEnded, CallRow, Cdr, Unfinished
from ..model.requests import Refused
from ..model.work import MachineState, Save, Saved, StoreState, Withdrawn
from .sip_line import METHODS, glance

REMEMBERED: Final = 10_000
"""Beginnings that wait for their end; beyond that the oldest are forgotten (their end was lost)."""
STORE_BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
HANDLER_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Open(Generic[K, V]):
    """Things that have begun and not ended, bounded."""

    def __init__(self) -> None:
        self._begun: OrderedDict[K, V] = OrderedDict()

    def begin(self, key: K, value: V) -> None:
        self._begun[key] = value
        if len(self._begun) > REMEMBERED:
            self._begun.popitem(last=False)

    def end(self, key: K) -> V | None:
        return self._begun.pop(key, None)

    def __len__(self) -> int:
        return len(self._begun)


class Metrics:
    """An observer of the pump, and the page that `/metrics` shows."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._in_progress: set[CallId] = set()
        self._creating: _Open[Token, CallId] = _Open()
        self._saves: _Open[Token, tuple[float, Histogram]] = _Open()
        self._invocations: _Open[tuple[CallId, int], float] = _Open()
        calls = Gauge("outdial_calls_in_progress", "Calls that have no CDR yet.", registry=registry)
        calls.set_function(lambda: len(self._in_progress))
        self._placed = Counter("outdial_calls_placed", "Calls that were made durable.", registry=registry)
        self._ended = Counter("outdial_calls_ended", "Calls that have their CDR, by reason.", ["reason"], registry=registry)
        self._talk = Counter("outdial_billable_seconds", "Seconds between answer and end.", registry=registry)
        self._refused = Counter("outdial_requests_refused", "Requests that call control refused, by reason.", ["reason"], registry=registry)
        self._handler = Histogram(
            "outdial_invocation_seconds", "From an event's giving to its outcome.", ["outcome"], buckets=HANDLER_BUCKETS, registry=registry
        )
        self._streams = Gauge("outdial_media_streams", "Streams of the media engine.", registry=registry)
        self._ports = Gauge("outdial_media_ports_free", "RTP ports that are free.", registry=registry)
        self._cpu = Gauge("outdial_media_cpu", "The media engine's share of one core.", registry=registry)
        self._worst = Gauge("outdial_media_worst_seconds", "The latest packet of the last second: by how much.", registry=registry)
        self._sent = Counter("outdial_media_packets_sent", "RTP packets sent.", registry=registry)
        self._late = Counter("outdial_media_packets_late", "RTP packets sent over 20 ms late.", registry=registry)
        self._lag = Gauge("outdial_loop_lag_seconds", "How far the node's loop lagged within the last second.", registry=registry)
        store = Histogram(
            "outdial_store_seconds", "From handing a unit over to its commit.", ["grade"], buckets=STORE_BUCKETS, registry=registry
        )
        self._store = {grade: store.labels(grade) for grade in ("synced", "committed")}
        self._refusing = Gauge("outdial_store_refusing", "1 while the database takes no writes.", registry=registry)
        self._sip = Counter("outdial_sip_messages", "SIP messages of sessions.", ["way", "method", "status"], registry=registry)
        self._sip_cells: dict[tuple[str, str, int], Any] = {}
        self._see: dict[str, Callable[[Any, float], None]] = {
            Save.__name__: self._on_save,
            Saved.__name__: self._on_saved,
            Withdrawn.__name__: self._on_withdrawn,
            StoreState.__name__: lambda value, now: self._refusing.set(value.refusing),
            Unfinished.__name__: lambda value, now: self._in_progress.add(value.call.call),
            Refused.__name__: lambda value, now: self._refused.labels(value.refusal.reason).inc(),
            Invoke.__name__: lambda value, now: self._invocations.begin((value.call, value.sequence), now),
            Replied.__name__: lambda value, now: self._outcome(value, "replied", now),
            BadReply.__name__: lambda value, now: self._outcome(value, "bad_reply", now),
            InvocationFailed.__name__: lambda value, now: self._outcome(value, value.reason, now),
            Load.__name__: self._on_load,
            MachineState.__name__: lambda value, now: self._lag.set(value.loop_lag_ms / 1000),
            "Trace": self._on_trace,
        }

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind.__name__ in self._see

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump."""
        see = self._see.get(type(value).__name__)
        if see is not None:
            see(value, now)

    def render(self) -> bytes:
        """The page, as `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def _on_save(self, save: Save, now: float) -> None:
        if save.token:
            self._saves.begin(save.token, (now, self._store[save.grade]))
        for record in save.unit:
            if isinstance(record, CallRow):
                if save.token:
                    self._creating.begin(save.token, record.call)
                else:
                    self._count(record.call)
            elif isinstance(record, Cdr):
                self._ended.labels(record.termination.reason).inc()
                self._talk.inc(record.billable_seconds)
                self._in_progress.discard(record.call)
                if self._creating.end(save.token) is not None:  # made and ended in one commit: its function cannot be invoked
                    self._placed.inc()
            elif isinstance(record, CallEnded):
                self._in_progress.discard(record.call)

    def _count(self, call: CallId) -> None:
        self._placed.inc()
        self._in_progress.add(call)

    def _on_saved(self, saved: Saved, now: float) -> None:
        begun = self._saves.end(saved.token)
        if begun is not None:
            begun[1].observe(now - begun[0])
        if (call := self._creating.end(saved.token)) is not None:
            self._count(call)

    def _on_withdrawn(self, withdrawn: Withdrawn, now: float) -> None:
        self._saves.end(withdrawn.token)
        self._creating.end(withdrawn.token)

    def _outcome(self, value: Any, outcome: str, now: float) -> None:
        begun = self._invocations.end((value.call, value.sequence))
        if begun is not None:
            self._handler.labels(outcome).observe(now - begun)

    def _on_load(self, load: Load, now: float) -> None:
        self._streams.set(load.streams)
        self._ports.set(load.ports_free)
        self._cpu.set(load.cpu)
        self._worst.set(load.worst_ms / 1000)
        self._sent.inc(load.sent)
        self._late.inc(load.late)

    def _on_trace(self, trace: Any, now: float) -> None:
        key = (trace.way, *glance(trace.data))
        cell = self._sip_cells.get(key)
        if cell is None:
            way, method, status = key
            known = method if method in METHODS else "other"
            cell = self._sip.labels(way, known, str(status) if 100 <= status < 700 else "")
            if known == method:  # what peers invent is not remembered
                self._sip_cells[key] = cell
        cell.inc()
