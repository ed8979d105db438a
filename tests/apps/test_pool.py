"""Which worker gets an event, when more are started, deaths and back-off, reload: on virtual time (DESIGN 6, reference/processes 2.2)."""

from __future__ import annotations

import msgspec

from helpers.handler_node import invoke
from helpers.invocation_rig import HTTP, PYTHON, Rig
from outdial.model.ids import FunctionName
from outdial.model.invocations import FunctionState, InvocationFailed, Replied
from outdial.model.workers import (
    FilesChanged,
    FunctionsConfigured,
    FunctionSpec,
    GiveEvent,
    HttpInvoke,
    KillWorker,
    StartWorker,
    WorkerBroken,
    WorkerMemory,
)

APP = FunctionName("app")


def spec(**changes: object) -> FunctionSpec:
    return msgspec.structs.replace(PYTHON, **changes)


def busy(rig: Rig, count: int) -> list[GiveEvent]:
    """So many events at once, each in a worker of its own."""
    before = len(rig.all(GiveEvent))
    for _ in range(count):
        rig.give(invoke("app"))
    rig.advance(1.0)
    given = rig.all(GiveEvent)[before:]
    assert len({one.worker for one in given}) == len(given)
    return given


def test_one_worker_is_warm_from_the_start() -> None:
    assert len(Rig().live()) == 1


def test_events_one_after_the_other_take_one_worker() -> None:
    rig = Rig()
    for _ in range(20):
        rig.give(invoke("app"))
        rig.replies()
    assert len(rig.all(StartWorker)) == 1


def test_a_busy_worker_is_not_given_a_second_event_and_another_is_started() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    rig.give(invoke("app"))
    assert len(rig.all(GiveEvent)) == 1
    rig.advance(0.02)
    first, second = rig.all(GiveEvent)
    assert first.worker != second.worker
    assert rig.at(GiveEvent) == 0.02


def test_a_quick_answer_saves_a_start() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    rig.give(invoke("app"))
    rig.advance(0.019)
    rig.replies()
    assert len(rig.all(GiveEvent)) == 2
    rig.advance(1.0)
    assert len(rig.all(StartWorker)) == 1


def test_quick_handlers_are_not_joined_by_others_because_many_events_wait() -> None:
    rig = Rig()
    for _ in range(100):
        rig.give(invoke("app"))
    for _ in range(100):
        rig.advance(0.002)
        rig.replies()
    assert len(rig.all(StartWorker)) == 1


def test_a_worker_that_cannot_keep_up_is_joined_by_others() -> None:
    rig = Rig()
    for _ in range(400):
        rig.give(invoke("app"))
    for _ in range(100):
        rig.advance(0.005)
        rig.replies()
    assert len(rig.all(StartWorker)) > 1


def test_at_most_four_workers_of_a_function_load_at_the_same_time() -> None:
    rig = Rig()
    rig.loads = False
    for _ in range(30):
        rig.give(invoke("app"))
    rig.advance(1.0)
    assert len(rig.all(StartWorker)) == 1 + 4


def test_never_more_than_max_workers() -> None:
    rig = Rig(spec(max_workers=3))
    for _ in range(10):
        rig.give(invoke("app"))
    rig.advance(5.0)
    assert len(rig.live()) == 3
    assert len(rig.all(GiveEvent)) == 3


def test_trait_22_concurrent_events_go_to_processes_of_their_own() -> None:
    rig = Rig()
    given = busy(rig, 3)
    assert len({one.worker for one in given}) == 3


def test_a_calls_events_go_to_the_worker_that_had_its_last_one() -> None:
    rig = Rig()
    given = busy(rig, 3)
    for one in given:
        rig.replies(one)
    for one in [*given, *given]:
        number = int(one.call[-12:])
        rig.give(invoke("app", call=number, sequence=2))
        assert rig.last(GiveEvent).worker == one.worker
        rig.replies()


def test_where_that_worker_is_busy_another_takes_it() -> None:
    rig = Rig()
    first, second = busy(rig, 2)
    rig.replies(first)
    rig.replies(second)
    rig.give(invoke("app", call=int(first.call[-12:]), sequence=2))
    rig.give(invoke("app", call=int(first.call[-12:]), sequence=3))
    assert [one.worker for one in rig.all(GiveEvent)[-2:]] == [first.worker, second.worker]


def test_workers_beyond_the_first_end_after_60_seconds_idle() -> None:
    rig = Rig()
    given = busy(rig, 3)
    for one in given:
        rig.replies(one)
    rig.advance(59.9)
    assert len(rig.live()) == 3
    rig.advance(0.2)
    assert len(rig.live()) == 1


