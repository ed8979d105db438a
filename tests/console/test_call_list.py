"""The list of calls, and a call told as it happens."""

from __future__ import annotations

import re

import msgspec

from helpers import call_records as made
from outdial.console.call_list import call_list
from outdial.console.told import Teller
from outdial.model.ids import CallId
from outdial.model.records import CallEnded, Record
from outdial.model.terminations import Termination

from .histories import summaries

BUSY = Termination(who="callee", result="failure", reason="busy", sip_status=486, sip_phrase="Busy Here")


def busy_call() -> list[tuple[Record, ...]]:
    call, at = CallId("b0000000-0000-4000-8000-000000000002"), made.START + 60_000
    cdr = msgspec.structs.replace(made.cdr(call, at=at, termination=BUSY), answered_at=None, ended_at=at + 150)
    return [(made.call_row(call, at),), (cdr, CallEnded(call=call, ended_at=at + 150, termination=BUSY))]


def test_newest_first_and_failures_say_why() -> None:
    waiting = made.call_row(CallId("aaaa0000-0000-4000-8000-000000000003"), made.START + 90_000, "+12065550199")
    assert call_list(summaries([*made.life(), *busy_call(), (waiting,)])).splitlines() == [
        "CALL      STARTED              FROM          TO            HANDLER   STATE        LASTED  WHY",
        "aaaa0000  2026-09-21 14:14:50  +1206555****  +1206555****  reminder  in progress",
        "b0000000  2026-09-21 14:14:20  +1206555****  +1206555****  reminder  busy         150 ms  The callee was busy. The far …",
        "c7f20000  2026-09-21 14:13:20  +1206555****  +1206555****  reminder  completed    8.5 s",
    ]


def test_no_calls_no_text() -> None:
    assert call_list([]) == ""


def test_a_call_told_as_it_happens() -> None:
    teller = Teller()
    assert [line for unit in made.life() for record in unit for line in teller.tell(record)] == [
        "   +0.000 > calling +1206555**** from +1206555****",
        "   +0.004 > handler is told NEW_OUTBOUND_CALL",
        "   +0.009 < it rings",
        "   +0.031 > handler is told RINGING",
        "   +2.000 < answered",
        "   +2.001 > handler is told CALL_ANSWERED",
        "   +2.010 < handler prints: answered by +1206555****",
        '   +2.020 < handler wants SpeakAndGetDigits "Press 5"',
        "   +4.000 - done: SpeakAndGetDigits, ReceivedDigits 5",
        "   +4.000 > handler is told ACTION_SUCCESSFUL",
        "   +4.012 < handler wants RecordAudio",
        "   +5.000 x nothing was heard for 1 s",
        "   +8.500 - The callee hung up.",
        "          - recorded 2.0 s: recordings/r1.wav",
        "   +8.600 - done: RecordAudio",
        "   +8.600 > handler is told ACTION_SUCCESSFUL",
        "   +8.611 > handler is told HANGUP",
        "   +8.630 - call over: completed after 8.5 s, answered after 2.0 s",
    ]


def test_sip_messages_are_told_where_asked_and_numbers_whole() -> None:
    teller = Teller(messages=True, full=True)
    lines = [line for unit in made.life() for record in unit for line in teller.tell(record)]
    assert "   +0.003 > SIP INVITE" in lines
    assert "   +0.009 < SIP 180 Ringing" in lines
    assert not any(re.search(r"\*\*\*\*", line) for line in lines)
