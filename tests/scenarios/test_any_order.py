"""Whatever alice, the handler, the application, the network and the node's neighbours do, in whatever order: `Sequence` has no gap, each
leg ends once, there is one CDR, and nothing comes after the last event.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outdial.model.records import LegEnded
from outdial.model.work import Save
from outdial.testing.ladder import Ladder
from outdial.testing.ladder_text import parse
from outdial.testing.network import Quality

ALICE = (
    "180",
    "183 early pcmu",
    "181",
    "200 answer pcmu",
    "200 answer pcma event=96 tag=two",
    "200 answer opus",
    "200 again",
    "200",
    "486",
    "503",
    "BYE",
    "INVITE offer same",
    "INVITE offer pcma",
    "INVITE",
    "UPDATE offer same",
    "INFO 5",
    "DIGITS 1 #",
    "RTP tone 500Hz 1s",
    "RTP nothing",
    "silent",
    "attentive",
)
REPLIES = (
    "nothing",
    "Speak hello",
    "PlayAudio tone-440-3s.wav + Pause 500",
    "PlayAudio missing.wav + Hangup",
    "SpeakAndGetDigits ask sorry RepeatDurationInMilliseconds=1000 MinNumberOfDigits=1 + Speak thanks",
    "RecordAudio 3 + Speak thanks",
    "ReceiveDigits '^1#$' + Pause 4000",
    "SendDigits 1,2",
    "Hangup",
    "CallAndBridge",
    "raises boom",
    "dies",
    "hangs",
    "text nonsense",
    "nothing attributes='{\"a\":1}'",
)
FAULTS = (
    "network loss=20%",
    "network loss=0",
    "network loses 2 BYE",
    "network loses 200",
    "network refuses",
    "network accepts",
    "database refuses",
    "database accepts",
    "database holds",
    "database goes on",
    "bucket refuses",
    "bucket accepts",
    "engine dies",
    "engine returns",
    "node drains 2s",
    "work waits",
    "work goes on",
)
STEP = st.one_of(
    st.sampled_from([f"alice > us {each}" for each in ALICE]),
    st.sampled_from([f"handler > us {each}" for each in REPLIES]),
    st.sampled_from([f"handler > us {each}" for each in REPLIES]),
    st.sampled_from(FAULTS),
    st.sampled_from(["app > us UPDATE n=1"]),
    st.sampled_from(["... 20ms", "... 0.3s", "... 1s", "... 3s", "... 12s", "... 35s"]),
)
OPENINGS: tuple[list[str], ...] = (
    [],
    ["alice > us 180"],
    ["alice > us 200 answer pcmu"],
    ["alice > us 180", "... 1s", "alice > us 200 answer pcmu"],
)


class Free(Ladder):
    """A ladder whose lines only do: nothing is expected of us but what the end shows. The handler answers when a line says so."""

    def free_run(self, ended: list[str]) -> None:
        world = self.world
        for line in self.scenario.lines:
            if line.kind == "time":
                world.go(line.seconds)
            elif line.kind == "stage":
                self._stage(line)
            elif line.kind == "message" and (line.source != "handler" or world.held is not None):
                self._do(line)
            if line.kind == "message" and line.source == "alice":
                world.go(0.02)
        self._let_it_end()
        placed = [told for told in world.told if type(told).__name__ == "Placed"]
        assert len(world.cdrs) == len(placed) <= 1
        sequences = [event["Sequence"] for event in world.events]
        assert list(dict.fromkeys(sequences)) == list(range(1, len({*sequences}) + 1)), sequences
        types = [event["InvocationEventType"] for event in world.events]
        assert "HANGUP" not in types[:-1] or {*types[types.index("HANGUP") :]} == {"HANGUP"}, types
        assert len(ended) == len(placed), ended
        assert not world.store.unfinished()
        assert not world.calls.shared.active
        assert not world.calls.shared.owners

    def _let_it_end(self) -> None:
        """Everybody does their duty: the handler says nothing more, alice hangs up, the neighbours answer."""
        world = self.world
        world.network.quality = Quality()
        world.loses.clear()
        world.refusing = False
        world.work_waits = False
        world.go_on("work")
        world.store.accept()
        world.studio.fail_deliveries = False
        for _ in range(8):
            if world.handset.invite is not None:
                world.handset.silent = False
                for last in ("BYE tag=alice", "BYE tag=two", "486"):
                    self._do(parse(f"alice > us {last} ends: no call")[0].lines[0])
            for _ in range(60):
                if world.held is not None:
                    world.answer(world.held.reply)
                world.go(1.0)
            if not world.calls.shared.active:
                return


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(OPENINGS), st.lists(STEP, max_size=14), st.integers(0, 3))
def test_any_order_of_events_answers_and_faults(opening: list[str], steps: list[str], seed: int) -> None:
    text = "\n".join(["app > us CALL", "... 20ms", *opening, *steps, "ends: no call"])
    ended: list[str] = []

    def watch(source: str, destination: str, value: object, now: float) -> None:
        if isinstance(value, Save):
            ended.extend(record.leg for record in value.unit if isinstance(record, LegEnded))

    with tempfile.TemporaryDirectory() as folder:
        free = Free(parse(text)[0], Path(folder), seed=seed, observers=(watch,))
        free.world.waits_for_lines = True
        free.free_run(ended)