def test_a_worker_that_is_used_again_does_not_end() -> None:
    rig = Rig()
    given = busy(rig, 2)
    for one in given:
        rig.replies(one)
    rig.advance(50.0)
    rig.give(invoke("app", call=int(given[0].call[-12:]), sequence=2))
    rig.advance(5.0)
    rig.replies()
    rig.advance(20.0)
    assert rig.live() == {given[0].worker}


def test_a_hanging_handler_leaves_other_calls_to_other_workers() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    for _ in range(10):
        other = invoke("app")
        rig.give(other)
        rig.advance(0.1)
        rig.replies(rig.last(GiveEvent))
        assert isinstance(rig.result(other), Replied)


# Deaths


def die_with_an_event(rig: Rig) -> InvocationFailed:
    """An event that kills its worker each time it is given."""
    asked = invoke("app")
    rig.give(asked)
    while rig.result(asked) is None:
        rig.dies()
    found = rig.result(asked)
    assert isinstance(found, InvocationFailed)
    return found


def test_an_event_that_kills_each_worker_it_is_given_to_costs_no_other_call() -> None:
    rig = Rig()
    die_with_an_event(rig)
    other = invoke("app")
    rig.give(other)
    rig.replies()
    assert isinstance(rig.result(other), Replied)


def test_repeated_deaths_back_off_and_calls_meanwhile_fail_at_once() -> None:
    rig = Rig()
    die_with_an_event(rig)
    rig.give(invoke("app"))
    rig.dies()
    refused = invoke("app")
    rig.give(refused)
    found = rig.result(refused)
    assert isinstance(found, InvocationFailed)
    assert "its workers keep dying, the next one starts in 1 s" in found.detail
    rig.advance(1.0)
    assert len(rig.all(StartWorker)) == 4
    accepted = invoke("app")
    rig.give(accepted)
    rig.replies()
    assert isinstance(rig.result(accepted), Replied)


def test_the_back_off_grows_to_10_seconds() -> None:
    rig = Rig()
    waits = []
    for starts in range(1, 8):
        died = rig.now
        rig.dies(rig.last(StartWorker).worker)
        while len(rig.all(StartWorker)) == starts:
            rig.advance(0.5)
        waits.append(rig.now - died)
    assert waits == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_an_answer_ends_the_back_off() -> None:
    rig = Rig()
    for _ in range(10):
        asked = invoke("app")
        rig.give(asked)
        rig.dies()
        rig.replies()
        assert isinstance(rig.result(asked), Replied)


def test_a_death_beside_living_workers_stops_nobody() -> None:
    rig = Rig()
    first, second, third = busy(rig, 3)
    rig.replies(third)
    rig.dies(first.worker)
    assert rig.last(GiveEvent).worker == third.worker
    rig.replies()
    rig.dies(second.worker)
    assert rig.last(GiveEvent).worker == third.worker


# Functions that cannot be loaded

BROKEN = {"error_type": "SyntaxError", "message": "invalid syntax", "file": "/srv/app.py", "line": 3}


def broken(rig: Rig) -> None:
    worker = rig.last(StartWorker).worker
    rig.give(WorkerBroken(worker=worker, **BROKEN))  # type: ignore[arg-type]
    rig.dies(worker, status=1)


def test_a_function_that_cannot_be_loaded_is_broken_with_file_line_and_message() -> None:
    rig = Rig(loads=False)
    waiting = invoke("app")
    rig.give(waiting)
    broken(rig)
    detail = "/srv/app.py, line 3: SyntaxError: invalid syntax"
    assert rig.last(FunctionState) == FunctionState(function=APP, state="broken", detail=detail)
    later = invoke("app")
    rig.give(later)
    for asked in (waiting, later):
        found = rig.result(asked)
        assert isinstance(found, InvocationFailed)
        assert found.detail == detail
    assert len(rig.all(StartWorker)) == 1


def test_a_broken_function_that_is_mended_serves_again() -> None:
    rig = Rig(loads=False)
    broken(rig)
    rig.loads = True
    rig.give(FilesChanged(function=APP))
    assert rig.last(FunctionState).state == "served"
    asked = invoke("app")
    rig.give(asked)
    rig.replies()
    assert isinstance(rig.result(asked), Replied)


def test_a_broken_function_is_tried_again_by_itself() -> None:
    rig = Rig(loads=False)
    broken(rig)
    rig.loads = True
    rig.advance(29.0)
    assert rig.last(FunctionState).state == "broken"
    rig.advance(1.0)
    assert rig.last(FunctionState).state == "served"


def test_a_handler_that_does_not_load_in_its_time_is_broken() -> None:
    rig = Rig(loads=False)
    rig.advance(30.0)
    assert rig.last(FunctionState).detail == "the handler was not loaded within 30 s"
    assert len(rig.all(KillWorker)) == 1


