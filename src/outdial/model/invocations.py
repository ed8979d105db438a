"""`calls` to `apps` and back: one invocation of the handler."""

from __future__ import annotations

from typing import Any, Literal

from .actions import Action
from .events import Event
from .ids import ApplicationId, CallId, FunctionName, LegId
from .participants import Participant
from .value import Value


class Invoke(Value, frozen=True, kw_only=True):
    """Tell the handler of an event and get its reply: exactly one of `Replied`, `BadReply`, `InvocationFailed` comes back. One at a time
    per call. The JSON is committed (with the event's number) before it is given."""

    call: CallId
    leg: LegId
    """The leg of the event: where actions without a leg go."""
    sequence: int
    number: int
    function: FunctionName
    application: ApplicationId
    account: str
    region: str
    lambda_arn: str = ""
    event: Event
    participants: tuple[Participant, ...]
    attributes: dict[str, Any] | None = None
    reply_ignored: bool = False
    """The reply's actions will be ignored: nothing about them is judged, and a failure ends nothing (apps still retries once)."""
    request: bytes | None = None
    """After a restart: the very bytes that were given before."""


class Replied(Value, frozen=True, kw_only=True):
    call: CallId
    sequence: int
    actions: tuple[Action, ...] = ()
    """Empty where null, missing or []: no change."""
    attributes: dict[str, Any] | None = None
    """None: keep what is stored. {}: clear."""


class BadReply(Value, frozen=True, kw_only=True):
    """Nothing of the reply is run or kept (DESIGN 3.3)."""

    call: CallId
    sequence: int
    error_type: str
    message: str
    path: str = ""
    """Where in the JSON, for example `Actions[1].Type`."""


class InvocationFailed(Value, frozen=True, kw_only=True):
    """Attempts are used up."""

    call: CallId
    sequence: int
    reason: Literal["failed", "timeout"]
    detail: str


class FunctionState(Value, frozen=True, kw_only=True):
    """Whether a function can be invoked; `calls/control` keeps the last one of each name (unknown name: `unserved`)."""

    function: FunctionName
    state: Literal["served", "unserved", "broken"]
    detail: str = ""
    """What is wrong (file, line, message) and how to mend it."""
    loading: bool = False
    """It is taken to be served, but no worker has loaded it since it was configured or its files changed."""


InvocationResult = Replied | BadReply | InvocationFailed
