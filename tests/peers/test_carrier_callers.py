"""The carrier in front of callers that nobody here wrote: SIPp for the signalling, baresip for the sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.baresip import RATE, dial, level, needs_baresip
from helpers.carrier_process import CarrierProcess
from helpers.sipp import Sipp, caller, needs_sipp

pytestmark = [pytest.mark.peer]


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[CarrierProcess]:
    with CarrierProcess(tmp_path / "carrier") as process:
        yield process


def tone(hertz: float, seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


@needs_sipp
@pytest.mark.parametrize(
    ("number", "scenario", "last"),
    [
        ("12065550168", "plain", "gone hung up"),
        ("12065550180", "plain", "gone hung up"),
        ("12065550174", "waits_for_bye", "hung_up"),
        ("12065550156", "busy", "refused 486"),
        ("12065550157", "cancels", "gone cancelled"),
    ],
)
def test_sipp_calls(carrier: CarrierProcess, tmp_path: Path, number: str, scenario: str, last: str) -> None:
    with Sipp(tmp_path / "sipp", caller(scenario), call=carrier.address, service=number) as peer:
        verdict = peer.wait()
    assert verdict.good, verdict.errors
    assert carrier.told[-1] == last


@needs_baresip
def test_the_echo_gives_back_what_is_said(carrier: CarrierProcess, tmp_path: Path) -> None:
    call = dial(tmp_path / "baresip", carrier.uri("+12065550164"), tone(440, 2.0), 5)
    loudest = max(level(call.heard[at : at + RATE // 2], 440) for at in range(0, len(call.heard), RATE // 8))
    assert loudest == pytest.approx(0.5, abs=0.03)
    assert level(call.heard, 1000) < 0.01


@needs_baresip
def test_the_voicemail_beeps_at_1000_hertz_after_its_greeting(carrier: CarrierProcess, tmp_path: Path) -> None:
    call = dial(tmp_path / "baresip", carrier.uri("+12065550161"), tone(440, 0.1), 10)
    windows = [level(call.heard[at : at + 800], 1000) for at in range(0, len(call.heard) - 800, 400)]
    beeping = [n for n, one in enumerate(windows) if one > 0.2]
    # 500 ms in windows of 100 ms, a step each 50 ms.
    assert 8 <= len(beeping) <= 11
    assert beeping == list(range(beeping[0], beeping[-1] + 1))
    greeting = call.heard[: beeping[0] * 400]
    assert np.abs(greeting).max() > 0.05


@needs_baresip
def test_a_conversation_with_a_telephone(carrier: CarrierProcess, tmp_path: Path) -> None:
    pause = np.zeros(3 * RATE)
    call = dial(tmp_path / "baresip", carrier.uri("+12065550150"), np.concatenate([tone(440, 1.5), pause, tone(440, 1.5)]), 12)
    assert "received event: '1'" in call.output
    whats = [line.split()[0] for line in carrier.told]
    assert whats == ["called", "rings", "answered", "speech", "quiet", "pressed", "speech", "quiet", "said", "gone"]
    heard = [line["seconds"] for line in carrier.story if line["what"] == "quiet"]
    assert heard == [pytest.approx(1.5, abs=0.3)] * 2
