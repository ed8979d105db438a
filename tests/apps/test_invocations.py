"""Attempts, time-outs and commits of an invocation, on virtual time (DESIGN 3.3)."""

from __future__ import annotations

import json

import msgspec
import pytest

from helpers.handler_node import invoke
from helpers.invocation_rig import HTTP, OK, PYTHON, Rig
from outdial.apps.event_json import event_json
from outdial.model.events import HungUp, Ringing
from outdial.model.invocations import BadReply, FunctionState, InvocationFailed, Replied
from outdial.model.records import InvocationRow, OutputRow
from outdial.model.terminations import Termination
from outdial.model.work import Note, Save, Saved
from outdial.model.workers import GiveEvent, HttpInvoke, HttpReply, KillWorker, StartWorker, WorkerOutput, WorkerReply


def failed(rig: Rig, asked: object) -> InvocationFailed:
    found = rig.result(asked)  # type: ignore[arg-type]
    assert isinstance(found, InvocationFailed), found
    return found


# Commits


def test_the_json_is_committed_before_it_is_given() -> None:
    rig = Rig(refusing=True)
    asked = invoke("app", sequence=4)
    rig.give(asked)
    (save,) = rig.all(Save)
    (row,) = save.unit
    assert isinstance(row, InvocationRow)
    assert (row.call, row.sequence, row.number, row.function, row.request) == (asked.call, 4, 4, "app", event_json(asked))
    assert save.grade == "committed"
    assert rig.all(GiveEvent) == []
    rig.give(Saved(token=save.token))
    assert rig.last(GiveEvent).text.encode() == row.request


def test_a_commit_that_does_not_come_holds_an_event_for_one_second_at_most() -> None:
    rig = Rig(refusing=True)
    rig.give(invoke("app"))
    rig.advance(0.999)
    assert rig.all(GiveEvent) == []
    rig.advance(0.001)
    assert rig.at(GiveEvent) == pytest.approx(1.0)
    assert "was given before its commit" in rig.notes()[0]


def test_a_commit_that_comes_late_changes_nothing() -> None:
    rig = Rig(refusing=True)
    asked = invoke("app")
    rig.give(asked)
    rig.advance(1.0)
    rig.give(Saved(token=rig.all(Save)[0].token))
    rig.replies()
    assert isinstance(rig.result(asked), Replied)
    assert len(rig.all(GiveEvent)) == 1


def test_how_it_ended_is_recorded_with_the_reply() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.advance(0.25)
    rig.replies()
    done = rig.done(asked)
    assert (done.outcome, done.reply, done.error, done.attempts, done.done_at) == ("replied", OK.encode(), "", 1, rig.wall(0.25))


def test_after_a_restart_the_same_bytes_are_given_and_not_committed_again() -> None:
    rig = Rig()
    request = b'{"SchemaVersion": "1.0", "odd": "bytes \xc3\xa9"}'
    rig.give(invoke("app", request=request))
    assert rig.last(GiveEvent).text.encode() == request
    assert rig.all(Save) == []


def test_a_retry_gives_the_same_bytes() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    rig.raises()
    first, second = rig.all(GiveEvent)
    assert first.text == second.text
    assert first.id != second.id


# Time-outs


def test_after_5_seconds_a_warning_says_that_the_handler_took_the_time() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    rig.advance(4.9)
    assert rig.notes() == []
    rig.advance(0.1)
    assert rig.notes() == ["no answer from handler after 5.0 s: 0.0 s of it waiting for a worker, 5.0 s in the handler (attempt 1)"]
    assert rig.last(Note).level == "warning"


def test_after_5_seconds_a_warning_says_that_waiting_for_a_worker_took_the_time() -> None:
    rig = Rig(loads=False)
    rig.give(invoke("app"))
    rig.advance(3.0)
    rig.ready()
    rig.advance(2.0)
    assert rig.notes() == ["no answer from handler after 5.0 s: 3.0 s of it waiting for a worker, 2.0 s in the handler (attempt 1)"]


def test_one_that_never_answers_is_killed_at_20_seconds_and_not_run_twice() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.advance(19.999)
    assert rig.result(asked) is None
    rig.advance(0.001)
    assert failed(rig, asked).reason == "timeout"
    assert rig.at(InvocationFailed) == pytest.approx(20.0)
    assert [kill.worker for kill in rig.all(KillWorker)] == [rig.all(GiveEvent)[0].worker]
    assert len(rig.all(GiveEvent)) == 1
    assert rig.done(asked).outcome == "timeout"


