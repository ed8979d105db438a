"""Which call a leg belongs to, learned from the records that pass: SIP and media know legs only."""

from __future__ import annotations

from typing import Any

from ..model.ids import CallId, LegId, Token
from ..model.records import CallEnded, LegRow, Unfinished
from ..model.work import Save, Withdrawn


class Legs:
    """Legs of the calls in progress: an observer of the pump, before all that ask it."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[CallId, str]] = {}
        self._legs: dict[CallId, list[LegId]] = {}
        self._ended: list[CallId] = []
        self._made_by: dict[CallId, Token] = {}
        """Commits that calls stand in: one that is withdrawn was no call."""
        self._making: dict[Token, CallId] = {}

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind is Save or kind is Unfinished or kind is Withdrawn

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump. A call is forgotten with the record after its last: those who look at that one still ask."""
        if self._ended:
            self._forget()
        if type(value) is Save:
            for record in value.unit:
                if isinstance(record, LegRow):
                    self._add(record.call, record.participant.leg, record.participant.tag)
                    if value.token:
                        self._made_by[record.call] = value.token
                        self._making[value.token] = record.call
                elif isinstance(record, CallEnded):
                    self._ended.append(record.call)
        elif type(value) is Unfinished:
            for leg in value.legs:
                self._add(value.call.call, leg.participant.leg, leg.participant.tag)
        elif type(value) is Withdrawn and (call := self._making.get(value.token)) is not None:
            self._ended.append(call)
            self._forget()

    def call(self, leg: str) -> CallId | None:
        """The call of a leg, or None."""
        found = self._calls.get(leg)
        return None if found is None else found[0]

    def tag(self, leg: str) -> str:
        """`LEG-A`, `LEG-B`, or nothing."""
        found = self._calls.get(leg)
        return "" if found is None else found[1]

    def _add(self, call: CallId, leg: LegId, tag: str) -> None:
        self._calls[leg] = (call, tag)
        self._legs.setdefault(call, []).append(leg)

    def _forget(self) -> None:
        for call in self._ended:
            for leg in self._legs.pop(call, ()):
                self._calls.pop(leg, None)
            if (token := self._made_by.pop(call, None)) is not None:
                self._making.pop(token, None)
        self._ended.clear()

    def __len__(self) -> int:
        return len(self._calls)
