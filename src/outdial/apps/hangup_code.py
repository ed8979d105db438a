"""Termination to the `SipResponseCode` that the handler sees in HANGUP (DESIGN 3.5, reference 3.3 and 18)."""

from __future__ import annotations

from ..model.terminations import Reason, Termination

NORMAL, UNAVAILABLE, BUSY, SERVICE_UNAVAILABLE = 0, 480, 486, 503

_BEFORE_ANSWER: dict[Reason, int] = {"busy": BUSY, "no_answer": UNAVAILABLE, "unreachable": SERVICE_UNAVAILABLE}
"""Reasons that only a leg without a 2xx can have."""


def hangup_code(termination: Termination) -> int:
    """The code, always an integer: 0 for a leg that was answered unless the application's Hangup named another."""
    if termination.reason == "completed":
        return NORMAL if termination.hangup_code is None else termination.hangup_code
    if termination.reason == "rejected":
        return termination.sip_status or UNAVAILABLE
    code = _BEFORE_ANSWER.get(termination.reason)
    if code is not None:
        return code
    return NORMAL if termination.answered else UNAVAILABLE