def test_our_kill_is_no_death_and_the_worker_is_replaced_at_once() -> None:
    rig = Rig()
    for _ in range(5):
        asked = invoke("app")
        rig.give(asked)
        rig.advance(20.0)
        assert failed(rig, asked).reason == "timeout"
        rig.dies(status=-15)
    assert len(rig.live()) == 1
    assert len(rig.all(StartWorker)) == 6


def test_trait_20_an_answer_after_18_seconds_is_accepted() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.advance(18.0)
    rig.replies()
    assert isinstance(rig.result(asked), Replied)
    assert rig.all(KillWorker) == []


def test_the_20_seconds_cover_the_wait_for_a_worker() -> None:
    rig = Rig(loads=False, load_timeout_s=60)
    asked = invoke("app")
    rig.give(asked)
    rig.advance(20.0)
    assert failed(rig, asked).detail == "no answer within 20 s: 20.0 s waiting for a worker, 0.0 s in the handler"


def test_the_20_seconds_cover_every_attempt() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.advance(15.0)
    rig.raises()
    assert len(rig.all(GiveEvent)) == 2
    rig.advance(5.0)
    assert failed(rig, asked).reason == "timeout"
    done = rig.done(asked)
    assert done.attempts == 2
    assert done.error.startswith("attempt 1: the handler raised KeyError: boom\nFile app.py, line 3\nno answer within 20 s")


def test_the_20_seconds_begin_with_the_first_giving_and_not_with_the_commit() -> None:
    rig = Rig(refusing=True)
    asked = invoke("app")
    rig.give(asked)
    rig.advance(20.9)
    assert rig.result(asked) is None
    rig.advance(0.1)
    assert failed(rig, asked).reason == "timeout"


def test_an_answer_after_the_time_is_dropped() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.advance(20.0)
    rig.replies()
    assert failed(rig, asked).reason == "timeout"


def test_a_second_answer_is_dropped_and_noted_once() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    given = rig.last(GiveEvent)
    rig.replies(given)
    for _ in range(3):
        rig.replies(given)
    assert isinstance(rig.result(asked), Replied)
    assert rig.notes() == ["a second or late answer of the handler was dropped"]


# Attempts


def test_one_that_raises_is_given_the_event_once_more_and_then_fails() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.raises(message="first")
    assert rig.result(asked) is None
    rig.raises(message="second")
    assert failed(rig, asked) == InvocationFailed(
        call=asked.call, sequence=1, reason="failed", detail="the handler raised KeyError: second"
    )
    done = rig.done(asked)
    assert (done.outcome, done.attempts) == ("failed", 2)
    assert "attempt 1: the handler raised KeyError: first\nFile app.py, line 3" in done.error
    assert "attempt 2: the handler raised KeyError: second" in done.error
    assert rig.all(KillWorker) == []


def test_one_that_raises_once_and_then_answers() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.raises()
    rig.replies()
    assert isinstance(rig.result(asked), Replied)
    assert rig.done(asked).outcome == "replied"
    assert rig.done(asked).error == "attempt 1: the handler raised KeyError: boom\nFile app.py, line 3"
    assert "given once more" in rig.notes()[0]


def test_without_retries_the_first_error_ends_it() -> None:
    rig = Rig(handler_retries=0)
    asked = invoke("app")
    rig.give(asked)
    rig.raises()
    assert failed(rig, asked).reason == "failed"


def test_a_worker_that_dies_is_replaced_and_the_event_given_to_the_new_one() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.dies()
    first, second = rig.all(GiveEvent)
    assert first.worker != second.worker
    rig.replies()
    assert isinstance(rig.result(asked), Replied)


def test_one_that_dies_twice_fails_with_what_it_died_of() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.dies(status=3)
    rig.dies(status=-11)
    assert failed(rig, asked).detail == (
        "the handler's process was ended by itself or from outside with SIGSEGV: a crash in native code, or a stack that overflowed"
    )
    assert "attempt 1: the handler's process exited of its own with status 3" in rig.done(asked).error


def test_a_blank_reply_fails_and_is_not_retried() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.replies(text="null")
    assert failed(rig, asked).detail == "Response is blank or empty"
    assert len(rig.all(GiveEvent)) == 1


