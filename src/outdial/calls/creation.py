"""How a call comes to be (DESIGN 3.2): a port, an offer, an INVITE that is held, one synced commit, and only then the 201 and the INVITE.

Theory of operation. Until the commit nothing has left this machine, so everything can be taken back: what fails before it is a refusal,
what fails after it is told through events. The whole takes 3 s at most; then the commit is withdrawn, and exactly one of `Withdrawn` (503,
nothing dials later) and `Saved` (201) decides.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from ..core import FAULT, IGNORE, Table
from ..model.events import HungUp
from ..model.ids import CallId, LegId, Token
from ..model.invocations import FunctionState
from ..model.media import CloseStream, Done, Failed, OpenStream
from ..model.participants import Participant
from ..model.records import CallEnded, CallRow, Cdr, EventRow, LegEnded, LegRow, Record, RepeatRow
from ..model.requests import PlaceCall, Placed, Refusal, RefusalReason, Refused
from ..model.work import Withdraw, Withdrawn
from ..sip.values import Cancel, Dial, Held, Over
from .leg import leg_invite
from .leg_media import LegMedia
from .machine import Machine
from .termination import Cause, because

if TYPE_CHECKING:
    from .call import Call
    from .control import Control


class CreationState(Enum):
    """How far it has come."""

    OPENING = auto()
    """A port is awaited."""
    DIALLING = auto()
    """The INVITE is being built: a name may have to be resolved."""
    SAVING = auto()
    WITHDRAWING = auto()
    """The time is up: the commit is being taken back, if it can be."""
    SETTLED = auto()


class CreationInput(Enum):
    """What can happen meanwhile."""

    OPENED = auto()
    NO_PORT = auto()
    HELD = auto()
    OVER = auto()
    """The trunk's name does not resolve, or cannot be reached."""
    SAVED = auto()
    WITHDRAWN = auto()
    LATE = auto()
    STOP = auto()
    """The node's drain has run out."""
    ENGINE_GONE = auto()


def dial(creation: Creation, done: Done, now: float) -> None:
    assert done.rtp_port is not None
    creation.dial(done.rtp_port)


def save(creation: Creation, held: Held, now: float) -> None:
    creation.held = held
    creation.save(now)


def save_unreachable(creation: Creation, over: Over, now: float) -> None:
    creation.over = over
    creation.save(now)


def note_over(creation: Creation, over: Over, now: float) -> None:
    creation.over = over


def note_stream_lost(creation: Creation, _: Any, now: float) -> None:
    creation.stream_lost = True


def withdraw(creation: Creation, _: Any, now: float) -> None:
    creation.control.shared.put(Withdraw(token=creation.save_token))


def stop_saving(creation: Creation, _: Any, now: float) -> None:
    creation.stopped = True
    withdraw(creation, None, now)


def place(creation: Creation, _: Any, now: float) -> None:
    creation.leave_setup()
    creation.control.shared.put(Placed(token=creation.request.token, call=creation.call))
    creation.control.begin(creation, now)


def refuse_no_port(creation: Creation, failed: Failed, now: float) -> None:
    creation.refuse(
        "no_media", f"No port for audio is free ({failed.reason} {failed.detail}".rstrip() + "). Widen --rtp, or place fewer calls."
    )


def refuse_no_engine(creation: Creation, _: Any, now: float) -> None:
    creation.refuse("no_media", "The media engine died while the call was being set up; nothing was dialled. Try again in a moment.")


def refuse_late(creation: Creation, _: Any, now: float) -> None:
    within = creation.control.shared.settings.create_timeout_s
    creation.refuse("timeout", f"The call could not be set up within {within:g} s, and nothing was dialled. Try again.")


def refuse_withdrawn(creation: Creation, _: Any, now: float) -> None:
    within = creation.control.shared.settings.create_timeout_s
    if creation.stopped:
        refuse_stopped(creation, None, now)
    else:
        what = f"The database did not take the call within {within:g} s, and nothing was dialled."
        creation.refuse("store", f"{what} Look at the disk and at who locks the file; then try again.")


def refuse_stopped(creation: Creation, _: Any, now: float) -> None:
    creation.refuse("draining", "This node is shutting down, and nothing was dialled. Try another node, or this one after its restart.")


_S, _I = CreationState, CreationInput
_ANSWERED = IGNORE("the request has been answered")

