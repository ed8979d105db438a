"""`kill -9` at every moment of a call, in virtual time: whatever had happened by then, the next start leaves nothing behind (DESIGN 3.5).

The far side is a real telephone that goes on by itself; the network and the store outlive the node, nothing else does.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from outdial.model.ids import CallId
from outdial.model.requests import Placed
from outdial.model.resources import CallHistory
from outdial.model.settings import CallSettings, Trunk
from outdial.sip import values as sip
from outdial.store import read
from outdial.testing.network import Quality
from outdial.testing.world import THEM, US, World

MOMENTS = 8
"""How many of a call's moments are tried, evenly spread, for each call and network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A call: what the telephone does when, and what the handler answers to CALL_ANSWERED."""

    phone: tuple[tuple[float, str], ...]
    actions: tuple[tuple[str, dict[str, Any]], ...] = ()
    ring_timeout_s: float = 90.0
    seconds: float = 3.0


HANGUP = ("Hangup", {"SipResponseCode": "0"})
RECORD = (
    "RecordAudio",
    {"DurationInSeconds": 1, "RecordingTerminators": ["#"], "RecordingDestination": {"Type": "S3", "BucketName": "voicemail"}},
)
STORIES = {
    "prompt and hang-up": Story(phone=((0.1, "ring"), (0.3, "answer")), actions=(("Speak", {"Text": "Hello."}), HANGUP)),
    "voicemail": Story(phone=((0.1, "answer"), (0.8, "hang_up")), actions=(RECORD,)),
    "recording to its limit": Story(phone=((0.1, "answer"),), actions=(RECORD, HANGUP)),
    "busy": Story(phone=((0.1, "ring"), (0.3, "reject"))),
    "nobody answers": Story(phone=((0.1, "ring"),), ring_timeout_s=0.5),
    "an answer that crosses the CANCEL": Story(phone=((0.1, "ring"), (0.505, "answer")), ring_timeout_s=0.5),
}
QUALITIES = {"clean": Quality(), "slow": Quality(delay=0.12), "lossy": Quality(loss=0.2)}


def begin(folder: Path, story: Story, quality: Quality, seed: int) -> tuple[World, CallId]:
    def handler(event: dict[str, Any]) -> Any:
        actions = story.actions if event["InvocationEventType"] == "CALL_ANSWERED" else ()
        return {"SchemaVersion": "1.0", "Actions": [{"Type": kind, "Parameters": parameters} for kind, parameters in actions]}

    settings = CallSettings(
        local_host=US,
        recordings=str(folder / "recordings"),
        trunk=Trunk(name="trunk", uri=f"sip:{THEM}"),
        ring_timeout_s=story.ring_timeout_s,
    )
    world = World(folder, handler, settings=settings, quality=quality, seed=seed, handler_delay=0.03)
    placed = world.place()
    assert isinstance(placed, Placed)
    return world, placed.call


def moments(world: World, story: Story) -> Iterator[int]:
    """Let the story happen; says after each moment which it was."""
    start, orders, count = world.now, list(story.phone), 0
    while True:
        deadline = world.pump.next_deadline()
        at = start + story.seconds if deadline is None else deadline.at
        if orders and start + orders[0][0] <= at:
            world.now = max(world.now, start + orders[0][0])
            world.order(orders.pop(0)[1], **({"status": 486} if story.phone[-1][1] == "reject" and not orders else {}))
        elif at >= start + story.seconds or (not world.calls.shared.active and not orders):
            return
        else:
            world.now = max(world.now, at)
            world.pump.fire(world.now)
        yield count
        count += 1


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_any_moment(tmp_path: Path, story: str, quality: str) -> None:
    world, _ = begin(tmp_path / "whole", STORIES[story], QUALITIES[quality], 0)
    total = sum(1 for _ in moments(world, STORIES[story]))
    for moment in sorted({round(n * (total - 1) / MOMENTS) for n in range(MOMENTS + 1)}):
        world, call = begin(tmp_path / str(moment), STORIES[story], QUALITIES[quality], 0)
        killed_at = None
        for now in moments(world, STORIES[story]):
            if now == moment:
                had_cdr = history_of(world, call).cdr is not None
                killed_at = len(world.traces)
                world.restart()
        assert killed_at is not None
        settle(world)
        world.go(100.0)
        check(world, call, killed_at, had_cdr)


def settle(world: World) -> None:
    """Until no call is left."""
    world.until(lambda: not world.calls.shared.active, within=150.0)


def history_of(world: World, call: CallId) -> CallHistory:
    with world.store.read() as connection:
        history = read.history(connection, call)
    assert history is not None
    return history


def check(world: World, call: CallId, killed_at: int, had_cdr: bool) -> None:
    history = history_of(world, call)
    assert world.store.unfinished() == []
    assert world.store.undelivered() == []
    assert history.cdr is not None
    assert (history.cdr.termination.reason == "node_restart") is not had_cdr
    assert len(history.legs_ended) == 1
    given: dict[int, dict[str, Any]] = {}
    for event in world.events:
        assert given.setdefault(event["Sequence"], event) == event, "given again, but not the same"
    assert list(given) == list(range(1, len(given) + 1))
    kinds = [event["InvocationEventType"] for event in given.values()]
    assert kinds.count("HANGUP") == 1
    assert kinds[-1] == "HANGUP"
    assert history.cdr.invocations == len(given) == len(history.outcomes)
    ours = [trace.data for trace in world.traces[killed_at:] if trace.way == "sent"]
    assert not any(message.startswith(b"INVITE") for message in ours), "the next start dialled"
    assert world.phone.session is None, "the far side was left in a call"
    for row in history.recordings:
        with wave.open(str(world.studio.object(row.bucket, row.key))) as file:
            assert file.getnframes() == row.samples


def test_the_story_is_what_it_says(tmp_path: Path) -> None:
    """Without a kill each call ends as its name says, so that the moments above are those of a real call."""
    ends = {}
    for name, story in STORIES.items():
        world, call = begin(tmp_path / name.replace(" ", "-"), story, Quality(), 0)
        for _ in moments(world, story):
            pass
        settle(world)
        history = history_of(world, call)
        assert history.cdr is not None
        ends[name] = (history.cdr.termination.reason, len(history.recordings))
    assert ends == {
        "prompt and hang-up": ("completed", 0),
        "voicemail": ("completed", 1),
        "recording to its limit": ("completed", 1),
        "busy": ("busy", 0),
        "nobody answers": ("no_answer", 0),
        "an answer that crosses the CANCEL": ("no_answer", 0),
    }
    assert any(isinstance(seen, sip.ByeReceived) for seen in world.phone.seen)
