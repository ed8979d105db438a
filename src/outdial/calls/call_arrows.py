"""Every arrow of a call: its states, what can happen to it as a whole, and what is done then. `call` is the call itself."""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING, Any

from ..core import FAULT, IGNORE, Symbol, Table
from ..model.events import HungUp, InvalidReply, UpdateRequested
from ..model.ids import CallId
from ..model.invocations import BadReply, InvocationFailed, Replied
from ..model.requests import Refusal, Refused, UpdateCall, Updated
from .events import Given
from .termination import Cause

if TYPE_CHECKING:
    from .call import Call


class CallState(Symbol):
    """Where a call stands."""

    LIVE = auto()
    CLOSING = auto()
    """No leg is alive; events are still to be given, or SIP is not through."""
    DONE = auto()


class CallInput(Symbol):
    """What can happen to a call as a whole."""

    UPDATE = auto()
    REPLIED = auto()
    BAD_REPLY = auto()
    FAILED = auto()
    LAST_LEG_ENDED = auto()
    ALL_DEALT_WITH = auto()


def take_update(call: Call, update: UpdateCall, now: float) -> None:
    limit = call.shared.settings.max_events_waiting
    if call.events.waiting >= limit:
        detail = (
            f"{call.events.waiting} events of this call wait for its handler, and {limit} is the limit. Try again when some are answered."
        )
        call.shared.put(Refused(token=update.token, refusal=Refusal(reason="too_many_events", detail=detail)))
        return
    row = call.queue(UpdateRequested(arguments=update.arguments), call.leg.id, now)
    answer = Updated(token=update.token, call=call.id)
    call.shared.save_and_hold((call.id, f"update {row.number}"), call.id, (row,), now, lambda _: call.shared.put(answer), "committed")
    call.proceed(now)


def refuse_update(call: Call, update: UpdateCall, now: float) -> None:
    call.shared.put(Refused(token=update.token, refusal=no_call(update.call)))


def obey(call: Call, answered: tuple[Given, Replied], now: float) -> None:
    given, reply = answered
    call.events.keep(reply.attributes)
    if given.reply_ignored:
        return
    call.bad_replies = 0
    if not reply.actions:
        call.runner.go_on(given.waiting.number, now)
    elif not any(leg.connected for leg in call.legs.values()):
        call.shared.note(call.id, "warning", "the reply's actions were ignored: no leg is connected", actions=len(reply.actions))
    else:
        interrupts = isinstance(given.waiting.event, UpdateRequested)
        call.runner.replace(reply.actions, given.waiting.leg, interrupts, now)


def keep_attributes(call: Call, answered: tuple[Given, Replied], now: float) -> None:
    _, reply = answered
    call.events.keep(reply.attributes)
    if reply.actions:
        call.shared.note(call.id, "debug", "the reply's actions were ignored: no leg is left", actions=len(reply.actions))


def complain(call: Call, answered: tuple[Given, BadReply], now: float) -> None:
    given, bad = answered
    if given.reply_ignored:
        note_bad_reply(call, answered, now)
        return
    call.bad_replies += 1
    if call.bad_replies > 1:
        where = f" ({bad.path})" if bad.path else ""
        call.end(Cause.HANDLER_INVALID, f"The handler's reply could not be used for the second time in a row{where}: {bad.message}", now)
        return
    number = call.tell(InvalidReply(error_type=bad.error_type, message=bad.message), given.waiting.leg, now)
    call.runner.wait_for(given.waiting.number, number)


def note_bad_reply(call: Call, answered: tuple[Given, BadReply], now: float) -> None:
    _, bad = answered
    call.shared.note(call.id, "warning", f"a reply that would have been ignored could not be used: {bad.message}", path=bad.path)


def end_for_handler(call: Call, answered: tuple[Given, InvocationFailed], now: float) -> None:
    given, failed = answered
    if given.reply_ignored:
        note_failure(call, answered, now)
        return
    cause = Cause.HANDLER_TIMEOUT if failed.reason == "timeout" else Cause.HANDLER_FAILED
    spare_a_hanging_handler(call, failed)
    call.end(cause, failed.detail, now)


def note_failure(call: Call, answered: tuple[Given, InvocationFailed], now: float) -> None:
    _, failed = answered
    call.shared.note(call.id, "warning", f"the handler failed on an event whose reply is ignored: {failed.detail}", reason=failed.reason)
    if not call.alive:
        spare_a_hanging_handler(call, failed)


def spare_a_hanging_handler(call: Call, failed: InvocationFailed) -> None:
    """A handler that hangs costs 20 s an event: of a call that ends it is told the HANGUP and nothing else any more."""
    if failed.reason == "timeout" and (dropped := call.events.drop_waiting(keep=(HungUp,))):
        call.shared.note(call.id, "warning", "events were dropped: the handler hangs, and the call has ended", events=dropped)


def give_next(call: Call, _: Any, now: float) -> None:
    call.proceed(now)


def write_cdr(call: Call, _: Any, now: float) -> None:
    call.write_cdr(now)


_S, _I = CallState, CallInput
_AFTER = IGNORE("the call has its CDR")

CALL: Table = {
    _S.LIVE: {
        _I.UPDATE: (_S.LIVE, (take_update,)),
        _I.REPLIED: (_S.LIVE, (obey, give_next)),
        _I.BAD_REPLY: (_S.LIVE, (complain, give_next)),
        _I.FAILED: (_S.LIVE, (end_for_handler, give_next)),
        _I.LAST_LEG_ENDED: (_S.CLOSING, ()),
        _I.ALL_DEALT_WITH: IGNORE("a leg is alive"),
    },
    _S.CLOSING: {
        _I.UPDATE: (_S.CLOSING, (refuse_update,)),
        _I.REPLIED: (_S.CLOSING, (keep_attributes, give_next)),
        _I.BAD_REPLY: (_S.CLOSING, (note_bad_reply, give_next)),
        _I.FAILED: (_S.CLOSING, (note_failure, give_next)),
        _I.LAST_LEG_ENDED: FAULT,
        _I.ALL_DEALT_WITH: (_S.DONE, (write_cdr,)),
    },
    _S.DONE: {
        _I.UPDATE: _AFTER,
        _I.REPLIED: _AFTER,
        _I.BAD_REPLY: _AFTER,
        _I.FAILED: _AFTER,
        _I.LAST_LEG_ENDED: FAULT,
        _I.ALL_DEALT_WITH: _AFTER,
    },
}
"""Every arrow of a call."""


def no_call(call: CallId) -> Refusal:
    """No call of that id is in progress (for this application)."""
    return Refusal(reason="no_call", detail=f"No call {call} of this application is in progress: it has ended, or never was.")
