"""The truth table: what happened to a leg, and how it ended because of that (DESIGN 3.5). The code in HANGUP is made of it in `apps`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Literal

from ..model.terminations import Reason, Result, Termination, Who


class Cause(Enum):
    """What ended a leg."""

    APPLICATION_HUNG_UP = auto()
    CALLEE_HUNG_UP = auto()
    RING_LIMIT = auto()
    BUSY = auto()
    NO_ANSWER = auto()
    REJECTED = auto()
    UNREACHABLE = auto()
    CONNECTION_LOST = auto()
    """Of an answered leg, without anybody hanging up: the far end no longer knows the dialog, or cannot be reached."""
    UNUSABLE_ANSWER = auto()
    SILENCE = auto()
    HANDLER_FAILED = auto()
    HANDLER_TIMEOUT = auto()
    HANDLER_INVALID = auto()
    NOT_SERVED = auto()
    MEDIA_LOST = auto()
    RESTART = auto()
    SHUTDOWN = auto()
    TOO_LONG = auto()


TRUTH: dict[Cause, tuple[Who, Result, Reason]] = {
    Cause.APPLICATION_HUNG_UP: ("us", "success", "completed"),
    Cause.CALLEE_HUNG_UP: ("callee", "success", "completed"),
    Cause.RING_LIMIT: ("us", "failure", "no_answer"),
    Cause.BUSY: ("callee", "failure", "busy"),
    Cause.NO_ANSWER: ("callee", "failure", "no_answer"),
    Cause.REJECTED: ("callee", "failure", "rejected"),
    Cause.UNREACHABLE: ("network", "failure", "unreachable"),
    Cause.CONNECTION_LOST: ("network", "failure", "completed"),
    Cause.UNUSABLE_ANSWER: ("callee", "failure", "no_media"),
    Cause.SILENCE: ("network", "failure", "no_media"),
    Cause.HANDLER_FAILED: ("handler", "failure", "handler_failed"),
    Cause.HANDLER_TIMEOUT: ("handler", "failure", "handler_timeout"),
    Cause.HANDLER_INVALID: ("handler", "failure", "handler_invalid"),
    Cause.NOT_SERVED: ("handler", "failure", "handler_failed"),
    Cause.MEDIA_LOST: ("us", "failure", "media_lost"),
    Cause.RESTART: ("us", "failure", "node_restart"),
    Cause.SHUTDOWN: ("us", "failure", "shutdown"),
    Cause.TOO_LONG: ("us", "failure", "too_long"),
}
STATUSES: dict[int, Cause] = {
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,
    600: Cause.BUSY,
}
"""Every other final status is `REJECTED`, passed on as it is (reference 18)."""

DETAILS = {
    Cause.APPLICATION_HUNG_UP: "The application hung up.",
    Cause.CALLEE_HUNG_UP: "The callee hung up.",
}
"""What is said where whoever knew the cause had nothing to add."""
HINTS = {
    401: "It asks for credentials: set user and password of the trunk, or let it admit this machine's address.",
    403: "It may not admit the number called from, the number called, or calls from this address.",
    404: "It does not know the number.",
    407: "It asks for credentials: set user and password of the trunk, or let it admit this machine's address.",
    484: "It takes the number for incomplete.",
    488: "It accepts neither PCMU nor PCMA as they were offered.",
    503: "It is overloaded, or has no way to the number.",
    604: "The number does not exist anywhere.",
    606: "It accepts neither PCMU nor PCMA as they were offered.",
}
"""What a final status usually means for whoever has to mend it."""
LOST = "The connection to the callee was lost."
NO_TRUNK = "The trunk cannot be reached: look at its address and the network; `outdial doctor` tells more."
Ender = Literal["us", "peer", "network"]
"""Who ended a session, as `sip` says it."""


def because(
    cause: Cause,
    *,
    answered: bool,
    detail: str = "",
    hangup_code: int | None = None,
    sip_status: int = 0,
    sip_phrase: str = "",
    sip_reason: str = "",
    who: Who | None = None,
) -> Termination:
    """The termination that a cause brings; `who` only where SIP knows better than the table."""
    default_who, result, reason = TRUTH[cause]
    return Termination(
        who=who or default_who,
        result=result,
        reason=reason,
        answered=answered,
        sip_status=sip_status,
        sip_phrase=sip_phrase,
        sip_reason=sip_reason,
        hangup_code=hangup_code,
        detail=detail or DETAILS.get(cause, ""),
    )


def of_session(ender: Ender, status: int, phrase: str, reason: str, *, answered: bool) -> Termination:
    """The termination of a leg whose session was over before anything else had ended it."""
    if answered or (ender == "network" and status != 408):
        cause, detail = (Cause.CONNECTION_LOST, LOST) if answered else (Cause.UNREACHABLE, NO_TRUNK)
        return because(cause, answered=answered, sip_status=status, sip_phrase=phrase, sip_reason=reason, detail=detail)
    cause = STATUSES.get(status, Cause.REJECTED)
    who: Who = "network" if ender == "network" else "us" if ender == "us" else "callee"
    if ender == "network":
        detail = "The trunk never answered the INVITE: look at its address, and at whether it admits calls from here."
    elif cause is Cause.REJECTED and not status:
        cause, detail = Cause.NO_ANSWER, "The session ended without a final response."
    else:
        detail = f"The far end answered {status} {phrase}".rstrip() + "."
        if status in HINTS:
            detail = f"{detail} {HINTS[status]}"
    return because(cause, answered=False, sip_status=status, sip_phrase=phrase, sip_reason=reason, detail=detail, who=who)
