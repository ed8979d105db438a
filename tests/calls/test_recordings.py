"""Recordings: voicemail (walk 2), deliveries that fail, engines that die."""

from __future__ import annotations

import pytest

from helpers.call_world import PLAY, RECORD, World, action
from outdial.model import media, work
from outdial.model.events import ActionFailed, ActionSucceeded, HungUp
from outdial.model.ids import CallId, LegId, RecordingId
from outdial.model.records import Cdr, EventRow, RecordingRow
from outdial.sip import values as sip


def recording(**settings: object) -> World:
    world = World(**settings)
    world.connect()
    world.reply(RECORD, PLAY)
    assert world.records(RecordingRow)[-1].finished is False
    return world


def test_voicemail_recording_then_hangup_then_cdr() -> None:
    """Walk 2 of reference/interfaces."""
    world = recording()
    world.quiet(media.CloseStream, work.Deliver)
    world.bye()
    assert len(world.all(media.CloseStream)) == 1
    assert world.told[-1] == "Answered"
    world.recorded("stream_closed")
    closing = world.last(media.CloseStream)
    world.give(media.Done(id=closing.id, stream=closing.stream, statistics=media.StreamStatistics(packets_received=7)))
    deliver = world.last(work.Deliver)
    assert (deliver.bucket, deliver.key) == ("voicemail", f"in/{world.leg}-0.wav")
    assert world.told[-1] == "Answered"
    world.wait(3)
    world.give(work.Delivered(token=deliver.token))
    assert isinstance(world.event, ActionSucceeded)
    assert world.event.results["RecordingDestination"]["Key"] == deliver.key
    assert world.invoked.participants[0].status == "Disconnected"
    assert [type(row.event).__name__ for row in world.records(EventRow)][-2:] == ["ActionSucceeded", "HungUp"]
    world.reply(PLAY)
    assert isinstance(world.event, HungUp)
    assert not world.records(Cdr)
    world.reply()
    assert world.cdr.packets_received == 7
    assert world.cdr.ended_at < world.control.shared.wall(world.now)
    assert not world.all(media.Play)
    last = world.records(RecordingRow)[-1]
    assert (last.finished, last.delivered) == (True, True)


def test_a_delivery_that_takes_too_long_is_taken_over() -> None:
    world = recording()
    world.quiet(work.Deliver)
    world.bye()
    world.recorded()
    world.wait(9.9)
    assert world.told[-1] == "Answered"
    world.wait(0.2)
    assert isinstance(world.event, ActionFailed)
    assert world.event.message == "Error occurred while uploading recording to S3 bucket."
    world.reply()
    world.reply()
    assert world.cdr
    assert len(world.all(work.Deliver)) == 1, "the delivery under way goes on"
    world.give(work.Delivered(token=world.last(work.Deliver).token))
    assert world.records(RecordingRow)[-1].delivered
    assert not len(world.control.deliveries)


def test_a_delivery_that_fails_is_tried_again_with_back_off() -> None:
    world = recording()
    world.quiet(work.Deliver)
    world.recorded("silence")
    world.give(work.WorkFailed(token=world.last(work.Deliver).token, reason="unreachable", detail="no route"))
    assert isinstance(world.event, ActionFailed)
    row = world.records(RecordingRow)[-1]
    assert (row.finished, row.delivered, row.error) == (True, False, "no route")
    world.reply()
    world.bye()
    world.reply()
    assert world.cdr
    waits = []
    for _ in range(9):
        before, count = world.now, len(world.all(work.Deliver))
        while len(world.all(work.Deliver)) == count:
            deadline = world.control.next_deadline()
            assert deadline is not None
            world.wait(deadline.at - world.now)
        waits.append(round(world.now - before))
        world.give(work.WorkFailed(token=world.last(work.Deliver).token, reason="denied", detail="Access Denied"))
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert world.records(RecordingRow)[-1].tries == 10
    world.wait(900)
    world.give(work.Delivered(token=world.last(work.Deliver).token))
    assert world.records(RecordingRow)[-1].delivered
    assert world.records(RecordingRow)[-1].error == ""
    assert world.control.next_deadline() is None


