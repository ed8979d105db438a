"""The log: a call's life in under ten lines, nothing bare, nothing secret."""

from __future__ import annotations

import logging
import re
from datetime import UTC
from typing import Any

import msgspec
import pytest

from helpers import call_records as made
from helpers.sip_values import US, trace
from outdial.model.actions import Action
from outdial.model.events import ActionFailed
from outdial.model.ids import FunctionName, LegId, Token
from outdial.model.invocations import FunctionState
from outdial.model.media import EngineGone, NoMedia
from outdial.model.work import MachineState, Save, StoreState
from outdial.observe.legs import Legs
from outdial.observe.line import Level
from outdial.observe.log import Bridge, Log
from outdial.sip.values import Malformed

NOON = 1_790_000_000_000
BARE_NUMBER = re.compile(r"\d{7,15}(?![\d*])")
BARE_ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b")


class Listener:
    """A log whose lines are kept; `now` is seconds from the call's start."""

    def __init__(self, level: Level = Level.INFO) -> None:
        self.lines: list[str] = []
        self.legs = Legs()
        self.log = Log(self.lines.append, lambda at: NOON + round(at * 1000), self.legs, level=level, zone=UTC)

    def give(self, value: Any, now: float = 0.0) -> None:
        self.legs("calls", "store", value, now)
        self.log("calls", "store", value, now)


def at_of(unit: tuple[Any, ...]) -> float:
    for record in unit:
        for name in ("at", "given_at", "done_at", "ended_at", "answered_at", "started_at"):
            if (at := getattr(record, name, None)) is not None:
                return float(at - made.START) / 1000
    return 0.0


def listen_to_a_call(level: Level) -> list[str]:
    listener = Listener(level)
    for unit in made.life():
        listener.give(Save(token=Token(0), unit=unit), at_of(unit))
        for record in unit:
            if type(record).__name__ == "SipMessageRow":
                way = record.way  # type: ignore[union-attr]
                listener.give(trace(record.message, way, session=made.LEG), at_of(unit))  # type: ignore[union-attr]
    return listener.lines


def test_a_calls_life_at_info() -> None:
    assert listen_to_a_call(Level.INFO) == [
        "14:13:20.000 INFO  calls  > call placed                "
        "call=c7f200 from=+1206555**** to=+1206555**** function=reminder key=outdial",
        "14:13:20.009 INFO  calls  - ringing                    call=c7f200 leg=A after=0.009s",
        "14:13:22.003 INFO  calls  - connected                  call=c7f200 leg=A after=2.0s",
        "14:13:22.010 INFO  apps   < answered by +1206555****   call=c7f200 seq=3",
        "14:13:25.000 WARN  calls  x nothing was heard for 1 s  call=c7f200",
        '14:13:28.500 INFO  calls  - ended, completed           call=c7f200 leg=A by=callee why="The callee hung up."',
        "14:13:28.500 INFO  calls  - call over                  call=c7f200 reason=completed lasted=8.5s billable=7s invocations=4 lost=1",
    ]


def test_sip_messages_at_debug() -> None:
    lines = [line for line in listen_to_a_call(Level.DEBUG) if " sip " in line]
    assert lines[0] == "14:13:20.003 DEBUG sip    > INVITE                     call=c7f200 leg=A branch=z9hG4bK77ef to=198.51.100.*"
    assert lines[1] == "14:13:20.005 DEBUG sip    < 100 INVITE                 call=c7f200 leg=A branch=z9hG4bK77ef from=198.51.100.*"


@pytest.mark.parametrize("level", [Level.DEBUG, Level.INFO])
def test_no_line_shows_a_bare_number_or_address(level: Level) -> None:
    lines = listen_to_a_call(level)
    assert lines
    for line in lines:
        assert not BARE_NUMBER.search(line), line
        assert not BARE_ADDRESS.search(line), line


def test_a_call_leaves_nothing_behind_in_memory() -> None:
    listener = Listener()
    for unit in made.life():
        listener.give(Save(token=Token(0), unit=unit))
    listener.give(Save(token=Token(0), unit=()))
    assert len(listener.legs) == 0


def test_what_a_peer_or_handler_does_wrong_is_a_warning() -> None:
    listener = Listener()
    failed = ActionFailed(action=Action(type="PlayAudio"), error_type="InvalidParameter", message="no key +12065550150.wav")
    listener.give(Save(token=Token(0), unit=(made.event(2, failed),)))
    timeout = msgspec.structs.replace(made.replied(3), outcome="timeout", error="no answer within 20 s")
    listener.give(Save(token=Token(0), unit=(timeout,)))
    raised = msgspec.structs.replace(made.replied(4), outcome="failed", error='KeyError: name\n  File "app.py", line 3', attempts=2)
    listener.give(Save(token=Token(0), unit=(raised,)))
    listener.give(NoMedia(stream=LegId("7e9a5b"), ms=30_000))
    listener.give(FunctionState(function=FunctionName("reminder"), state="broken", detail="app.py, line 3: no module named boto4"))
    assert [line[13:] for line in listener.lines] == [
        'WARN  calls  x PlayAudio failed           call=c7f200 action=PlayAudio error=InvalidParameter message="no key +1206555****.wav"',
        'WARN  apps   x no answer from handler     call=c7f200 seq=3 error="no answer within 20 s"',
        'WARN  apps   x handler failed             call=c7f200 seq=4 attempts=2 error="KeyError: name"',
        "WARN  media  x nothing is received        leg=7e9a5b for=30.0s",
        'WARN  apps   x function broken            function=reminder why="app.py, line 3: no module named boto4"',
    ]


def test_our_own_trouble_is_an_error() -> None:
    listener = Listener()
    listener.give(StoreState(refusing=True, detail="the disk is full"))
    listener.give(EngineGone(detail="killed by signal 9"))
    assert [line[13:18] for line in listener.lines] == ["ERROR", "ERROR"]


def test_what_strangers_send_cannot_flood_the_log() -> None:
    listener = Listener()
    for _ in range(500):
        listener.give(Malformed(source=US, detail="not SIP"), now=1.0)
    assert len(listener.lines) == 10
    listener.give(Malformed(source=US, detail="not SIP"), now=12.0)
    assert listener.lines[10].endswith("unsaid=490")


def test_a_handlers_output_cannot_steer_the_terminal() -> None:
    listener = Listener()
    output = next(record for unit in made.life() for record in unit if type(record).__name__ == "OutputRow")
    listener.give(Save(token=Token(0), unit=(msgspec.structs.replace(output, text="\x1b[2Jgone\x07"),)))
    assert "\x1b" not in listener.lines[0]
    assert "?[2Jgone?" in listener.lines[0]


def test_a_lag_of_a_moment_is_not_told() -> None:
    listener = Listener()
    listener.give(MachineState(loop_lag_ms=99.0))
    listener.give(MachineState(loop_lag_ms=130.0))
    assert [line[13:] for line in listener.lines] == ["WARN  node   x the loop lags              ms=130"]


def test_libraries_speak_the_same_form() -> None:
    listener = Listener()
    bridge = Bridge(listener.log, lambda: 0.0)
    bridge.handle(logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "no reply to %s", ("192.0.2.7",), None))
    assert listener.lines == ["14:13:20.000 ERROR error  x no reply to 192.0.2.*"]
