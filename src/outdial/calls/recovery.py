"""After `kill -9`: end what can be ended, tell the handler what it has not been told, and write the CDR (DESIGN 3.5). Nobody is dialled.

A leg without a 2xx is cancelled from its stored INVITE, one with a 2xx gets ACK and BYE. `LegEnded` and a leg's HANGUP stand in one unit:
where the one is on record, so is the other, given or waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..model.events import HungUp
from ..model.records import EventRow, Unfinished, UnfinishedLeg
from ..sip.values import Address, AdoptDialog, AdoptInvite, Transport
from .call import Call
from .call_arrows import CallState
from .events import Handler, Waiting
from .leg import Leg
from .leg_arrows import LegState
from .termination import Cause, because

if TYPE_CHECKING:
    from .control import Control

TRANSPORTS: dict[str, Transport] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}
DETAIL = "The node ended while the call was in progress; the next start ended the call."


def recover(control: Control, found: Unfinished, now: float) -> Call:
    """Take up a call that had no CDR at the start."""
    row, shared = found.call, control.shared
    handler = Handler(
        function=row.function,
        application=row.application,
        account=row.account,
        region=row.region,
        lambda_arn=f"arn:aws:lambda:{row.region}:{row.account}:function:{row.function}",
    )
    call = Call(
        shared, row.call, key=row.key, handler=handler, from_=row.from_, to=row.to, started_at=row.started_at, on_done=control.on_call_done
    )
    call.state = CallState.CLOSING
    shared.enter(call.id, row.key)
    _recover_events(call, found)
    for kept in found.legs:
        _recover_leg(call, kept, now)
    call.verdict = because(Cause.RESTART, answered=call.leg.answered, detail=DETAIL)
    for recording in found.recordings:
        shared.deliveries.take(recording, now)
    return call


def finish(call: Call, found: Unfinished, now: float) -> None:
    """Queue the HANGUPs that were never queued, and give what waits."""
    for kept in found.legs:
        leg = call.legs[kept.participant.leg]
        if kept.ended is None:
            call.hang_up_event(leg, now)
        else:
            call.hung_up_before(leg)
    call.proceed(now)


def _recover_events(call: Call, found: Unfinished) -> None:
    events = call.events
    events.number = found.last_number
    events.sequence = found.last_sequence
    if found.attributes:
        events.attributes = msgspec.json.decode(found.attributes, type=dict) or None
    given = found.in_flight
    for row in sorted(_owed(found), key=lambda event: event.number):
        request = None
        if given is not None and row.number == given.number:
            request, events.sequence = given.request, given.sequence
        events.requeue(Waiting(number=row.number, leg=row.leg, event=row.event, participants=row.participants, request=request))


def _owed(found: Unfinished) -> list[EventRow]:
    """What the handler is still to be told. Events before the one that was given were dropped on purpose, and so was what is left of a call
    whose last HANGUP has been answered."""
    waiting_hangup = any(isinstance(row.event, HungUp) for row in found.events)
    if not waiting_hangup and all(kept.ended is not None for kept in found.legs):
        return []
    first = found.in_flight.number if found.in_flight is not None else 0
    return [row for row in found.events if row.number >= first]


def _recover_leg(call: Call, kept: UnfinishedLeg, now: float) -> None:
    shared, facts = call.shared, kept.participant
    leg = Leg(shared, call, facts.leg, None, to=facts.to, from_=facts.from_, started_at=facts.started_at)
    leg.tag = facts.tag
    leg.status = "Disconnected"
    if kept.dialog is not None:
        leg.answered_at = kept.dialog.answered_at
    if kept.ended is None:
        leg.termination = because(Cause.RESTART, answered=leg.answered, detail=DETAIL)
        leg.ended_at = shared.wall(now)
    else:
        leg.termination = kept.ended.termination
        leg.ended_at = kept.ended.ended_at
    call.legs[leg.id] = leg
    if kept.invite is None:
        leg.state = LegState.OVER
        return
    leg.state = LegState.ENDED
    leg.bound_the_end(now)
    shared.owners[leg.id] = leg
    source, destination = address(kept.invite.source), address(kept.invite.destination)
    if kept.dialog is None:
        shared.put(AdoptInvite(session=leg.id, invite=kept.invite.invite, source=source, destination=destination))
        return
    shared.put(
        AdoptDialog(
            session=leg.id,
            invite=kept.invite.invite,
            source=source,
            destination=destination,
            remote_tag=kept.dialog.remote_tag,
            remote_target=kept.dialog.remote_target,
            routes=kept.dialog.routes,
        )
    )


def address(text: str) -> Address:
    """The `Address` that `str()` made this text of."""
    transport, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if transport not in TRANSPORTS or not port.isdigit():
        raise ValueError(f"{text!r} is not an address: expected for example udp:192.0.2.1:5060")
    return Address(transport=TRANSPORTS[transport], host=host.removeprefix("[").removesuffix("]"), port=int(port))
