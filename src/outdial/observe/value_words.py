"""What the log says of each value of the moment. Those of `sip`, which an observer may not import, are known by their name."""

from __future__ import annotations

from typing import Any

from .legs import Legs
from .line import Fact, Glyph, seconds
from .masking import mask, mask_addresses, short
from .sip_line import brief
from .words import DEBUG, ERROR, INFO, WARN, Said, Words, on_leg, spaced, why

BRANCH_SHOWN = 13
"""The magic cookie and six letters more."""


def _trace(value: Any, legs: Legs) -> Said:
    line, sent = brief(value.data), value.way == "sent"
    peer = mask_addresses((value.destination if sent else value.source).host)
    facts = {
        **(on_leg(legs, value.session) if value.session else {}),
        "branch": line.branch[:BRANCH_SHOWN] or None,
        "to" if sent else "from": peer,
    }
    return Said(level=DEBUG, area="sip", glyph=">" if sent else "<", what=str(line), facts=facts)


def _malformed(value: Any, legs: Legs) -> Said:
    facts = {"from": mask_addresses(value.source.host), "why": mask(value.detail)}
    return Said(level=WARN, area="sip", glyph="x", what="not SIP, or refused", facts=facts, limited=True)


def _transport_failed(value: Any, legs: Legs) -> Said:
    facts = {"to": mask_addresses(value.destination.host), "why": mask(value.detail)}
    return Said(level=WARN, area="sip", glyph="x", what="sending failed", facts=facts, limited=True)


def _refused(value: Any, legs: Legs) -> Said:
    refusal = value.refusal
    return Said(
        level=INFO,
        area="calls",
        glyph="x",
        what="request refused",
        facts={"reason": refusal.reason, "detail": mask(refusal.detail)},
        limited=True,
    )


def _note(value: Any, legs: Legs) -> Said | None:
    """Those above debug are saved, and told when they are."""
    if value.level != "debug":
        return None
    facts: dict[str, Fact] = {"call": short(value.call), **{name: mask(str(fact)) for name, fact in value.facts.items()}}
    return Said(level=DEBUG, area="calls", glyph="-", what=mask(value.what), facts=facts)


def _store_state(value: Any, legs: Legs) -> Said:
    if value.refusing:
        return Said(level=ERROR, area="store", glyph="x", what="the store refuses writes", facts={"why": mask(value.detail)})
    return Said(level=WARN, area="store", glyph="-", what="the store takes writes again")


def _function(value: Any, legs: Legs) -> Said | None:
    if value.loading:
        return None
    level = INFO if value.state == "served" else WARN
    facts = {"function": value.function, "why": why(value.detail)}
    return Said(level=level, area="apps", glyph="-" if level == INFO else "x", what=f"function {value.state}", facts=facts)


def _engine_gone(value: Any, legs: Legs) -> Said:
    return Said(level=ERROR, area="media", glyph="x", what="the media engine is gone", facts={"why": why(value.detail)})


def _ready(value: Any, legs: Legs) -> Said:
    return Said(level=INFO, area="media", glyph="-", what="the media engine is ready", facts={"version": value.version})


def _no_media(value: Any, legs: Legs) -> Said:
    facts = {**on_leg(legs, value.stream), "for": seconds(value.ms / 1000)}
    return Said(level=WARN, area="media", glyph="x", what="nothing is received", facts=facts)


def _stranger(value: Any, legs: Legs) -> Said:
    facts = {**on_leg(legs, value.stream), "from": mask_addresses(value.source), "packets": value.count}
    return Said(level=WARN, area="media", glyph="x", what="audio from a stranger", facts=facts, limited=True)


def _adopted(value: Any, legs: Legs) -> Said:
    facts = {**on_leg(legs, value.stream), "from": mask_addresses(value.source)}
    return Said(level=DEBUG, area="media", glyph="<", what=spaced(type(value).__name__), facts=facts)


def _digit(value: Any, legs: Legs) -> Said:
    """A press is told, not which key: it may be part of a PIN."""
    return Said(level=DEBUG, area="media", glyph="<", what="digit", facts={**on_leg(legs, value.stream), "how": value.how})


def _lag(value: Any, legs: Legs) -> Said | None:
    if value.loop_lag_ms <= 100:
        return None
    return Said(level=WARN, area="node", glyph="x", what="the loop lags", facts={"ms": round(value.loop_lag_ms)}, limited=True)


def _load(value: Any, legs: Legs) -> Said:
    late = value.sent and value.late / value.sent > 0.01
    facts = {"streams": value.streams, "late": value.late, "worst": f"{value.worst_ms:.1f}ms", "ports_free": value.ports_free}
    return Said(level=WARN if late else DEBUG, area="media", glyph="x" if late else "-", what="load", facts=facts, limited=True)


def _drained(value: Any, legs: Legs) -> Said:
    return Said(level=INFO, area="calls", glyph="-", what="no call is left")


def _failed(value: Any, legs: Legs) -> Said:
    facts = {**on_leg(legs, value.stream), "reason": value.reason, "detail": why(value.detail)}
    return Said(level=DEBUG, area="media", glyph="x", what="command failed", facts=facts)


def _work_failed(value: Any, legs: Legs) -> Said:
    facts = {"reason": value.reason, "detail": why(value.detail)}
    return Said(level=DEBUG, area="calls", glyph="x", what="work failed", facts=facts)


def _on_stream(value: Any, legs: Legs) -> Said:
    glyph: Glyph = "<" if hasattr(value, "time") else ">"
    facts: dict[str, Fact] = {**on_leg(legs, value.stream), "id": getattr(value, "id", None), "why": getattr(value, "why", None)}
    return Said(level=DEBUG, area="media", glyph=glyph, what=spaced(type(value).__name__), facts=facts)


def _restored(value: Any, legs: Legs) -> Said:
    facts: dict[str, Fact] = {"call": short(value.call.call), "legs": len(value.legs), "events": len(value.events)}
    return Said(level=INFO, area="calls", glyph="-", what="left over from the last run", facts=facts)


VALUES: Words = {
    "Trace": (DEBUG, _trace),
    "Malformed": (WARN, _malformed),
    "TransportFailed": (WARN, _transport_failed),
    "Refused": (INFO, _refused),
    "Note": (DEBUG, _note),
    "StoreState": (ERROR, _store_state),
    "FunctionState": (WARN, _function),
    "EngineGone": (ERROR, _engine_gone),
    "Ready": (INFO, _ready),
    "NoMedia": (WARN, _no_media),
    "Stranger": (WARN, _stranger),
    "FirstPacket": (DEBUG, _adopted),
    "SourceAdopted": (DEBUG, _adopted),
    "Digit": (DEBUG, _digit),
    "MachineState": (WARN, _lag),
    "Load": (WARN, _load),
    "Drained": (INFO, _drained),
    "Failed": (DEBUG, _failed),
    "WorkFailed": (DEBUG, _work_failed),
    "Unfinished": (INFO, _restored),
}
ON_STREAM = (
    "OpenStream SetRemote CloseStream Play Collect SendDigits Record Stop Done Collected PlayEnded DigitsSent RecordEnded Silence Speech"
)
VALUES |= dict.fromkeys(ON_STREAM.split(), (DEBUG, _on_stream))
