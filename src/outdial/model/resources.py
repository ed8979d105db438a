"""What a node keeps beside its calls: applications, numbers, orders, keys; and a call read back. Times are epoch milliseconds."""

from __future__ import annotations

from typing import Literal

from .ids import ApplicationId, KeyId
from .records import (
    CallEnded,
    CallRow,
    Cdr,
    EventRow,
    InvocationDone,
    InvocationRow,
    LegDialog,
    LegEnded,
    LegRow,
    NoteRow,
    OutputRow,
    RecordingRow,
    SipMessageRow,
)  # fmt: skip
from .value import Value

ProductType = Literal["SipMediaApplicationDialIn", "VoiceConnector"]
NumberType = Literal["Local", "TollFree"]
Position = tuple[int, str]
"""(created_at, id): lists are in this order, so that an insert never shifts a page."""


class ApplicationRow(Value, frozen=True, kw_only=True):
    """A SIP media application."""

    id: ApplicationId
    name: str
    region: str
    account: str
    lambda_arn: str
    tags: tuple[tuple[str, str], ...] = ()
    created_at: int
    updated_at: int

    @property
    def position(self) -> Position:
        return (self.created_at, self.id)


class NumberRow(Value, frozen=True, kw_only=True):
    """A number of the inventory. Deleted ones stay for a while, so that they can be restored."""

    e164: str
    """With its plus sign."""
    product_type: ProductType = "SipMediaApplicationDialIn"
    type: NumberType = "Local"
    country: str
    """ISO 3166 alpha-2, of the number itself (not of its country code)."""
    order: str = ""
    name: str = ""
    calling_name: str = ""
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    """When it was put into the deletion queue; None while it is owned."""

    @property
    def position(self) -> Position:
        return (self.created_at, self.e164)


class OrderedNumber(Value, frozen=True, kw_only=True):
    e164: str
    acquired: bool


class OrderRow(Value, frozen=True, kw_only=True):
    """An order of numbers: all of it is decided when it is made."""

    id: str
    product_type: ProductType
    numbers: tuple[OrderedNumber, ...]
    created_at: int
    updated_at: int

    @property
    def position(self) -> Position:
        return (self.created_at, self.id)


class KeyRow(Value, frozen=True, kw_only=True):
    """An access key. Its secret is shown once, when it is made."""

    id: KeyId
    secret: str
    account: str
    label: str = ""
    active: bool = True
    created_at: int

    def __repr__(self) -> str:
        return f"KeyRow(id={self.id!r}, account={self.account!r}, active={self.active})"


class CallSummary(Value, frozen=True, kw_only=True):
    """One line of `calls ls`."""

    call: CallRow
    state: Literal["in_progress", "ended"] = "in_progress"
    cdr: Cdr | None = None

    @property
    def position(self) -> Position:
        return (self.call.started_at, self.call.call)


class CallHistory(Value, frozen=True, kw_only=True):
    """All that is on record about one call, each kind in the order of its happening."""

    call: CallRow
    ended: CallEnded | None = None
    legs: tuple[LegRow, ...] = ()
    dialogs: tuple[LegDialog, ...] = ()
    legs_ended: tuple[LegEnded, ...] = ()
    events: tuple[EventRow, ...] = ()
    invocations: tuple[InvocationRow, ...] = ()
    outcomes: tuple[InvocationDone, ...] = ()
    recordings: tuple[RecordingRow, ...] = ()
    """Of each recording the row as it stands now."""
    sip: tuple[SipMessageRow, ...] = ()
    output: tuple[OutputRow, ...] = ()
    notes: tuple[NoteRow, ...] = ()
    cdr: Cdr | None = None


class StoreRefused(Exception):
    """The database does not take a write now (locked, full): nothing of it was made. The text is one sentence."""
