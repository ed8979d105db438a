"""What a call's legs listen to in the background (ReceiveDigits), and what the engine tells that is only worth a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..actions.listener import Heard, Listener
from ..actions.values import ArmListener
from ..model.events import DigitsReceived
from ..model.ids import LegId
from ..model.media import Digit, FirstPacket, SourceAdopted, Stranger
from ..model.work import Match, Note

if TYPE_CHECKING:
    from .call import Call
    from .shared import Shared


class Ears:
    """One listener a leg, replaced by the next ReceiveDigits, silent while an action owns the digits (reference 10.6)."""

    def __init__(self, shared: Shared, call: Call) -> None:
        self._shared = shared
        self._call = call
        self._listeners: dict[LegId, Listener] = {}

    def arm(self, armed: ArmListener, now: float) -> None:
        """Listen on a leg, in place of what was listened for before."""
        listener = Listener(armed, self._call.id, self._shared.ids)
        self._listeners[armed.leg] = listener
        self._drain(armed.leg, listener, now)

    def hear(self, leg: LegId, digit: Digit, now: float) -> None:
        """A digit that no action owns."""
        self._give(leg, digit, now)

    def stop(self, leg: LegId) -> None:
        """The leg has gone."""
        self._listeners.pop(leg, None)
        self._shared.stop_timer((leg, "listener"))

    def note_stream(self, event: Any) -> None:
        """What only a reader of the record wants to know. Addresses stay out of it: the statistics have them."""
        match event:
            case Stranger():
                what = "audio from a stranger was dropped while the far end's own address is silent"
                hint = "if the trunk sits behind NAT, set nat for it"
                self._shared.note(self._call.id, "warning", what, packets=event.count, hint=hint)
            case SourceAdopted():
                self._shared.note(self._call.id, "info", "audio is believed from another address than the SDP's")
            case FirstPacket():
                self._shared.note(self._call.id, "debug", "the first packet has been received")

    def _give(self, leg: LegId, item: Any, now: float) -> None:
        listener = self._listeners.get(leg)
        if listener is not None:
            listener.receive(item, now)
            self._drain(leg, listener, now)

    def _timer(self, leg: LegId, now: float) -> None:
        listener = self._listeners.get(leg)
        if listener is not None:
            listener.handle_timer(now)
            self._drain(leg, listener, now)

    def _drain(self, leg: LegId, listener: Listener, now: float) -> None:
        heard: list[Heard] = []
        while (output := listener.next_output()) is not None:
            match output:
                case Match():
                    self._shared.put(output)
                    self._shared.await_result(output.token, lambda result, at: self._give(leg, result, at))
                case Note():
                    self._shared.put(output)
                case Heard():
                    heard.append(output)
        deadline = listener.next_deadline()
        if deadline is None:
            self._shared.stop_timer((leg, "listener"))
        else:
            self._shared.set_timer((leg, "listener"), deadline.at, lambda at: self._timer(leg, at))
        for found in heard:
            self._call.on_digits(leg, DigitsReceived(action=found.action, digits=found.digits), now)
