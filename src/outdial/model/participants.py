"""A participant: what an event says about one leg."""

from __future__ import annotations

from typing import Literal

from .ids import LegId
from .value import Value

Tag = Literal["LEG-A", "LEG-B"]
Status = Literal["Connected", "Disconnected"]
Direction = Literal["Inbound", "Outbound"]


class Participant(Value, frozen=True, kw_only=True):
    """One leg as it was when an event happened."""

    leg: LegId
    tag: Tag
    to: str
    from_: str
    direction: Direction
    started_at: int
    """Epoch milliseconds; the same in every event of the leg."""
    status: Status | None = None
    """None until the leg has been answered."""
    sip_headers: dict[str, str] = {}
    """Headers received on this leg (reference 11)."""
