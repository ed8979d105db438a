"""Settings that cores are given when they are made: plain values, whoever read them (config.py)."""

from __future__ import annotations

from typing import Literal

from .value import Value


class Trunk(Value, frozen=True, kw_only=True):
    """Where calls go out."""

    name: str = "carrier"
    uri: str = "sip:127.0.0.1:5070"
    nat: bool = False
    symmetric: bool = True
    builtin: bool = False
    """The carrier in the box."""


class CallSettings(Value, frozen=True, kw_only=True):
    """What call control obeys."""

    ring_timeout_s: float = 90.0
    max_call_s: float = 4 * 3600.0
    create_timeout_s: float = 3.0
    hold_s: float = 1.0
    """How long something waits for its commit while the database refuses."""
    deliver_timeout_s: float = 10.0
    max_calls: int | None = None
    max_calls_per_key: int | None = None
    max_events_waiting: int = 100
    max_invocations: int | None = None
    """`strict` limits: 1,000."""
    allowed_countries: tuple[str, ...] | None = None
    """None: the countries of the numbers owned."""
    allowed_prefixes: tuple[str, ...] = ()
    """Numbers beginning with one of these pass the allow-list whatever their kind."""
    rtp_timeout_ends: bool = False
    max_recording_s: int | None = None
    limits: Literal["strict", "relaxed"] = "relaxed"
    trunk: Trunk = Trunk()
    local_host: str = "127.0.0.1"
    """Address in our SDP and Contact."""
    recordings: str = "."
    """Folder under which recordings are written."""


class InvocationSettings(Value, frozen=True, kw_only=True):
    """What `apps/invocations` obeys."""

    handler_timeout_s: float = 20.0
    warn_after_s: float = 5.0
    handler_retries: int = 1
    resend_after_s: float | None = None
    idle_worker_s: float = 60.0
    hold_s: float = 1.0
    """How long an event waits for its commit while the database refuses."""
    load_timeout_s: float = 30.0
    """A worker that has not loaded its handler by then is taken for broken."""
    environment: dict[str, str] = {}
    """The node's own environment; what begins with `OUTDIAL_` is left out for workers."""
    endpoint: str = ""
    """Address of the node's API, for handlers that place calls themselves; empty: not given to them."""
    access_key: str = ""
    """A key of the node for handlers that find no other credentials; empty: none is given."""
    secret_key: str = ""
    region: str = "us-east-1"
    account: str = "000000000000"