def test_at_most_eight_deliveries_at_once() -> None:
    world = World()
    world.quiet(work.Deliver)
    for n in range(20):
        world.give(row(n, finished=True))
    assert len(world.all(work.Deliver)) == 8
    for deliver in world.all(work.Deliver)[:8]:
        world.give(work.Delivered(token=deliver.token))
    assert len(world.all(work.Deliver)) == 16
    assert [it.recording for it in world.all(work.Deliver)] == [f"r{n}" for n in range(16)]


def test_a_recording_of_an_earlier_run_is_repaired_and_delivered() -> None:
    world = World()
    world.give(row(1))
    assert world.kinds() == ["Repair", "Save", "Deliver", "Save"]
    rows = world.records(RecordingRow)
    assert [(it.finished, it.delivered, it.samples) for it in rows] == [(True, False, 4000), (True, True, 4000)]
    world.give(rows[-1])
    assert len(world.all(work.Deliver)) == 1


@pytest.mark.parametrize("reason", ["not_found", "format"])
def test_a_recording_whose_file_is_gone_is_given_up(reason: str) -> None:
    world = World()
    world.quiet(work.Repair)
    world.give(row(1))
    world.give(work.WorkFailed(token=world.last(work.Repair).token, reason=reason, detail="/r/1.wav is not there"))
    assert "a recording is lost: /r/1.wav is not there" in world.notes()
    assert world.control.next_deadline() is None
    last = world.records(RecordingRow)[-1]
    assert (last.error, last.path) == ("/r/1.wav is not there", "")


def test_the_engine_dies_while_it_records() -> None:
    world = recording()
    world.give(media.EngineGone())
    assert len(world.all(sip.Bye)) == 1
    assert not world.all(media.CloseStream)
    assert isinstance(world.event, ActionFailed)
    assert (world.event.action.type, world.event.error_type) == ("RecordAudio", "SystemException")
    assert world.invoked.participants[0].status == "Disconnected"
    assert world.all(work.Repair)
    assert world.records(RecordingRow)[-1].delivered
    world.reply()
    assert isinstance(world.event, HungUp)
    assert world.event.termination.reason == "media_lost"
    world.reply()
    assert world.cdr.termination.reason == "media_lost"


def test_the_engine_dies_after_the_callee_hung_up() -> None:
    world = recording()
    world.quiet(media.CloseStream)
    world.bye()
    world.give(media.EngineGone())
    assert isinstance(world.event, ActionFailed)
    world.reply()
    world.reply()
    assert world.cdr.termination.reason == "completed"
    assert world.records(RecordingRow)[-1].delivered


def test_an_interrupted_recording_gets_to_its_bucket() -> None:
    world = recording()
    world.update()
    world.reply(PLAY)
    assert world.told[-1] == "ActionInterrupted"
    last = world.records(RecordingRow)[-1]
    assert (last.finished, last.delivered) == (True, True)


def test_recordings_of_a_call_are_numbered() -> None:
    world = World()
    world.connect()
    world.reply(action("RecordAudio", **RECORD.parameters))
    world.recorded("limit")
    world.reply(RECORD)
    world.recorded("limit")
    assert [it.key for it in world.all(work.Deliver)] == [f"in/{world.leg}-0.wav", f"in/{world.leg}-1.wav"]


def row(n: int, finished: bool = False) -> RecordingRow:
    return RecordingRow(
        recording=RecordingId(f"r{n}"),
        call=CallId("c"),
        leg=LegId("l"),
        path=f"/recordings/{n}.wav",
        bucket="voicemail",
        key=f"{n}.wav",
        started_at=1,
        finished=finished,
    )
