"""Call control written small: a gate of a few rules, calls that it remembers, a switch for each refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from outdial.model.ids import CallId, FunctionName, Ids, LegId
from outdial.model.invocations import FunctionState
from outdial.model.records import CallRow, Record, RepeatRow
from outdial.model.requests import PlaceCall, Placed, Refusal, RefusalReason, Refused, UpdateCall, Updated
from outdial.model.resources import CallHistory
from outdial.model.workers import FunctionSpec

from .resources import MemoryResources

EMERGENCY = {"+911", "+112"}


class SmallControl:
    """Satisfies `outdial.api.control.CallControl`. What it dialled stands in `dialled`, what it was told in `updates`."""

    def __init__(self, resources: MemoryResources, ids: Ids) -> None:
        self._resources = resources
        self._ids = ids
        self.dialled: list[PlaceCall] = []
        self.updates: list[UpdateCall] = []
        self.live: dict[CallId, str] = {}
        self.refusing: RefusalReason | None = None
        self.refuse_first = 0
        """So many requests are refused for want of a trunk."""
        self.gate = asyncio.Event()
        self.gate.set()
        """Cleared: requests wait."""
        self.waiting = 0

    async def place(self, request: PlaceCall) -> Placed | Refused:
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        reason: RefusalReason | None = self.refusing
        if self.refuse_first:
            self.refuse_first -= 1
            reason = "trunk"
        if reason is None and request.to in EMERGENCY:
            reason = "emergency"
        if reason is None and not request.facts.from_owned:
            reason = "not_owned"
        if reason is None and request.facts.application is None:
            reason = "no_application"
        if reason is not None:
            return Refused(token=request.token, refusal=Refusal(reason=reason, detail=f"Refused here: {reason}"))
        call = CallId(self._ids.uuid())
        self.dialled.append(request)
        self.live[call] = request.application
        assert request.facts.application is not None
        row = CallRow(
            call=call,
            application=request.application,
            function=request.facts.application.function,
            account=request.facts.application.account,
            region=request.facts.application.region,
            key=request.key,
            from_=request.from_,
            to=request.to,
            started_at=request.started_at,
        )
        self._resources.calls.rows[call] = CallHistory(call=row)
        if request.repeat is not None:
            body = b'{"SipMediaApplicationCall":{"TransactionId":"%s"}}' % call.encode()
            repeat = RepeatRow(repeat=request.repeat, status=201, body=body, made_at=request.started_at)
            self._resources.repeats.rows[repeat.repeat] = (repeat.status, repeat.body)
        return Placed(token=request.token, call=call)

    async def update(self, request: UpdateCall) -> Updated | Refused:
        reason: RefusalReason | None = self.refusing
        if reason is None and self.live.get(request.call) != request.application:
            reason = "no_call"
        if reason is not None:
            return Refused(token=request.token, refusal=Refusal(reason=reason, detail=f"Refused here: {reason}"))
        self.updates.append(request)
        return Updated(token=request.token, call=request.call)


class SmallFunctions:
    """Satisfies `outdial.api.control.Functions`."""

    def __init__(self) -> None:
        self.specs: dict[FunctionName, FunctionSpec] = {}
        self.reloaded: list[FunctionName] = []

    def name_for(self, lambda_arn: str, /) -> FunctionName:
        parts = lambda_arn.split(":")
        full = FunctionName(":".join(parts[6:]))
        return full if full in self.specs else FunctionName(parts[6])

    def state(self, function: FunctionName, /) -> FunctionState:
        served = function in self.specs
        detail = "" if served else f"Nothing serves {function}: outdial function add {function}=python:FILE.py:NAME"
        return FunctionState(function=function, state="served" if served else "unserved", detail=detail)

    def spec(self, function: FunctionName, /) -> FunctionSpec | None:
        return self.specs.get(function)

    def list(self) -> Sequence[FunctionState]:
        return [self.state(name) for name in sorted(self.specs)]

    async def add(self, name: FunctionName, spec: str, /) -> FunctionState:
        kind, _, rest = spec.partition(":")
        if kind != "python" or not rest:
            raise ValueError(f"'{spec}' is no SPEC: python:PATH.py:NAME, for example")
        target, _, handler = rest.rpartition(":")
        self.specs[name] = FunctionSpec(name=name, kind="python", target=target, handler=handler)
        return self.state(name)

    async def reload(self, name: FunctionName, /) -> FunctionState:
        if name not in self.specs:
            raise KeyError(name)
        self.reloaded.append(name)
        return self.state(name)


class SmallSubscription:
    def __init__(self, queue: asyncio.Queue[Record], closed: list[bool]) -> None:
        self._queue = queue
        self._closed = closed

    async def next(self) -> Record:
        return await self._queue.get()

    def close(self) -> None:
        self._closed.append(True)


class SmallFollow:
    """Satisfies `outdial.api.control.Follow`; `tell` is what the pump's observer would do."""

    def __init__(self) -> None:
        self._queues: dict[CallId, list[asyncio.Queue[Record]]] = {}
        self.subscribed = asyncio.Event()
        self.closed: list[bool] = []

    def subscribe(self, call: CallId, /) -> SmallSubscription:
        queue: asyncio.Queue[Record] = asyncio.Queue()
        self._queues.setdefault(call, []).append(queue)
        self.subscribed.set()
        return SmallSubscription(queue, self.closed)

    def tell(self, call: CallId, record: Record) -> None:
        for queue in self._queues.get(call, ()):
            queue.put_nowait(record)


class SmallNode:
    """Satisfies `outdial.api.control.Node`."""

    def __init__(self) -> None:
        self.why_not: str | None = None
        self.shut_downs: list[float] = []

    def ready(self) -> str | None:
        return self.why_not

    def status(self) -> Mapping[str, Any]:
        return {"calls": 0}

    def config(self) -> Mapping[str, Any]:
        return {"limits": "relaxed"}

    def metrics(self) -> bytes:
        return b"# TYPE outdial_calls gauge\noutdial_calls 0\n"

    def shut_down(self, within: float, /) -> None:
        self.shut_downs.append(within)


def leg(text: str) -> LegId:
    return LegId(text)
