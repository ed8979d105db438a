"""How a leg and a call end: one value, few results, a stable slug for the reason (DESIGN 3.5)."""

from __future__ import annotations

from typing import Literal

from .value import Value

Who = Literal["us", "callee", "caller", "network", "handler"]
Result = Literal["success", "failure"]
Reason = Literal[
    "completed", "busy", "no_answer", "rejected", "unreachable", "no_media", "handler_failed", "handler_timeout", "handler_invalid",
    "media_lost", "node_restart", "shutdown", "too_long",
]  # fmt: skip


class Termination(Value, frozen=True, kw_only=True):
    """Why a leg ended; the first cause wins. The truth table is `calls/termination`."""

    who: Who
    result: Result
    reason: Reason
    answered: bool = False
    """A 2xx had been received (or sent)."""
    sip_status: int = 0
    """The final SIP status that was received, 0 where none was."""
    sip_phrase: str = ""
    sip_reason: str = ""
    """The Reason header of the final response, CANCEL or BYE, as it came."""
    hangup_code: int | None = None
    """The code that the application's Hangup named."""
    detail: str = ""
    """A plain sentence for whoever reads the record: what happened and, where something can be done, what."""
