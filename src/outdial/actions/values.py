"""What call control tells a running action, and what the action asks for: each action is a core of its own.

In: `model.media` events of its own commands, `model.work` results of its own tokens, `Interrupt`, `LegGone`. Out: `model.media` commands,
`model.work` requests, `model.records.RecordingRow` (to be saved), `model.work.Note`, `HangUp`, `ArmListener`, and last of all exactly one
of `Finished`, `FailedAs`, `Interrupted`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..core import Core
from ..model.actions import Action
from ..model.ids import CallId, Ids, LegId, Wall
from ..model.participants import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """A call update's reply replaces the list: stop at once. Given to interruptible actions only; answered by `Interrupted`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGone:
    """The action's leg has ended (its stream is being closed). Only an action that reports all the same goes on until it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End a leg. `code` is what the application named (0, 480, 486)."""

    leg: LegId
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmListener:
    """Arm the background listener of a leg, in place of the one before."""

    leg: LegId
    pattern: str
    between_ms: int
    flush_ms: int
    action: Action
    """The echo that DIGITS_RECEIVED carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    results: dict[str, Any] = field(default_factory=dict)
    """Siblings of Type in ActionData (ReceivedDigits, RecordingDestination …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAs:
    error_type: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFacts:
    leg: LegId
    tag: Tag
    connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an action may know of its call when it begins."""

    call: CallId
    default_leg: LegId
    """The leg of the invocation."""
    legs: tuple[LegFacts, ...]
    ids: Ids
    wall: Wall
    recordings: str
    """Folder for files of this call."""
    recording_number: int = 0
    """How many recordings the call has made so far: part of the object's key."""
    max_recording_s: int | None = None
    """A server maximum, where one is configured: then DurationInSeconds may be absent."""
    deliver_timeout_s: float = 10.0
    strict: bool = False
    """AWS's documented ranges where applications in use go beyond them (setting `limits`)."""


class Running(Core, Protocol):
    """An action that has begun."""

    leg: LegId | None
    """The leg that it acts on; None where no leg could be chosen (it fails at once)."""
    echo: Action
    """Type and parameters as the events echo them (reference 2.3): leg selectors added, strings turned into numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table of actions (reference 10.18)."""

    name: str
    begin: Callable[[Action, Context], Running]
    """Never raises: what is wrong with the parameters comes out as `FailedAs`."""
    reports_mid_list: bool = False
    interruptible: bool = False
    reports_when_leg_goes: bool = False
    owns_digits: bool = False
    """While it runs the leg's listener hears nothing."""
