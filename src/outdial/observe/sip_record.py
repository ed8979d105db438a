"""Keeps each SIP message beside its call: bounded and without credentials. Fed by the pump, gives `Save` back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, Protocol

from ..model.ids import CallId, LegId, Token, Wall
from ..model.records import CallEnded, NoteRow, Record, SipMessageRow
from ..model.work import Save
from .legs import Legs
from .masking import redacted

MESSAGES_A_CALL: Final = 200
BYTES_A_MESSAGE: Final = 16_384
BYTES_A_CALL: Final = 262_144
CUT: Final = b"\r\n(cut here)"
TRACE: Final = "Trace"


class Address(Protocol):
    """Of `sip.values`, whose module an observer may not import."""

    @property
    def transport(self) -> str: ...


class Trace(Protocol):
    """`sip.values.Trace`: a message of a session, sent or received."""

    @property
    def session(self) -> str: ...
    @property
    def way(self) -> Literal["sent", "received"]: ...
    @property
    def data(self) -> bytes: ...
    @property
    def source(self) -> Address: ...
    @property
    def destination(self) -> Address: ...


class SipRecord:
    """An observer of the pump. `give` must only queue (`lambda save: pump.give("store", save, "sip_record")`)."""

    def __init__(self, give: Callable[[Save], None], wall: Wall, legs: Legs) -> None:
        self._give = give
        self._wall = wall
        self._legs = legs
        self._used: dict[CallId, tuple[int, int]] = {}

    def wants(self, kind: type) -> bool:
        """Whether values of this type say anything to it."""
        return kind is Save or kind.__name__ == TRACE

    def __call__(self, source: str, destination: str, value: Any, now: float) -> None:
        """See one value of the pump."""
        if type(value) is Save:
            for record in value.unit:
                if type(record) is CallEnded:
                    self._used.pop(record.call, None)
        elif type(value).__name__ == TRACE:
            self._keep(value, now)

    def _keep(self, trace: Trace, now: float) -> None:
        call = self._legs.call(trace.session)
        if call is None:
            return
        count, size = self._used.get(call, (0, 0))
        if count > MESSAGES_A_CALL:
            return
        message = redacted(trace.data)
        if len(message) > BYTES_A_MESSAGE:
            message = message[:BYTES_A_MESSAGE] + CUT
        at = self._wall(now)
        record: Record
        if count == MESSAGES_A_CALL or size + len(message) > BYTES_A_CALL:
            count = MESSAGES_A_CALL
            record = NoteRow(
                call=call, at=at, level="info", what=f"further SIP messages of this call are not kept ({self._used[call][0]} are)"
            )
        else:
            record = SipMessageRow(
                call=call,
                leg=LegId(trace.session),
                at=at,
                way=trace.way,
                transport=trace.source.transport,
                source=str(trace.source),
                destination=str(trace.destination),
                message=message,
            )
        self._used[call] = (count + 1, size + len(message))
        self._give(Save(token=Token(0), unit=(record,)))