def test_a_bad_reply_comes_out_as_one_and_is_noted_with_its_path() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.replies(text='{"SchemaVersion":"1.0","Actions":[{"Type":"Answer"}]}')
    found = rig.result(asked)
    assert isinstance(found, BadReply)
    assert (found.message, found.path) == ("Unsupported action Answer specified", "Actions[0].Type")
    assert rig.done(asked).outcome == "bad_reply"
    assert rig.notes() == ['bad reply from handler: Actions[0].Type: the text "Answer" is not an action']


@pytest.mark.parametrize("what", ["too_long", "too_deep"])
def test_a_reply_that_the_worker_could_not_send_is_bad(what: str) -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    given = rig.last(GiveEvent)
    rig.give(WorkerReply(worker=given.worker, id=given.id, text="", too_long=what == "too_long", too_deep=what == "too_deep"))
    assert isinstance(rig.result(asked), BadReply)


def test_trait_19_an_error_where_the_reply_is_ignored_is_retried_and_then_reported() -> None:
    """Call control ends nothing for it; that it failed is on record."""
    rig = Rig()
    asked = invoke("app", event=Ringing(), reply_ignored=True)
    rig.give(asked)
    rig.raises()
    rig.raises()
    assert failed(rig, asked).reason == "failed"
    assert rig.done(asked).outcome == "failed"


@pytest.mark.parametrize("text", ["null", "", "[]", '{"SchemaVersion":"9"}', '{"SchemaVersion":"1.0","Actions":[""]}'])
def test_trait_02_junk_in_answer_to_the_last_hangup_is_no_failure(text: str) -> None:
    rig = Rig()
    asked = invoke("app")
    event = HungUp(leg=asked.leg, termination=Termination(who="callee", result="success", reason="completed", answered=True))
    asked = invoke("app", event=event, reply_ignored=True)
    rig.give(asked)
    rig.replies(text=text)
    assert rig.result(asked) == Replied(call=asked.call, sequence=1)
    assert rig.notes() == []


def test_resend_after_gives_a_slow_event_to_another_worker_and_the_first_answer_counts() -> None:
    rig = Rig(resend_after_s=5.0)
    asked = invoke("app")
    rig.give(asked)
    rig.advance(5.1)
    first, second = rig.all(GiveEvent)
    assert (first.text, first.worker != second.worker) == (second.text, True)
    rig.replies(second)
    assert isinstance(rig.result(asked), Replied)
    rig.replies(first)
    rig.advance(60.0)
    assert rig.done(asked).attempts == 2


def test_resend_after_a_worker_that_never_answers_is_ended_when_the_time_is_over() -> None:
    rig = Rig(resend_after_s=5.0)
    rig.give(invoke("app"))
    rig.advance(5.1)
    first, second = rig.all(GiveEvent)
    rig.replies(second)
    assert rig.all(KillWorker) == []
    rig.advance(15.0)
    assert [kill.worker for kill in rig.all(KillWorker)] == [first.worker]


def test_resend_after_an_answer_that_comes_while_the_repeat_waits_leaves_no_worker_busy() -> None:
    rig = Rig(msgspec.structs.replace(PYTHON, max_workers=1), resend_after_s=5.0)
    asked = invoke("app")
    rig.give(asked)
    rig.advance(6.0)
    rig.replies()
    assert isinstance(rig.result(asked), Replied)
    other = invoke("app")
    rig.give(other)
    rig.replies()
    assert isinstance(rig.result(other), Replied)


# Functions that cannot be invoked


def test_a_function_that_nothing_serves() -> None:
    rig = Rig()
    asked = invoke("other")
    rig.give(asked)
    assert failed(rig, asked).detail.startswith('nothing serves the function "other"; give the node --function other=python:PATH.py:NAME')


def test_functions_are_served_from_the_start() -> None:
    rig = Rig(PYTHON, HTTP, loads=False)
    assert [(state.function, state.state) for state in rig.all(FunctionState)] == [("app", "served"), ("web", "served")]
    assert [start.spec.name for start in rig.all(StartWorker)] == ["app"]


def test_an_event_over_256_kb_is_not_given() -> None:
    rig = Rig()
    asked = invoke("app", attributes={"k": "x" * 300_000})
    rig.give(asked)
    assert "the limit is 262144" in failed(rig, asked).detail
    assert rig.all(GiveEvent) == []


# The context


