"""How a call comes to be (DESIGN 3.2): a port, an offer, an INVITE that is held, one synced commit, and only then the 201 and the INVITE.

Theory of operation. Until the commit nothing has left this machine, so everything can be taken back: what fails before it is a refusal,
what fails after it is told through events. The whole takes 3 s at most; then the commit is withdrawn, and exactly one of `Withdrawn` (503,
nothing dials later) and `Saved` (201) decides.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from ..model.ids import CallId, LegId, Token
from ..model.invocations import FunctionState
from ..model.media import CloseStream, Done, Failed, OpenStream
from ..model.records import RepeatRow
from ..model.requests import PlaceCall, Refusal, RefusalReason, Refused
from ..model.work import Withdrawn
from ..sip.values import Cancel, Dial, Held, Over
from .creation_arrows import CREATION, CreationInput, CreationState
from .leg_arrows import leg_invite
from .leg_media import LegMedia
from .machine import Machine
from .new_call import e164, records_of_new_call, records_of_undialled_call, scheme_and_host

if TYPE_CHECKING:
    from .call import Call
    from .control import Control


class Creation(Machine):
    """A call that is being made: see the table."""

    table = CREATION

    def __init__(self, control: Control, request: PlaceCall, now: float, broken: FunctionState | None = None) -> None:
        self.state: Enum = CreationState.OPENING if broken is None else CreationState.SAVING
        self.control = control
        self.request = request
        self.call = CallId(control.shared.ids.uuid())
        self.leg = LegId(control.shared.ids.uuid())
        self.media: LegMedia | None = None
        self.made: Call | None = None
        self.held: Held | None = None
        self.over: Over | None = None
        self.stream_lost = False
        self.stopped = False
        self.save_token = Token(0)
        shared = control.shared
        shared.enter(self.call, request.key)
        shared.owners[self.leg] = self
        self._opening: int | None = None
        if broken is None:
            self._opening = shared.order(OpenStream, self.leg, local_host=shared.settings.local_host)
        else:
            self.save_undialled(broken, now)
        limit = now + shared.settings.create_timeout_s
        shared.set_timer((self.call, "create"), limit, lambda at: self.step(CreationInput.LATE, None, at))

    # --- from the neighbours ---

    def on_media(self, event: Any, now: float) -> None:
        """The port, or none."""
        if isinstance(event, Done) and event.id == self._opening:
            self.step(CreationInput.OPENED, event, now)
        elif isinstance(event, Failed) and event.id == self._opening:
            self.step(CreationInput.NO_PORT, event, now)

    def on_sip(self, event: Any, now: float) -> None:
        """The INVITE as it will leave, or the end of the attempt."""
        if isinstance(event, Held):
            self.step(CreationInput.HELD, event, now)
        elif isinstance(event, Over):
            self.step(CreationInput.OVER, event, now)

    def on_engine_gone(self, now: float) -> None:
        self.step(CreationInput.ENGINE_GONE, None, now)

    def stop(self, now: float) -> None:
        """The node's drain has run out."""
        self.step(CreationInput.STOP, None, now)

    # --- steps ---

    def dial(self, port: int) -> None:
        """Build the offer, and have the INVITE built and held."""
        shared, request = self.control.shared, self.request
        self.media = LegMedia(shared, self.call, self.leg, port)
        trunk = shared.settings.trunk.uri
        scheme, host = scheme_and_host(trunk)
        here = shared.settings.local_host
        shared.put(
            Dial(
                session=self.leg,
                uri=f"{scheme}:{e164(request.to)}@{host}",
                target=trunk,
                from_uri=f"{scheme}:{e164(request.from_)}@{f'[{here}]' if ':' in here else here}",
                to_uri=f"{scheme}:{e164(request.to)}@{host}",
                headers=tuple(request.sip_headers.items()),
                body=self.media.offer,
            )
        )

    def save(self, now: float) -> None:
        """One commit of everything that must not be lost: without it nothing leaves."""
        shared = self.control.shared
        records = records_of_new_call(self)
        if self.held is not None and self.media is not None:
            records.append(leg_invite(self.leg, self.held, self.media.offer))
        self.made = self.control.make_call(self, now)
        records.append(self.made.first_event(self.request.arguments, now))
        if (repeat := self.repeat_row(now)) is not None:
            records.append(repeat)
        self.save_token = shared.save(records, self._on_commit)

    def save_undialled(self, broken: FunctionState, now: float) -> None:
        """The function cannot be invoked: the call, its HANGUP and its CDR in one commit, and nothing is dialled (DESIGN 3.2)."""
        shared = self.control.shared
        records = [*records_of_new_call(self), *records_of_undialled_call(self, broken, shared.wall(now))]
        if (repeat := self.repeat_row(now)) is not None:
            records.append(repeat)
        self.save_token = shared.save(records, self._on_commit)

    def repeat_row(self, now: float) -> RepeatRow | None:
        """The stored outcome: the same answer for a repeat of the request (DESIGN 8)."""
        if self.request.repeat is None:
            return None
        body = msgspec.json.encode({"SipMediaApplicationCall": {"TransactionId": self.call}})
        return RepeatRow(repeat=self.request.repeat, status=201, body=body, made_at=self.control.shared.wall(now))

    def leave_setup(self) -> None:
        self.control.shared.stop_timer((self.call, "create"))

    def refuse(self, reason: RefusalReason, detail: str) -> None:
        """Nothing was dialled and nothing is on record: give everything back, and say why."""
        shared = self.control.shared
        self.leave_setup()
        shared.owners.pop(self.leg, None)
        shared.leave(self.call)
        if self.media is not None and self.over is None:
            shared.put(Cancel(session=self.leg))
        if self._opening is not None and reason != "no_media" and not self.stream_lost:
            shared.order(CloseStream, self.leg)
        self.control.forget(self.call)
        shared.put(Refused(token=self.request.token, refusal=Refusal(reason=reason, detail=detail)))

    def faulty(self, given: Enum, reason: str, now: float) -> None:
        what = f"{given.name} came to a creation that is {self.state.name}: {reason}"
        self.control.shared.note(self.call, "error", what)

    def _on_commit(self, result: Any, now: float) -> None:
        self.step(CreationInput.WITHDRAWN if isinstance(result, Withdrawn) else CreationInput.SAVED, result, now)
