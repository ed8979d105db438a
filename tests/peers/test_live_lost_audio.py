"""One packet of audio in twenty is lost on the way, both ways: keys are exact all the same, and a recording is as long as the call."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from helpers import rtp_captures
from helpers.baresip import Telephone, needs_baresip
from helpers.between import Between
from helpers.calls_at_once import HANDLER, HANG_UP, HEARS, RECORDS, Ended, action, number, pause, place, record
from helpers.live_node import LiveNode
from helpers.same_sound import FRAME
from helpers.sipp import BYE, KEEP_PARTIES, OWN_BYE, Sipp, answer, do, media, needs_raw_socket, needs_sipp, recv, wait
from helpers.sounds import tone

pytestmark = [pytest.mark.peer, needs_sipp, needs_raw_socket, needs_baresip]

LOSS = 0.05
PRESSED, SENT = "0123456789*#1122", "#*9988770123*#"
SILENT_MS = 1700


@dataclass(kw_only=True)
class Lossy:
    calls: dict[str, Ended]
    node: LiveNode
    digits: str
    """What the telephone was sent."""
    packets: dict[str, tuple[int, int]]

    def recording(self, name: str) -> Any:
        [row] = self.calls[name].history.recordings
        samples, rate = soundfile.read(str(self.node.data / "buckets" / row.bucket / row.key))
        assert (rate, row.delivered) == (8000, True)
        return samples


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lossy]:
    folder: Path = tmp_path_factory.mktemp("lossy")
    coded = io.BytesIO()
    soundfile.write(coded, tone(1000, 2, 8000, level=0.25), 8000, format="RAW", subtype="ULAW")
    (folder / "tone.ul").write_bytes(coded.getvalue())
    keys = rtp_captures.capture(folder / "keys.pcap", rtp_captures.events(PRESSED))
    up = recv("INVITE", 'rrs="true"', KEEP_PARTIES) + answer("200 OK", again=True, body=media()) + recv("ACK")
    talks = do(f'rtp_stream="{folder}/tone.ul,-1,0"')
    steps = {
        "presses": (up, wait(200), do(f'play_pcap_audio="{keys}"'), BYE),
        "is recorded": (up, talks, BYE),
        "hangs up": (up, talks, wait(SILENT_MS), OWN_BYE, recv("200")),
    }
    plans = {
        "presses": HEARS,
        "is recorded": RECORDS,
        "hangs up": {"CALL_ANSWERED": [record(30)]},
        "listens": {"CALL_ANSWERED": [pause(200), action("SendDigits", Digits=SENT, ToneDurationInMilliseconds=100), pause(200), HANG_UP]},
    }
    with (
        Between() as network,
        Telephone(folder / "phone", np.zeros(8000 * 40), number=number(3)) as phone,
        Sipp(folder / "presses", steps["presses"]) as presses,
        Sipp(folder / "recorded", steps["is recorded"]) as recorded,
        Sipp(folder / "up", steps["hangs up"]) as hangs_up,
        LiveNode(folder, handler=HANDLER, trunk=network.uri) as node,
    ):
        peers: dict[str, Sipp | Telephone] = {"presses": presses, "is recorded": recorded, "hangs up": hangs_up, "listens": phone}
        placed = {}
        for index, (name, peer) in enumerate(peers.items()):
            network.connect(number(index), peer.address, loss=LOSS, seed=index + 1)
            placed[name] = place(node, number(index), plans[name])
        phone.until("CALL_CLOSED")
        calls = {}
        for name, call in placed.items():
            history = node.finished(call)
            peer = peers[name]
            verdict = peer.wait() if isinstance(peer, Sipp) else presses.wait()
            calls[name] = Ended(history=history, verdict=verdict, events=node.events(history))
        yield Lossy(calls=calls, node=node, digits=phone.digits, packets=dict(network.packets))


def test_packets_were_lost_both_ways(lossy: Lossy) -> None:
    for through, lost in lossy.packets.values():
        assert 0.02 < lost / (through + lost) < 0.10


def test_keys_that_are_pressed(lossy: Lossy) -> None:
    call = lossy.calls["presses"]
    call.all_is_well()
    assert call.digits[-1] == PRESSED


def test_keys_that_we_send(lossy: Lossy) -> None:
    lossy.calls["listens"].all_is_well()
    assert lossy.digits == SENT


def test_a_recording_is_as_long_as_it_was_to_be_and_only_what_was_lost_is_missing(lossy: Lossy) -> None:
    lossy.calls["is recorded"].all_is_well()
    samples = lossy.recording("is recorded")
    assert len(samples) == 2 * 8000
    levels = np.abs(samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)).max(axis=1)
    silent = float(np.mean(levels[10:] < 0.05))
    assert silent < 0.15
    whole = samples[10 * FRAME :]
    clock = np.arange(len(whole)) / 8000
    # Lost packets leave holes, and the tone goes on after each as if nothing had been: 5 % less of it, in phase.
    assert 2 * np.abs(np.mean(whole * np.exp(-2j * np.pi * 1000 * clock))) > 0.25 * 0.85


def test_a_recording_that_the_callee_ends_is_as_long_as_the_call(lossy: Lossy) -> None:
    call = lossy.calls["hangs up"]
    call.all_is_well()
    assert call.kinds[-2:] == ["ACTION_SUCCESSFUL", "HANGUP"]
    cdr, [row] = call.history.cdr, call.history.recordings
    assert cdr is not None
    on_tape = len(lossy.recording("hangs up")) / 8
    assert on_tape == pytest.approx(call.history.legs_ended[0].ended_at - row.started_at, abs=400)
    assert on_tape > SILENT_MS * 0.6
