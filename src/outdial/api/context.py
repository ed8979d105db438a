"""What an operation is given: its input, who asks, and the means to act."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from ..model.ids import Ids, KeyId, Wall
from ..model.records import RepeatRow
from ..model.requests import RepeatKey
from .control import CallControl, Functions
from .pages import Pages
from .resources import Resources
from .wire import Operation


class NumberPool(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that can be ordered: first to last, both with the plus sign and of the same length."""

    first: str = "+12065550100"
    last: str = "+12065550149"


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the API obeys."""

    account: str = "000000000000"
    limits: Literal["strict", "relaxed"] = "relaxed"
    loopback: bool = True
    """The listener is on loopback: development credentials work, and `/_outdial` needs no signature."""
    pool: tuple[NumberPool, ...] = (NumberPool(),)
    objects: str = "in the folder buckets/BUCKET/KEY of the data folder"
    """Where objects are, for somebody who takes this port for S3."""


class RequestSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the AWS API that was answered: for a log and for metrics."""

    request_id: str
    operation: str
    """Empty where no operation was meant."""
    method: str
    status: int
    error: str = ""
    """The exception's name, empty where it succeeded."""
    message: str = ""
    """What the caller was told; telephone numbers are masked."""
    seconds: float
    """From the head of the request to its answer."""


Watcher = Callable[[RequestSeen], None]


@dataclass(frozen=True, kw_only=True)
class Means:
    """What all operations share."""

    resources: Resources
    control: CallControl
    functions: Functions
    ids: Ids
    now: Callable[[], float]
    wall: Wall
    settings: ApiSettings
    pages: Pages
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from reading a row to writing its change, so that two changes at once do not lose one another."""
    watch: Watcher = lambda seen: None
    """Called after each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request, checked against the model."""

    means: Means
    operation: Operation
    input: dict[str, Any]
    key: KeyId
    account: str
    region: str
    started_at: int
    """Epoch milliseconds of the request's arrival."""
    repeat: RepeatKey | None = None

    def repeat_row(self, output: dict[str, Any]) -> RepeatRow | None:
        """What is stored beside what the request makes."""
        if self.repeat is None:
            return None
        body = self.operation.serialise(output)
        return RepeatRow(repeat=self.repeat, status=self.operation.status, body=body, made_at=self.started_at)
