"""The whole node and a telephone that nobody here wrote: real audio both ways, compared sample by sample; keys both ways; who hangs up.

One baresip takes the calls of this module one after the other, another one rejects; tshark captures all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from helpers.baresip import Telephone, needs_baresip
from helpers.between import Between
from helpers.calls_at_once import HANDLER, HANG_UP, action, number, pause, place, record
from helpers.live_node import LiveNode
from helpers.same_sound import FRAME, differing, followed, longest_run, place_in, sweep
from helpers.wire_capture import CAN_CAPTURE, WORST, WireCapture, needs_capture
from outdial.model.ids import CallId
from outdial.model.resources import CallHistory

pytestmark = [pytest.mark.peer, needs_baresip]

PROMPT = np.concatenate([sweep(1.0), sweep(1.0, 3000.0, 300.0), sweep(1.0, 500.0, 1500.0)])
SAYS = np.tile(np.concatenate([sweep(1.5, 400.0, 2500.0), sweep(1.5, 2800.0, 350.0)]), 12)
KEYS = "1123*#0D"
PLAY = action("PlayAudio", AudioSource={"Type": "S3", "BucketName": "voice", "Key": "prompt.wav"})
ANSWERED = ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED"]


@dataclass(kw_only=True)
class Evening:
    """Everything that happened."""

    node: LiveNode
    telephone: Telephone
    histories: dict[str, CallHistory]
    heard: dict[str, Any]
    said: dict[str, Any]
    wire: WireCapture | None

    def kinds(self, name: str) -> list[str]:
        return [event["InvocationEventType"] for event in self.node.events(self.histories[name])]

    def late_ticks(self) -> int:
        """How many ticks the engine may have skipped, by its own account: a machine that is busy costs those that are more than 40 ms
        late (DESIGN 4)."""
        reports = re.findall(r"streams=\d+ late=(\d+) worst=([\d.]+)ms", self.node.log.read_text())
        return sum(int(late) for late, worst in reports if float(worst) > 40)

    def recording(self, name: str) -> Any:
        """What was delivered to the bucket."""
        [row] = self.histories[name].recordings
        assert row.delivered
        samples, rate = soundfile.read(str(self.node.data / "buckets" / row.bucket / row.key))
        assert rate == 8000
        return samples


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("baresip")
    with (
        Between() as network,
        Telephone(folder / "phone", SAYS, number=number(0)) as phone,
        Telephone(folder / "rejects", SAYS, number=number(1), answers=False) as rejecting,
        LiveNode(folder, handler=HANDLER, trunk=network.uri) as node,
    ):
        prompt = node.data / "buckets" / "voice" / "prompt.wav"
        prompt.parent.mkdir(parents=True)
        soundfile.write(str(prompt), PROMPT, 8000, subtype="PCM_16")
        histories: dict[str, CallHistory] = {}
        ours = f"udp port {node.addresses['sip'].rpartition(':')[2]} or udp portrange {phone.media_ports[0]}-{phone.media_ports[1]}"
        wire = WireCapture(folder / "wire", ours).__enter__() if CAN_CAPTURE else None
        try:
            network.connect(number(0), phone.address)
            network.connect(number(1), rejecting.address)
            refused = place(node, number(1), {})
            rejecting.until("CALL_INCOMING")
            rejecting.command("hangup")
            histories["rejects"] = node.finished(refused)
            for index, (name, plan) in enumerate(PLANS.items()):
                call = place(node, number(0), plan)
                phone.until("CALL_ESTABLISHED", index + 1)
                meanwhile(name, node, phone, call)
                histories[name] = node.finished(call)
                phone.until("CALL_CLOSED", index + 1)
        finally:
            if wire is not None:
                wire.end()
        heard, said = phone.kept("heard"), phone.kept("said")
        names = list(PLANS)
        yield Evening(
            node=node,
            telephone=phone,
            histories=histories,
            heard=dict(zip(names, heard, strict=True)),
            said=dict(zip(names, said, strict=True)),
            wire=wire,
        )


STREAM = re.compile(r"(?P<port>\d+) +127\.0\.0\.1 +\d+ +0x\w+ +.*? (?P<packets>\d+) +(?P<lost>-?\d+) \(.*?\) +[\d.]+ +(?P<mean>[\d.]+)")
ONE_KEY = action(
    "ReceiveDigits", InputDigitsRegex="^[0-9*#]$", InBetweenDigitsDurationInMilliseconds=100, FlushDigitsDurationInMilliseconds=5000
)
PLANS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "plays": {"CALL_ANSWERED": [pause(200), PLAY, action("SendDigits", Digits=KEYS, ToneDurationInMilliseconds=120), HANG_UP]},
    "records": {"CALL_ANSWERED": [record(3)], "ACTION_SUCCESSFUL RecordAudio": [HANG_UP]},
    "presses": {"CALL_ANSWERED": [ONE_KEY]},
    "voicemail": {"CALL_ANSWERED": [record(30)]},
}


def meanwhile(name: str, node: LiveNode, phone: Telephone, call: CallId) -> None:
    """What the telephone does in that call."""
    if name == "presses":
        # One key after the other: it sends one at a time, and forgets it for the next.
        for count, key in enumerate("4407#"):

            def given(history: CallHistory, so_far: int = 4 + count) -> bool:
                return len(history.outcomes) >= so_far

            node.until(call, given, "the last key to be reported")
            phone.command("sndcode", key)
        node.until(call, lambda history: len(history.outcomes) >= 9, "the last key to be reported")
        phone.command("hangup")
    elif name == "voicemail":

        def grown(history: CallHistory) -> bool:
            return any(Path(row.path).exists() and Path(row.path).stat().st_size > 20_000 for row in history.recordings)

        node.until(call, grown, "more than a second on the tape")
        phone.command("hangup")


def test_what_we_play_is_what_it_hears(evening: Evening) -> None:
    assert evening.kinds("plays") == [*ANSWERED, "HANGUP"]
    heard = evening.heard["plays"]
    start = place_in(heard, PROMPT[: 10 * FRAME])
    end, missing = followed(heard[start:], PROMPT)
    late = evening.late_ticks()
    assert longest_run(missing) <= 1 + late, f"a gap or click of {20 * longest_run(missing)} ms"
    assert len(missing) <= 1 + late, missing
    # Nothing of it before or after, no click at its ends: silence is G.711's silence.
    assert np.abs(heard[max(0, start - 5 * FRAME) : start]).max(initial=0.0) < 0.001
    assert np.abs(heard[start + end : start + end + 2 * FRAME]).max(initial=0.0) < 0.001


def test_the_keys_that_we_send_arrive_exactly(evening: Evening) -> None:
    assert evening.telephone.digits == KEYS


def test_what_it_says_is_what_is_recorded(evening: Evening) -> None:
    assert evening.kinds("records") == [*ANSWERED, "ACTION_SUCCESSFUL", "HANGUP"]
    recorded, said = evening.recording("records"), evening.said["records"]
    assert len(recorded) == 3 * 8000
    middle = recorded[8000:16_000]
    there = place_in(said, middle)
    wrong = differing(recorded[800:-800], said[there - 7200 : there - 7200 + len(recorded) - 1600])
    assert longest_run(wrong) <= 1, wrong
    assert len(wrong) <= 2, wrong


def test_the_keys_that_it_presses_reach_the_handler(evening: Evening) -> None:
    assert evening.kinds("presses") == [*ANSWERED, "ACTION_SUCCESSFUL", *["DIGITS_RECEIVED"] * 5, "HANGUP"]
    events = evening.node.events(evening.histories["presses"])[4:-1]
    assert "".join(event["ActionData"]["ReceivedDigits"] for event in events) == "4407#"


def test_it_hangs_up_on_our_voicemail(evening: Evening) -> None:
    assert evening.kinds("voicemail") == [*ANSWERED, "ACTION_SUCCESSFUL", "HANGUP"]
    stored, hangup = evening.node.events(evening.histories["voicemail"])[3:]
    assert stored["ActionData"]["Type"] == "RecordAudio"
    assert [leg["Status"] for leg in stored["CallDetails"]["Participants"]] == ["Disconnected"]
    assert hangup["ActionData"]["Parameters"]["SipResponseCode"] == 0
    cdr = evening.histories["voicemail"].cdr
    assert cdr is not None
    assert (cdr.termination.who, cdr.termination.reason) == ("callee", "completed")
    recorded = evening.recording("voicemail")
    assert len(recorded) > 8000
    piece = recorded[1600:6400]
    there = place_in(evening.said["voicemail"], piece)
    assert longest_run(differing(piece, evening.said["voicemail"][there : there + len(piece)])) <= 1


def test_it_rejects(evening: Evening) -> None:
    assert evening.kinds("rejects") == [*ANSWERED[:2], "HANGUP"]
    assert evening.node.events(evening.histories["rejects"])[-1]["ActionData"]["Parameters"]["SipResponseCode"] == 486
    cdr = evening.histories["rejects"].cdr
    assert cdr is not None
    assert (cdr.termination.reason, cdr.termination.sip_status) == ("busy", 486)


@needs_capture
def test_tshark_finds_nothing_wrong_with_any_packet(evening: Evening) -> None:
    wire = evening.wire
    assert wire is not None
    for protocol in ("sip", "rtp", "rtcp", "rtpevent"):
        assert wire.shown(protocol), protocol
    assert wire.shown(f"(_ws.malformed || _ws.expert.severity >= {WORST}) && (sip || rtp || rtcp || rtpevent || sdp)") == []


@needs_capture
def test_the_streams_are_whole_and_even(evening: Evening) -> None:
    """tshark's own count of what was lost, and its mean time between two packets; the worst is the machine's business."""
    wire = evening.wire
    assert wire is not None
    found = [STREAM.search(line) for line in wire.streams()]
    assert len(found) == 2 * len(PLANS)
    for stream in found:
        assert stream is not None
        assert (stream["lost"], int(stream["packets"]) > 30) == ("0", True)
        if not evening.telephone.media_ports[0] <= int(stream["port"]) <= evening.telephone.media_ports[1]:
            assert 19.0 < float(stream["mean"]) < 22.0, stream[0]
