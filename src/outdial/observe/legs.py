"""Which call a leg belongs to, learned from the records that pass: SIP and media know legs only."""

from __future__ import annotations

from ..model.ids import CallId, LegId, Token
from ..model.records import CallEnded, LegRow, Unfinished
from ..model.work import Save, Withdrawn


class Legs:
    """Legs of the calls in progress."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[CallId, str]] = {}
        self._legs: dict[CallId, list[LegId]] = {}
        self._made_by: dict[CallId, Token] = {}
        """Commits that calls stand in: one that is withdrawn was no call."""
        self._making: dict[Token, CallId] = {}

    def see(self, value: object) -> None:
        """Learn from a value of the pump: `Save`, `Withdrawn` and `Unfinished` matter, all others do not."""
        kind = type(value)
        if kind is Save or kind is Unfinished or kind is Withdrawn:
            self.learn(value)
            self.drop(value)

    def learn(self, value: object) -> None:
        """The new legs in a value."""
        if isinstance(value, Save):
            for record in value.unit:
                if isinstance(record, LegRow):
                    self._add(record.call, record.participant.leg, record.participant.tag)
                    if value.token:
                        self._made_by[record.call] = value.token
                        self._making[value.token] = record.call
        elif isinstance(value, Unfinished):
            for leg in value.legs:
                self._add(value.call.call, leg.participant.leg, leg.participant.tag)

    def drop(self, value: object) -> None:
        """Forget the calls that end with a value."""
        if isinstance(value, Save):
            for record in value.unit:
                if isinstance(record, CallEnded):
                    self._forget(record.call)
        elif isinstance(value, Withdrawn) and (call := self._making.get(value.token)) is not None:
            self._forget(call)

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

    def _forget(self, call: CallId) -> None:
        for leg in self._legs.pop(call, ()):
            self._calls.pop(leg, None)
        if (token := self._made_by.pop(call, None)) is not None:
            self._making.pop(token, None)

    def __len__(self) -> int:
        return len(self._calls)
