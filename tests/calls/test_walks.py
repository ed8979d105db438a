"""The seven walks of reference/interfaces, section 3, through the real cores of a node and of a telephone, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from outdial.model import media
from outdial.model.requests import Drain, Placed, Refused, Updated
from outdial.model.settings import CallSettings, InvocationSettings, Trunk
from outdial.sip import values as sip
from outdial.store import schema
from outdial.store.memory import MemoryPort
from outdial.testing.network import Quality
from outdial.testing.world import THEM, US, World

Reply = dict[str, Any]


def reply(*actions: tuple[str, Reply]) -> Reply:
    return {"SchemaVersion": "1.0", "Actions": [{"Type": kind, "Parameters": parameters} for kind, parameters in actions]}


SPEAK = ("Speak", {"Text": "This is a reminder of your appointment."})
HANGUP = ("Hangup", {"SipResponseCode": "0"})
LONG_PAUSE = ("Pause", {"DurationInMilliseconds": 30000})
RECORD = (
    "RecordAudio",
    {
        "DurationInSeconds": 60,
        "RecordingTerminators": ["#"],
        "RecordingDestination": {"Type": "S3", "BucketName": "voicemail", "Prefix": "in"},
    },
)
ASK = (
    "SpeakAndGetDigits",
    {
        "SpeechParameters": {"Text": "Press one to confirm."},
        "FailureSpeechParameters": {"Text": "Sorry."},
        "MinNumberOfDigits": 1,
        "MaxNumberOfDigits": 1,
        "InputDigitsRegex": "^[12]$",
        "RepeatDurationInMilliseconds": 5000,
    },
)


def on(**replies: Reply) -> Callable[[Reply], Reply]:
    """A handler that answers each event type with its reply, and the rest with nothing to do."""
    return lambda event: replies.get(event["InvocationEventType"], reply())


def settings(folder: Path, **changes: Any) -> CallSettings:
    made = CallSettings(local_host=US, recordings=str(folder / "recordings"), trunk=Trunk(name="trunk", uri=f"sip:{THEM}"))
    return replace(made, **changes)


def connect(world: World, rings: bool = True) -> Placed:
    placed = world.place(arguments={"who": "Ann"})
    assert isinstance(placed, Placed)
    world.until(lambda: world.phone.incoming is not None)
    if rings:
        world.order("ring")
        world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING"))
    world.order("answer")
    world.until(lambda: "CALL_ANSWERED" in world.types)
    return placed


def cdr(world: World) -> Any:
    with world.store.read() as connection:
        (row,) = connection.execute(select(schema.cdrs)).all()
    return row


def over(world: World) -> None:
    """Everything has been said and nothing is left anywhere."""
    world.until(lambda: not world.calls.shared.active)
    assert world.store.unfinished() == []
    assert [event["Sequence"] for event in world.events] == list(range(1, len(world.events) + 1))


def messages(world: World, method: str) -> list[bytes]:
    return [trace.data for trace in world.traces if trace.way == "sent" and trace.data.startswith(method.encode() + b" ")]


def test_walk_1_a_call(tmp_path: Path) -> None:
    def handler(event: Reply) -> Reply:
        kind = event["InvocationEventType"]
        if kind == "CALL_ANSWERED":
            return reply(ASK)
        if kind == "ACTION_SUCCESSFUL":
            return reply(HANGUP)
        return reply() | ({"TransactionAttributes": {"who": "Ann"}} if kind == "NEW_OUTBOUND_CALL" else {})

    world = World(tmp_path, handler)
    connect(world)
    world.go(0.6)
    world.order("press", text="2")
    over(world)
    assert world.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "HANGUP"]
    assert world.events[3]["ActionData"]["ReceivedDigits"] == "2"
    assert {str(event["CallDetails"].get("TransactionAttributes")) for event in world.events[1:]} == {"{'who': 'Ann'}"}
    assert [event["CallDetails"]["Participants"][0].get("Status") for event in world.events] == [
        None,
        None,
        "Connected",
        "Connected",
        "Disconnected",
    ]
    assert len(messages(world, "INVITE")) == len(messages(world, "ACK")) == len(messages(world, "BYE")) == 1
    assert cdr(world).invocations == 5


def test_walk_2_voicemail(tmp_path: Path) -> None:
    world = World(tmp_path, on(CALL_ANSWERED=reply(RECORD, SPEAK)))
    connect(world)
    world.go(3.0)
    world.order("hang_up")
    over(world)
    assert world.types[-2:] == ["ACTION_SUCCESSFUL", "HANGUP"]
    done = world.events[-2]
    assert done["ActionData"]["Type"] == "RecordAudio"
    assert done["CallDetails"]["Participants"][0]["Status"] == "Disconnected"
    destination = done["ActionData"]["RecordingDestination"]
    assert destination["BucketName"] == "voicemail"
    assert destination["Key"].startswith("in/")
    assert world.events[-1]["ActionData"]["Parameters"]["SipResponseCode"] == 0
    assert world.store.undelivered() == []


def test_walk_3_a_200_crosses_a_cancel(tmp_path: Path) -> None:
    slow = Quality(delay=0.2)
    world = World(tmp_path, on(CALL_ANSWERED=reply(SPEAK)), quality=slow, settings=settings(tmp_path, ring_timeout_s=5.0))
    world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("ring")
    world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING"))
    world.until(lambda: bool(messages(world, "CANCEL")))
    world.order("answer")
    over(world)
    assert world.types == ["NEW_OUTBOUND_CALL", "RINGING", "HANGUP"]
    assert world.events[-1]["ActionData"]["Parameters"]["SipResponseCode"] == 480
    assert len(messages(world, "ACK")) == len(messages(world, "BYE")) == 1
    assert any(isinstance(seen, sip.ByeReceived) for seen in world.phone.seen)


def test_walk_4_kill_while_playing(tmp_path: Path) -> None:
    store = MemoryPort()
    first = World(tmp_path, on(CALL_ANSWERED=reply(LONG_PAUSE)), store=store)
    connect(first)
    first.go(1.0)
    (unfinished,) = store.unfinished()
    second = World(tmp_path, on(), store=store, unfinished=(unfinished,), seed=1)
    second.until(lambda: bool(messages(second, "BYE")))
    assert not messages(second, "INVITE")
    assert len(messages(second, "ACK")) == 1
    second.until(lambda: second.types == ["HANGUP"])
    assert second.events[0]["Sequence"] == 4
    second.until(lambda: not second.calls.shared.active, within=70.0)
    assert store.unfinished() == []
    assert cdr(second).invocations == 4


def test_walk_5_an_update_while_playing(tmp_path: Path) -> None:
    world = World(tmp_path, on(CALL_ANSWERED=reply(LONG_PAUSE), CALL_UPDATE_REQUESTED=reply(SPEAK, HANGUP)), handler_delay=0.3)
    placed = connect(world)
    world.go(1.0)
    assert isinstance(world.update(placed.call, {"do": "speak"}), Updated)
    over(world)
    assert world.types[3:] == ["CALL_UPDATE_REQUESTED", "ACTION_INTERRUPTED", "HANGUP"]
    assert world.events[3]["ActionData"] == {"Type": "CallUpdateRequest", "Parameters": {"Arguments": {"do": "speak"}}}
    assert world.events[4]["ActionData"]["Type"] == "Pause"


def test_walk_6_the_handler_hangs_and_the_callee_hangs_up(tmp_path: Path) -> None:
    world = World(tmp_path, on(), handler_delay=60.0, invocations=InvocationSettings(handler_retries=0))
    world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("answer")
    world.go(5.0)
    world.order("hang_up")
    world.go(1.0)
    assert world.types == ["NEW_OUTBOUND_CALL"]
    world.handler_delay = 0.0
    world.go(60.0)
    over(world)
    assert world.types[-1] == "HANGUP"
    assert world.events[-1]["ActionData"]["Parameters"]["SipResponseCode"] == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_walk_7_the_same_seed_gives_the_same_bytes_with_a_fifth_lost(tmp_path: Path, seed: int) -> None:
    def run(folder: Path) -> tuple[list[Any], list[Any]]:
        seen: list[Any] = []

        def observe(source: str, destination: str, item: Any, now: float) -> None:
            if isinstance(item, sip.Transmit):
                seen.append((now, destination, item.data))

        world = World(folder, on(CALL_ANSWERED=reply(SPEAK, HANGUP)), quality=Quality(loss=0.2), seed=seed, observers=(observe,))
        world.place()
        world.until(lambda: world.phone.incoming is not None)
        world.order("ring")
        world.order("answer")
        world.until(lambda: not world.calls.shared.active, within=120.0)
        return seen, [event["InvocationEventType"] for event in world.events]

    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert first == second
    assert first[1][-1] == "HANGUP"
    assert "CALL_ANSWERED" in first[1]


def test_the_engine_dies_in_mid_call(tmp_path: Path) -> None:
    world = World(tmp_path, on(CALL_ANSWERED=reply(LONG_PAUSE)))
    connect(world)
    world.give("calls", media.EngineGone())
    over(world)
    assert world.types[-1] == "HANGUP"
    assert len(messages(world, "BYE")) == 1


def test_a_drain(tmp_path: Path) -> None:
    world = World(tmp_path, on(CALL_ANSWERED=reply(LONG_PAUSE)))
    connect(world)
    world.give("calls", Drain(within=2.0))
    world.go(3.0)
    over(world)
    assert [type(item).__name__ for item in world.told].count("Drained") == 1
    assert world.types[-1] == "HANGUP"


@pytest.mark.parametrize(("status", "code"), [(486, 486), (600, 486), (603, 603), (404, 404), (480, 480)])
def test_a_callee_that_refuses(tmp_path: Path, status: int, code: int) -> None:
    world = World(tmp_path, on())
    world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("reject", status=status)
    over(world)
    assert world.types == ["NEW_OUTBOUND_CALL", "HANGUP"]
    assert world.events[-1]["ActionData"]["Parameters"]["SipResponseCode"] == code


def test_early_media_are_ringing_for_the_handler(tmp_path: Path) -> None:
    world = World(tmp_path, on(CALL_ANSWERED=reply(HANGUP)))
    world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("early")
    world.go(2.0)
    assert world.types == ["NEW_OUTBOUND_CALL", "RINGING"]
    world.order("answer")
    over(world)
    assert world.types[2:] == ["CALL_ANSWERED", "HANGUP"]


# --- the database ---


def test_a_call_goes_on_while_the_database_refuses(tmp_path: Path) -> None:
    world = World(tmp_path, on(CALL_ANSWERED=reply(SPEAK, HANGUP)))
    placed = world.place()
    world.until(lambda: world.phone.incoming is not None)
    world.order("ring")
    world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING"))
    world.store.refuse("database is locked")
    world.go(0.0)
    refused = world.place()
    assert isinstance(refused, Refused)
    assert refused.refusal.reason == "store"
    answered_at = world.now
    world.order("answer")
    world.until(lambda: bool(messages(world, "ACK")))
    assert 1.0 <= world.now - answered_at < 1.1, "held for 1 s, and no longer"
    world.until(lambda: "HANGUP" in world.types, within=20.0)
    assert world.types == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert any(note.what == "answer did not wait for its commit any longer" for note in world.notes)
    world.store.accept()
    world.until(lambda: not world.calls.shared.active)
    assert world.store.unfinished() == []
    assert cdr(world).call == placed.call  # type: ignore[union-attr]


def test_a_create_that_is_not_committed_in_time_never_dials(tmp_path: Path) -> None:
    world = World(tmp_path, on())
    world.store.hold()
    refused = world.place()
    assert isinstance(refused, Refused)
    assert refused.refusal.reason == "store"
    world.store.release()
    world.go(120.0)
    assert not world.traces
    assert world.events == []
    assert world.store.unfinished() == []
    assert not world.calls.shared.active


# --- kill -9 in each state of a call ---


def until_invited(world: World) -> None:
    world.place()
    world.until(lambda: world.phone.incoming is not None)


def until_ringing(world: World) -> None:
    until_invited(world)
    world.order("ring")
    world.until(world.saw("NEW_OUTBOUND_CALL", "RINGING"))


def until_answered(world: World) -> None:
    until_ringing(world)
    world.handler_delay = 10.0
    world.order("answer")
    world.until(lambda: "CALL_ANSWERED" in world.types)


def until_action_runs(world: World) -> None:
    connect(world)
    world.go(1.0)


def until_hanging_up(world: World) -> None:
    connect(world)
    world.network.drop = lambda data, source, destination: data.startswith(b"BYE")
    world.until(lambda: "HANGUP" in world.types)


STATES: dict[str, tuple[Callable[[World], None], Reply]] = {
    "invite sent": (until_invited, reply()),
    "ringing": (until_ringing, reply()),
    "answered": (until_answered, reply()),
    "action running": (until_action_runs, reply(LONG_PAUSE)),
    "recording": (until_action_runs, reply(RECORD)),
    "hang-up in progress": (until_hanging_up, reply(HANGUP)),
}


@pytest.mark.parametrize("state", STATES)
def test_kill_in_each_state(tmp_path: Path, state: str) -> None:
    arrive, answer = STATES[state]
    store = MemoryPort()
    first = World(tmp_path, on(CALL_ANSWERED=answer), store=store)
    arrive(first)
    unfinished = store.unfinished()
    assert len(unfinished) == 1
    second = World(tmp_path, on(), store=store, unfinished=unfinished, seed=1)
    second.until(lambda: not second.calls.shared.active, within=70.0)
    assert store.unfinished() == []
    assert not messages(second, "INVITE")
    answered = state not in ("invite sent", "ringing")
    assert len(messages(second, "BYE")) >= answered
    assert len(messages(second, "CANCEL")) >= (not answered)
    assert (first.types + second.types).count("HANGUP") == 1
    assert (second.types[-1:] == ["HANGUP"]) == (state != "hang-up in progress"), "there it has been given and answered"
    sequences = [event["Sequence"] for event in second.events]
    assert sequences == sorted(set(sequences))
    row = cdr(second)
    assert row.invocations == max([event["Sequence"] for event in first.events + second.events])
    assert '"reason":"node_restart"' in str(row.termination)
    with store.read() as connection:
        recordings = connection.execute(select(schema.recordings)).all()
    assert len(recordings) == (state == "recording")
    for recording in recordings:
        assert recording.finished
        assert recording.delivered
        assert second.studio.object(recording.bucket, recording.key).is_file()