def test_one_that_dies_while_loading_is_broken() -> None:
    rig = Rig(loads=False)
    rig.dies(rig.last(StartWorker).worker, status=-11)
    assert rig.last(FunctionState).state == "broken"
    assert "while it was being loaded with SIGSEGV" in rig.last(FunctionState).detail


def test_a_further_worker_that_does_not_load_breaks_nothing() -> None:
    rig = Rig()
    rig.give(invoke("app"))
    rig.loads = False
    rig.give(invoke("app"))
    rig.advance(0.1)
    broken(rig)
    assert rig.last(FunctionState).state == "served"


# Memory


def test_a_worker_over_its_memory_is_ended_like_one_that_died() -> None:
    rig = Rig(spec(memory_mb=256))
    asked = invoke("app")
    rig.give(asked)
    worker = rig.last(GiveEvent).worker
    rig.give(WorkerMemory(worker=worker, resident_mb=256))
    assert rig.all(KillWorker) == []
    rig.give(WorkerMemory(worker=worker, resident_mb=257))
    assert rig.last(KillWorker).worker == worker
    assert rig.last(GiveEvent).worker != worker
    rig.replies()
    assert isinstance(rig.result(asked), Replied)
    assert "used 257 MB of memory, the limit is 256 MB" in rig.done(asked).error


# Reload and configuration


def test_a_reload_starts_new_workers_and_lets_busy_ones_finish() -> None:
    rig = Rig()
    first, second = busy(rig, 2)
    rig.replies(second)
    rig.give(FilesChanged(function=APP))
    assert [kill.worker for kill in rig.all(KillWorker)] == [second.worker]
    new = rig.last(StartWorker).worker
    rig.give(invoke("app"))
    assert rig.last(GiveEvent).worker == new
    rig.replies()
    rig.replies(first)
    assert rig.all(KillWorker)[-1].worker == first.worker
    assert rig.live() == {new}


def test_events_in_progress_at_a_reload_get_their_answer_through() -> None:
    rig = Rig()
    asked = invoke("app")
    rig.give(asked)
    rig.give(FilesChanged(function=APP))
    rig.replies(rig.all(GiveEvent)[0])
    assert isinstance(rig.result(asked), Replied)


def test_a_function_that_is_no_longer_configured_is_unserved() -> None:
    rig = Rig()
    rig.give(FunctionsConfigured(functions=(HTTP,)))
    states = {state.function: state.state for state in rig.all(FunctionState)}
    assert states == {"app": "unserved", "web": "served"}
    assert rig.live() == set()
    asked = invoke("app")
    rig.give(asked)
    assert isinstance(rig.result(asked), InvocationFailed)


def test_a_function_that_is_configured_differently_starts_anew_and_the_others_go_on() -> None:
    rig = Rig(PYTHON, spec(name="other"))
    app, other = (start.worker for start in rig.all(StartWorker))
    rig.give(FunctionsConfigured(functions=(spec(memory_mb=512), spec(name="other"))))
    assert [kill.worker for kill in rig.all(KillWorker)] == [app]
    assert rig.last(StartWorker).spec.memory_mb == 512
    assert other in rig.live()


def test_a_function_may_become_an_http_one() -> None:
    rig = Rig()
    rig.give(FunctionsConfigured(functions=(FunctionSpec(name=APP, kind="http", target="http://127.0.0.1:9000"),)))
    rig.give(invoke("app"))
    assert rig.last(HttpInvoke).spec.kind == "http"
    assert rig.live() == set()


def test_a_reload_says_when_the_function_is_loaded_again() -> None:
    rig = Rig()
    rig.loads = False
    before = len(rig.all(FunctionState))
    rig.give(FilesChanged(function=APP))
    assert [(state.state, state.loading) for state in rig.all(FunctionState)[before:]] == [("served", True)]
    rig.ready()
    assert rig.last(FunctionState) == FunctionState(function=APP, state="served")


def test_a_reload_of_an_http_function_is_answered_too() -> None:
    rig = Rig(HTTP)
    before = len(rig.all(FunctionState))
    rig.give(FilesChanged(function=HTTP.name))
    assert rig.all(FunctionState)[before:] == [FunctionState(function=HTTP.name, state="served")]


def test_events_that_wait_go_to_what_serves_the_function_now() -> None:
    rig = Rig(loads=False)
    waiting = invoke("app")
    rig.give(waiting)
    rig.give(FunctionsConfigured(functions=(FunctionSpec(name=APP, kind="http", target="http://127.0.0.1:9000"),)))
    assert rig.last(HttpInvoke).call == waiting.call


def test_events_that_wait_for_a_function_that_is_no_more_fail() -> None:
    rig = Rig(loads=False)
    waiting = invoke("app")
    rig.give(waiting)
    rig.give(FunctionsConfigured(functions=()))
    found = rig.result(waiting)
    assert isinstance(found, InvocationFailed)
    assert found.detail.startswith('nothing serves the function "app"')