CREATION: Table = {
    _S.OPENING: {
        _I.OPENED: (_S.DIALLING, (dial,)),
        _I.NO_PORT: (_S.SETTLED, (refuse_no_port,)),
        _I.HELD: FAULT,
        _I.OVER: FAULT,
        _I.SAVED: FAULT,
        _I.WITHDRAWN: FAULT,
        _I.LATE: (_S.SETTLED, (refuse_late,)),
        _I.STOP: (_S.SETTLED, (refuse_stopped,)),
        _I.ENGINE_GONE: (_S.SETTLED, (refuse_no_engine,)),
    },
    _S.DIALLING: {
        _I.OPENED: FAULT,
        _I.NO_PORT: FAULT,
        _I.HELD: (_S.SAVING, (save,)),
        _I.OVER: (_S.SAVING, (save_unreachable,)),
        _I.SAVED: FAULT,
        _I.WITHDRAWN: FAULT,
        _I.LATE: (_S.SETTLED, (refuse_late,)),
        _I.STOP: (_S.SETTLED, (refuse_stopped,)),
        _I.ENGINE_GONE: (_S.SETTLED, (refuse_no_engine,)),
    },
    _S.SAVING: {
        _I.OPENED: FAULT,
        _I.NO_PORT: FAULT,
        _I.HELD: FAULT,
        _I.OVER: (_S.SAVING, (note_over,)),
        _I.SAVED: (_S.SETTLED, (place,)),
        _I.WITHDRAWN: FAULT,
        _I.LATE: (_S.WITHDRAWING, (withdraw,)),
        _I.STOP: (_S.WITHDRAWING, (stop_saving,)),
        _I.ENGINE_GONE: (_S.SAVING, (note_stream_lost,)),
    },
    _S.WITHDRAWING: {
        _I.OPENED: FAULT,
        _I.NO_PORT: FAULT,
        _I.HELD: FAULT,
        _I.OVER: (_S.WITHDRAWING, (note_over,)),
        _I.SAVED: (_S.SETTLED, (place,)),
        _I.WITHDRAWN: (_S.SETTLED, (refuse_withdrawn,)),
        _I.LATE: IGNORE("it is being withdrawn"),
        _I.STOP: IGNORE("it is being withdrawn"),
        _I.ENGINE_GONE: (_S.WITHDRAWING, (note_stream_lost,)),
    },
    _S.SETTLED: dict.fromkeys(CreationInput, _ANSWERED),
}
"""Every arrow of a creation."""


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


def records_of_new_call(creation: Creation) -> list[Record]:
    """The call and its leg A, as the request asked for them."""
    request, application = creation.request, creation.request.facts.application
    assert application is not None
    return [
        CallRow(
            call=creation.call,
            application=application.id,
            function=application.function,
            account=application.account,
            region=application.region,
            key=request.key,
            from_=e164(request.from_),
            to=e164(request.to),
            started_at=request.started_at,
        ),
        LegRow(call=creation.call, participant=participant_of(creation), trunk=creation.control.shared.settings.trunk.name),
    ]


def records_of_undialled_call(creation: Creation, broken: FunctionState, at: int) -> list[Record]:
    """How a call ends that no handler could have served: HANGUP is on record, though nobody can be told of it."""
    request, application = creation.request, creation.request.facts.application
    assert application is not None
    detail = f"The function {application.function} cannot be invoked: {broken.detail or broken.state}"
    termination = because(Cause.NOT_SERVED, answered=False, detail=detail)
    participant = replace(participant_of(creation), status="Disconnected")
    return [
        EventRow(
            call=creation.call,
            number=1,
            leg=creation.leg,
            event=HungUp(leg=creation.leg, termination=termination),
            participants=(participant,),
            at=at,
            actions_ignored=True,
        ),
        LegEnded(leg=creation.leg, ended_at=at, termination=termination),
        Cdr(
            call=creation.call,
            application=application.id,
            account=application.account,
            region=application.region,
            from_=participant.from_,
            to=participant.to,
            leg=creation.leg,
            started_at=request.started_at,
            ended_at=at,
            termination=termination,
        ),
        CallEnded(call=creation.call, ended_at=at, termination=termination),
    ]


def participant_of(creation: Creation) -> Participant:
    """Leg A before anything has happened to it."""
    request = creation.request
    return Participant(
        leg=creation.leg,
        tag="LEG-A",
        to=e164(request.to),
        from_=e164(request.from_),
        direction="Outbound",
        started_at=request.started_at,
    )


def e164(number: str) -> str:
    """With its plus sign, whichever way it was given."""
    return number if number.startswith("+") else "+" + number


def scheme_and_host(trunk: str) -> tuple[str, str]:
    """`sip` and `host:port` of a trunk's URI: what our Request-URIs are made of."""
    scheme, _, rest = trunk.partition(":")
    return scheme, rest.partition("?")[0].partition(";")[0].rpartition("@")[2]
