"""A call as baresip sent it, packet by packet (tests/data/rtp_baresip_digits.txt)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.media_rig import LEG, VirtualRig, read_wav
from outdial.media.values import Packet
from outdial.model.media import CloseStream, Digit, Done, Record, RecordEnded
from outdial.rtp import rtcp
from outdial.rtp.packet import build, parse

DATA = Path(__file__).parent.parent / "data" / "rtp_baresip_digits.bin"
DIALLED = "15*0#D7"


def records() -> Iterator[tuple[float, bool, bytes]]:
    """Moment, is it RTCP, datagram."""
    data, at = DATA.read_bytes(), 0
    while at < len(data):
        moment, odd, length = struct.unpack_from("!dBH", data, at)
        yield moment, bool(odd), data[at + 11 : at + 11 + length]
        at += 11 + length


def replay(rig: VirtualRig, port: int, lose: int = 0) -> None:
    """Send it again, each packet at its moment; without every `lose`th."""
    source, began = ("127.0.0.1", 4000), rig.now
    for index, (moment, odd, data) in enumerate(records()):
        rig.run(began + moment - rig.now)
        if not lose or index % lose:
            rig.give(Packet(port=port + odd, data=data, source=(source[0], source[1] + odd)))


def test_every_packet_is_parsed_and_built_again() -> None:
    for _, odd, data in records():
        if odd:
            assert rtcp.parse(data)
        else:
            assert build(parse(data)) == data


def test_its_reports_read_as_it_meant_them() -> None:
    packets = [packet for _, odd, data in records() if odd for packet in rtcp.parse(data)]
    ssrc = next(parse(data).ssrc for _, odd, data in records() if not odd)
    reports = [packet for packet in packets if isinstance(packet, rtcp.SenderReport)]
    assert [report.ssrc for report in reports] == [ssrc] * len(reports)
    assert all(packet.cname.startswith("sip:alice@127.0.0.1:") for packet in packets if isinstance(packet, rtcp.SourceDescription))
    assert [packet for packet in packets if isinstance(packet, rtcp.Goodbye)] == [rtcp.Goodbye(ssrcs=(ssrc,), reason="Adjo")]
    sent = [moment for moment, odd, _ in records() if not odd]
    for report, moment in zip(reports, [m for m, odd, data in records() if odd and data[1] == 200], strict=True):
        assert report.packets == sum(at <= moment for at in sent)
        assert report.reports[0].lost == 0


@pytest.mark.parametrize("lose", [0, 3, 7])
def test_its_digits_are_heard_once_each(virtual: VirtualRig, lose: int) -> None:
    port = virtual.open(virtual.phone(), address="127.0.0.1", port=4000, rtcp_port=4001)
    replay(virtual, port, lose)
    assert "".join(event.digit for event in virtual.of(Digit)) == DIALLED


def test_its_audio_is_recorded_whole(virtual: VirtualRig, tmp_path: Path) -> None:
    port = virtual.open(virtual.phone(), address="127.0.0.1", port=4000, rtcp_port=4001)
    virtual.ask(Record(id=virtual.id(), stream=LEG, path=str(tmp_path / "r.wav")))
    replay(virtual, port)
    done = virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    assert isinstance(done, Done)
    assert done.statistics is not None
    assert (done.statistics.lost, done.statistics.duplicates, done.statistics.strangers) == (0, 0, 0)
    heard = read_wav(tmp_path / "r.wav")
    assert virtual.of(RecordEnded)[0].samples == len(heard) >= 10.6 * 8000
    loud = np.flatnonzero(np.abs(heard) > 1000)
    tone = heard[loud[0] + 1600 : loud[-1] - 1600].astype(float)
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
    assert abs(spectrum.argmax() * 8000 / len(tone) - 440) < 0.5
    times = np.arange(len(tone)) / 8000
    phases = [
        np.angle(np.sum(tone[at : at + 800] * np.exp(-2j * np.pi * 440 * times[at : at + 800]))) for at in range(0, len(tone) - 800, 800)
    ]
    assert np.ptp(np.unwrap(phases)) < 0.1, "no gap, no shift: the tone keeps its phase to the end"
