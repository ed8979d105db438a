"""The ladder: what a person reads who asks what happened on the wire, in the handler and in between."""

from __future__ import annotations

import re

import msgspec
import pytest

from helpers import call_records as made
from outdial.console.ladder import ladder
from outdial.model.ids import LegId
from outdial.model.records import CallEnded, LegEnded, LegRow
from outdial.model.terminations import Termination

from .histories import history

WHOLE = """\
call c7f20000-0000-4000-8000-000000000001  2026-09-21 14:13:20 UTC
completed after 8.5 s, answered after 2.0 s

      handler reminder                 outdial               LEG-A +1206555****
              │                           │                           │
    +0.003    │                           │────────── INVITE ────────>│  with SDP
    +0.004    │<─── NEW_OUTBOUND_CALL ────│                           │  #1
    +0.005    │                           │<─────── 100 Trying ───────│
    +0.009    │                           │<────── 180 Ringing ───────│
    +0.031    │──────── no actions ──────>│                           │  #1 27 ms
    +0.031    │<──────── RINGING ─────────│                           │  #2
    +0.035    │──────── no actions ──────>│                           │  #2 4 ms
    +2.000    │                           │<───────── 200 OK ─────────│
    +2.001    │<───── CALL_ANSWERED ──────│                           │  #3
    +2.003    │                           │─────────── ACK ──────────>│
    +2.010    │                           ● stdout: answered by +1206555****
    +2.020    │──── SpeakAndGetDigits ───>│                           │  #3 19 ms "Press 5"
    +4.000    │<─── ACTION_SUCCESSFUL ────│                           │  #4 SpeakAndGetDigits, ReceivedDigits 5
    +4.000    │                           ● records: recordings/r1.wav  2.0 s, delivered to greetings/a/b.wav
    +4.012    │─────── RecordAudio ──────>│                           │  #4 12 ms
    +5.000    │                           ● warning: nothing was heard for 1 s
    +8.500    │                           │<────────── BYE ───────────│
    +8.500    │                           │────────── 200 OK ────────>│
    +8.500    │                           ● LEG-A ended, completed: The callee hung up.
    +8.600    │<─── ACTION_SUCCESSFUL ────│                           │  #5 RecordAudio
    +8.610    │──────── no actions ──────>│                           │  #5 10 ms
    +8.611    │<───────── HANGUP ─────────│                           │  #6 waited 111 ms completed, by callee
    +8.620    │──────── no actions ──────>│                           │  #6 9 ms
"""


def test_a_whole_call() -> None:
    assert ladder(history(made.life())) == WHOLE


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_is_wider_than_asked_and_the_lanes_stay_straight(width: int) -> None:
    lines = ladder(history(made.life()), width=width).splitlines()
    assert max(map(len, lines)) <= width
    lanes = [[place for place, letter in enumerate(line) if letter in "│●"] for line in lines[4:]]
    assert all(set(places) <= set(lanes[0]) for places in lanes)


def test_at_80_columns_the_longest_names_of_events_and_actions_are_whole() -> None:
    text = ladder(history(made.life()), width=80)
    assert "NEW_OUTBOUND_CALL" in text
    assert "SpeakAndGetDigits ─" in text


def test_numbers_are_whole_where_asked() -> None:
    text = ladder(history(made.life()), full=True)
    assert "LEG-A +12065550150" in text
    assert "answered by +12065550150" in text


def test_what_is_sent_again_says_so() -> None:
    units = [made.created(), (made.sip("sent", made.invite(), made.START),), (made.sip("sent", made.invite(), made.START + 500),)]
    lines = ladder(history(units)).splitlines()
    assert lines[-2].endswith("│  with SDP")
    assert lines[-1].endswith("│  again, with SDP")
    assert lines[1] == "in progress"


def test_a_call_that_nobody_could_reach() -> None:
    end = Termination(who="network", result="failure", reason="unreachable", detail="sip.example.com does not resolve")
    t = made.START
    cdr = msgspec.structs.replace(made.cdr(termination=end), answered_at=None, billable_seconds=0, ended_at=t + 40)
    units = [
        made.created()[:2],
        (LegEnded(leg=made.LEG, ended_at=t + 30, termination=end),),
        (cdr, CallEnded(call=made.CALL, ended_at=t + 40, termination=end)),
    ]
    lines = ladder(history(units)).splitlines()
    assert lines[1] == "failed (unreachable) after 40 ms, not answered"
    assert lines[-1] == "    +0.030    │                           ● LEG-A ended, unreachable: sip.example.com does not resolve."


def test_an_event_that_has_not_been_given_is_seen_waiting() -> None:
    assert ladder(history([made.created(), (made.event(1),)])).splitlines()[-1].endswith("● RINGING waits")


def test_each_leg_has_its_lane() -> None:
    other = LegId("1e900000-0000-4000-8000-00000000000b")
    second = LegRow(call=made.CALL, participant=msgspec.structs.replace(made.participant(other), tag="LEG-B", to="+12065550151"))
    units = [made.created(), (second,), (made.sip("received", made.request("BYE"), made.START + 10, leg=other),)]
    lines = ladder(history(units)).splitlines()
    assert re.search(r"LEG-A \+1206555\*{4} +LEG-B \+1206555\*{4}", lines[3])
    assert lines[-1].index("<") == lines[4].index("│", 20) + 1
    assert lines[-1].index("┼") == lines[4].index("│", lines[-1].index("<"))
    assert lines[-1].count("│") == 3


def test_what_peers_write_cannot_steer_the_terminal() -> None:
    units = [made.created(), (made.sip("received", "SIP/2.0 486 \x1b[31mBusy\n\n", made.START),)]
    text = ladder(history(units))
    assert "\x1b" not in text
    assert "486 ?[31mBusy" in text
