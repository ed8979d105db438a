"""What is written of a call when it is made, and how its numbers and URIs are spelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..model.events import HungUp
from ..model.invocations import FunctionState
from ..model.participants import Participant
from ..model.records import CallEnded, CallRow, Cdr, EventRow, LegEnded, LegRow, Record
from .termination import Cause, because

if TYPE_CHECKING:
    from .creation import Creation


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
