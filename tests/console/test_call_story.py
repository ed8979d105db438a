"""A call's story: a plain sentence for every way to end, the handler's output beside the events."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from helpers import call_records as made
from outdial.console.call_story import call_story
from outdial.console.sentences import SENTENCES, sentence
from outdial.model.events import HungUp
from outdial.model.records import CallEnded, NoteRow
from outdial.model.terminations import Reason, Termination

from .histories import history

WHOLE = """\
Call c7f20000-0000-4000-8000-000000000001
+1206555**** -> +1206555****, 2026-09-21 14:13:20 UTC, handler reminder

Completed after 8.5 s, answered after 2.0 s.
The callee hung up.

    +0.003  NEW_OUTBOUND_CALL
    +0.009  RINGING
    +0.031    seq 1 (27 ms): no actions
    +0.035    seq 2 (4 ms): no actions
    +2.000  CALL_ANSWERED
    +2.010    seq 3 stdout| answered by +1206555****
    +2.020    seq 3 (19 ms): SpeakAndGetDigits  "Press 5"
    +4.000  ACTION_SUCCESSFUL      SpeakAndGetDigits, ReceivedDigits 5
    +4.012    seq 4 (12 ms): RecordAudio
    +5.000  note (warning): nothing was heard for 1 s
    +8.500  HANGUP                 completed, by callee
    +8.500  LEG-A ended: The callee hung up.
    +8.600  ACTION_SUCCESSFUL      RecordAudio
    +8.610    seq 5 (10 ms): no actions
    +8.620    seq 6 (9 ms): no actions

Recordings
  recordings/r1.wav  2.0 s, delivered to greetings/a/b.wav

CDR
  lasted 8.5 s, answered after 2.0 s, billable 7 s, 4 invocations
  packets sent 325, received 320, lost 1, jitter 1.2 ms
"""


def test_a_whole_call() -> None:
    assert call_story(history(made.life())) == WHOLE


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(get_args(Reason))


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_failure_is_told_in_whole_sentences(reason: Reason) -> None:
    end = Termination(who="callee", result="failure", reason=reason, sip_status=486, sip_phrase="Busy Here")
    text = sentence(end)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "486 Busy Here" in text


def test_the_detail_of_who_ended_it_comes_first() -> None:
    end = Termination(
        who="network", result="failure", reason="no_answer", detail="Nobody answered within 90 s", sip_reason="Q.850;cause=19"
    )
    assert sentence(end) == "Nobody answered within 90 s. Its reason: Q.850;cause=19."


def test_a_detail_is_told_as_a_sentence_unless_it_begins_with_a_name() -> None:
    for detail, told in (("no answer within 20 s", "No answer within 20 s."), ("sip.example.com is down", "sip.example.com is down.")):
        assert sentence(Termination(who="handler", result="failure", reason="handler_timeout", detail=detail)) == told


def test_an_event_that_nobody_was_given_is_named_as_the_service_names_it() -> None:
    end = Termination(who="handler", result="failure", reason="handler_failed", detail="Nothing serves it.")
    event = made.event(1, HungUp(leg=made.LEG, termination=end))
    assert "HANGUP (not given)     handler_failed, by handler" in call_story(history([made.created(), (event,)]))


def test_a_call_in_progress() -> None:
    assert "\nIn progress.\n" in call_story(history([made.created()]))


def test_the_frames_of_a_handler_that_raised_are_whole() -> None:
    error = "Traceback:\n  File \"app.py\", line 7, in handler\nKeyError: '+12065550150'"
    failed = msgspec.structs.replace(made.replied(1), outcome="failed", error=error, attempts=2, reply=b"")
    end = Termination(who="handler", result="failure", reason="handler_failed")
    units = [
        made.created(),
        (made.event(1), made.given(1)),
        (failed, CallEnded(call=made.CALL, ended_at=made.START + 100, termination=end)),
    ]
    lines = call_story(history(units)).splitlines()
    begin = next(i for i, line in enumerate(lines) if "attempts" in line)
    assert lines[begin : begin + 4] == [
        "    +0.020    seq 1 (20 ms, 2 attempts): handler failed",
        "              Traceback:",
        '                File "app.py", line 7, in handler',
        "              KeyError: '+1206555****'",
    ]
    assert "The handler failed: its output stands beside the events below." in lines


def test_long_lines_are_folded_not_lost() -> None:
    what = " ".join(f"word{i}" for i in range(60))
    text = call_story(history([made.created(), (NoteRow(call=made.CALL, at=made.START, level="info", what=what),)]), width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert all(f"word{i}" in text for i in range(60))


def test_numbers_are_whole_where_asked() -> None:
    assert "+12065550100 -> +12065550150" in call_story(history(made.life()), full=True)
