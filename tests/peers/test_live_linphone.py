"""The whole node and linphone, a telephone with a stack of its own (belle-sip, oRTP): it answers, hears, is recorded, and hangs up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from helpers.calls_at_once import HANDLER, HANG_UP, action, place, record
from helpers.linphone import Linphone, needs_linphone
from helpers.live_node import TO, LiveNode
from helpers.sounds import tone

pytestmark = [pytest.mark.peer, needs_linphone]
PROMPT = action("PlayAudio", AudioSource={"Type": "S3", "BucketName": "voice", "Key": "prompt.wav"})
ANSWERED = ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED"]


def test_it_hears_us_is_recorded_and_hangs_up(tmp_path: Path) -> None:
    with (
        Linphone(tmp_path / "phone", tone(700, 30, 8000, level=0.3)) as phone,
        LiveNode(tmp_path, handler=HANDLER, trunk=f"sip:127.0.0.1:{phone.address[1]}") as node,
    ):
        prompt = node.data / "buckets" / "voice" / "prompt.wav"
        prompt.parent.mkdir(parents=True)
        soundfile.write(str(prompt), tone(1000, 1.5, 8000, level=0.25), 8000, subtype="PCM_16")
        spoken = place(node, TO, {"CALL_ANSWERED": [PROMPT, record(2)], "ACTION_SUCCESSFUL RecordAudio": [HANG_UP]})
        history = node.finished(spoken)
        assert [event["InvocationEventType"] for event in node.events(history)] == [*ANSWERED, "ACTION_SUCCESSFUL", "HANGUP"]
        [row] = history.recordings
        samples, rate = soundfile.read(str(node.data / "buckets" / row.bucket / row.key))
        assert (rate, len(samples)) == (8000, 16_000)
        assert pitch(samples[4000:-1000], 8000) == pytest.approx(700, abs=2)
        heard, its_rate = phone.heard
        loud = np.flatnonzero(np.abs(heard) > 0.1)
        assert (loud[-1] - loud[0]) / its_rate == pytest.approx(1.5, abs=0.2)
        assert pitch(heard[loud[0] : loud[-1]], its_rate) == pytest.approx(1000, abs=2)

        listened = place(node, TO, {"CALL_ANSWERED": [record(30)]})
        node.until(listened, lambda history: bool(history.recordings), "the recording to begin")
        phone.tell("terminate")
        history = node.finished(listened)
        assert [event["InvocationEventType"] for event in node.events(history)] == [*ANSWERED, "ACTION_SUCCESSFUL", "HANGUP"]
        assert history.cdr is not None
        assert (history.cdr.termination.who, history.cdr.termination.reason) == ("callee", "completed")


def pitch(samples: Any, rate: int) -> float:
    """The strongest frequency."""
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples))
