"""What the API asks of call control, and what it gets back; each pair is joined by its token."""

from __future__ import annotations

from typing import Literal

from .ids import ApplicationId, CallId, FunctionName, KeyId, Token
from .value import Value

RefusalReason = Literal[
    "draining", "store", "not_possible", "emergency", "not_allowed", "not_owned", "no_application", "too_many_calls", "trunk", "overloaded",
    "no_media", "no_call", "too_many_events", "timeout",
]  # fmt: skip


class Refusal(Value, frozen=True, kw_only=True):
    """Why a request (or an action that dials) is not served; nothing was written or dialled.

    `draining`, `store`, `trunk`, `overloaded`, `no_media` (no port or no engine), `timeout`: not now (503). `not_possible`, `emergency`,
    `not_allowed`: never (403). `not_owned`, `no_application`: wrong input (400). `too_many_calls`: a quota (400). `no_call`: 404.
    `too_many_events`: 429.
    """

    reason: RefusalReason
    detail: str
    """A whole sentence that says what, and how to mend it. Never a full number."""


class Application(Value, frozen=True, kw_only=True):
    """A SIP media application as call control needs it."""

    id: ApplicationId
    name: str
    lambda_arn: str
    function: FunctionName
    """The function that serves `lambda_arn`."""
    region: str = "us-east-1"
    account: str = "000000000000"


class Facts(Value, frozen=True, kw_only=True):
    """What the store knows that the calling gate asks for, read for one request."""

    from_owned: bool
    """The number called from is in the inventory with product type SipMediaApplicationDialIn."""
    countries_owned: tuple[str, ...]
    """Regions (ISO 3166 alpha-2) of the numbers owned: the default allow-list."""
    application: Application | None
    """None: no application of that id exists."""


class RepeatKey(Value, frozen=True, kw_only=True):
    """What makes two requests one (DESIGN 8)."""

    key: KeyId
    operation: str
    path: str
    body_hash: str
    invocation: str
    """The `amz-sdk-invocation-id` header."""


class PlaceCall(Value, frozen=True, kw_only=True):
    """Place an outbound call. Answered by `Placed` or `Refused`."""

    token: Token
    key: KeyId
    from_: str
    to: str
    application: ApplicationId
    sip_headers: dict[str, str] = {}
    arguments: dict[str, str] | None = None
    repeat: RepeatKey | None = None
    facts: Facts
    started_at: int
    """Epoch milliseconds of the request's arrival."""


class UpdateCall(Value, frozen=True, kw_only=True):
    """Ask the handler of a call in progress what to do now. Answered by `Updated` or `Refused`."""

    token: Token
    call: CallId
    application: ApplicationId
    arguments: dict[str, str]


class Drain(Value, frozen=True, kw_only=True):
    """Take no new calls; end what is left after `within` seconds (0: now). Answered by `Drained` once no call is left."""

    within: float


class Drained(Value, frozen=True, kw_only=True):
    pass


class Placed(Value, frozen=True, kw_only=True):
    token: Token
    call: CallId


class Updated(Value, frozen=True, kw_only=True):
    token: Token
    call: CallId


class Refused(Value, frozen=True, kw_only=True):
    token: Token
    refusal: Refusal