def test_trait_23_the_context_names_the_function_and_its_arn() -> None:
    rig = Rig()
    asked = invoke("app", lambda_arn="arn:aws:lambda:us-east-1:000000000000:function:app:7")
    rig.give(asked)
    context = rig.last(GiveEvent).context
    assert context.invoked_function_arn.split(":")[4] == "000000000000"
    assert (context.function_name, context.function_version, context.memory_limit_in_mb) == ("app", "7", 1024)
    assert context.log_group_name == "/aws/lambda/app"
    assert context.log_stream_name.startswith("2023/11/14/[$LATEST]")
    assert context.deadline_ms == rig.wall(20.0)


# What it prints


def test_lines_are_kept_with_the_call_and_written_with_its_end() -> None:
    rig = Rig()
    asked = invoke("app", sequence=3)
    rig.give(asked)
    given = rig.last(GiveEvent)
    rig.give(WorkerOutput(worker=given.worker, stream="stdout", text="hello"))
    rig.give(WorkerOutput(worker=given.worker, stream="stderr", text="", dropped=7))
    rig.replies()
    rows = [row for row in rig.last(Save).unit if isinstance(row, OutputRow)]
    assert [(row.call, row.sequence, row.stream, row.text) for row in rows] == [
        (asked.call, 3, "stdout", "hello"),
        (asked.call, 3, "stderr", "[7 bytes left out]"),
    ]


def test_lines_of_a_handler_that_hangs_are_written_within_half_a_second() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    rig.give(WorkerOutput(worker=rig.last(GiveEvent).worker, stream="stdout", text="still here"))
    rig.advance(0.5)
    (row,) = rig.last(Save).unit
    assert isinstance(row, OutputRow)
    assert row.text == "still here"


# HTTP functions


def http(rig: Rig, **reply: object) -> None:
    rig.give(HttpReply(id=rig.last(HttpInvoke).id, **reply))  # type: ignore[arg-type]


def test_an_http_function_is_given_the_event_and_its_reply_judged() -> None:
    rig = Rig(HTTP)
    asked = invoke("web")
    rig.give(asked)
    command = rig.last(HttpInvoke)
    assert json.loads(command.text)["CallDetails"]["TransactionId"] == asked.call
    assert command.timeout_s == pytest.approx(20.0)
    http(rig, status=200, text=OK)
    assert isinstance(rig.result(asked), Replied)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (
            {"status": 200, "text": '{"errorMessage":"no","errorType":"E"}', "function_error": True},
            "the function answered with an error: E: no",
        ),
        ({"status": 200, "text": '{"errorMessage":"no","errorType":"E"}'}, "the function answered with an error: E: no"),
        ({"status": 400, "text": "bad"}, "the function's address answered 400: bad"),
        ({"status": 429, "text": ""}, "the function's address answered 429: "),
        ({"status": 502, "text": ""}, "the function's address answered 502: "),
        ({"status": 302, "text": ""}, "the function's address answered 302: "),
        ({"error": "connection refused"}, "the function's address did not answer: connection refused"),
    ],
)
def test_an_http_function_that_fails_is_given_the_event_once_more(reply: dict[str, object], why: str) -> None:
    rig = Rig(HTTP)
    asked = invoke("web")
    rig.give(asked)
    http(rig, **reply)
    assert rig.result(asked) is None
    first, second = rig.all(HttpInvoke)
    assert first.text == second.text
    http(rig, **reply)
    assert failed(rig, asked).detail == why


def test_an_http_function_that_never_answers_times_out_and_a_late_answer_is_dropped() -> None:
    rig = Rig(HTTP)
    asked = invoke("web")
    rig.give(asked)
    rig.advance(20.0)
    assert failed(rig, asked).reason == "timeout"
    http(rig, status=200, text=OK)
    assert failed(rig, asked).reason == "timeout"


def test_an_http_function_gets_so_many_events_at_once_and_the_others_wait() -> None:
    rig = Rig(HTTP.__class__(name=HTTP.name, kind="http", target=HTTP.target, max_workers=2))
    asked = [invoke("web") for _ in range(3)]
    for one in asked:
        rig.give(one)
    assert len(rig.all(HttpInvoke)) == 2
    rig.give(HttpReply(id=rig.all(HttpInvoke)[0].id, status=200, text=OK))
    assert [command.call for command in rig.all(HttpInvoke)] == [one.call for one in asked]
    assert isinstance(rig.result(asked[0]), Replied)
    assert rig.result(asked[2]) is None
