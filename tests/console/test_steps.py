"""The order of steps within one millisecond: causes before effects."""

from __future__ import annotations

from helpers import call_records as made
from outdial.console.steps import steps
from outdial.model.events import Answered
from outdial.model.records import EventRow, InvocationDone, InvocationRow, Record, SipMessageRow

from .histories import history


def order(*unit: Record) -> list[str]:
    names = []
    for step in steps(history([made.created(), unit])):
        what = step.what
        if isinstance(what, SipMessageRow):
            names.append(what.message.split(b" ")[0 if what.way == "sent" else 1].decode())
        elif isinstance(what, EventRow):
            names.append(f"event {what.number}")
        elif isinstance(what, InvocationRow | InvocationDone):
            names.append(f"{'given' if isinstance(what, InvocationRow) else 'done'} {what.sequence}")
    return names


def test_a_reply_within_the_millisecond_comes_after_its_event_and_before_the_next() -> None:
    t = made.START
    unit = (made.replied(2, at=t), made.replied(1, at=t), made.given(2), made.given(1), made.event(2, Answered()), made.event(1))
    assert order(*unit) == ["event 1", "given 1", "done 1", "event 2", "given 2", "done 2"]


def test_an_invite_stays_before_its_answer_and_what_a_reply_causes_comes_after_it() -> None:
    t = made.START
    unit = (
        made.sip("sent", made.invite(), t),
        made.sip("received", made.response(100, "Trying"), t),
        made.sip("sent", made.request("CANCEL"), t),
        made.event(1),
        made.given(1),
        made.replied(1, at=t),
    )
    assert order(*unit) == ["INVITE", "100", "event 1", "given 1", "done 1", "CANCEL"]
