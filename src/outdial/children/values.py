"""What passes between the core of the node's children and whoever starts and watches their processes."""

from __future__ import annotations

from typing import Literal

from ..model.value import Value

Child = Literal["engine", "speech", "carrier"]
State = Literal["absent", "starting", "ready", "resting", "ending"]


class Want(Value, frozen=True, kw_only=True):
    """This child is needed from now on: the engine from the start, speech from the first Speak, the carrier from its first call."""

    child: Child


class Unwant(Value, frozen=True, kw_only=True):
    """It is needed no longer (drain, shutdown): its end is ours and no death."""

    child: Child


class ChildReady(Value, frozen=True, kw_only=True):
    child: Child


class ChildExited(Value, frozen=True, kw_only=True):
    """Its process ended, or could not be started."""

    child: Child
    status: int
    """Exit status, or minus the signal."""
    detail: str = ""


class StartChild(Value, frozen=True, kw_only=True):
    """Start its process; answered by `ChildReady` or `ChildExited`."""

    child: Child


class EndChild(Value, frozen=True, kw_only=True):
    """End its process; answered by `ChildExited`."""

    child: Child


class ChildState(Value, frozen=True, kw_only=True):
    """How a child is, for `/readyz` and `doctor`."""

    child: Child
    state: State = "absent"
    detail: str = ""
    """How it died last."""
    resting_s: float = 0.0
    """Seconds until it is started again."""


ChildEvent = Want | Unwant | ChildReady | ChildExited
ChildCommand = StartChild | EndChild
