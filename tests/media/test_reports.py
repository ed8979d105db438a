"""RTCP on the odd port: real statistics, our name, a goodbye (RFC 3550 §6). And media that stays away."""

from __future__ import annotations

import itertools
import random

import pytest

from helpers.media_rig import LEG, LiveRig, Phone, VirtualRig
from outdial.model.media import CloseStream, Configure, Done, NoMedia
from outdial.rtp import rtcp

Rig = VirtualRig | LiveRig


def compounds(phone: Phone) -> list[tuple[float, tuple[rtcp.Rtcp, ...]]]:
    return [(at, rtcp.parse(data)) for at, data, _ in phone.inbox if 192 <= data[1] <= 223]


def test_reports_leave_every_five_seconds_or_so_and_a_goodbye_at_the_end(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    virtual.open(phone)
    virtual.run(60)
    reports = compounds(phone)
    assert 8 <= len(reports) <= 24
    for before, after in itertools.pairwise(reports):
        assert 2.5 <= after[0] - before[0] <= 7.5
    for at, (report, name) in reports:
        assert isinstance(report, rtcp.SenderReport)
        assert isinstance(name, rtcp.SourceDescription)
        assert name.cname
        sent = sum(moment <= at and not 192 <= data[1] <= 223 for moment, data, _ in phone.inbox)
        assert abs(report.packets - sent) <= 1
        assert report.octets == 160 * report.packets
        assert abs(report.ntp / 2**32 - 2208988800 - (at + 1_700_000_000)) < 0.002
    virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    last = compounds(phone)[-1][1]
    assert isinstance(last[-1], rtcp.Goodbye)
    assert last[-1].ssrcs == (phone.packets[0].ssrc,)


def test_they_say_what_was_heard(virtual: VirtualRig) -> None:
    chance = random.Random(3)
    phone = virtual.phone()
    port = virtual.open(phone)
    lost = 0
    sent = phone.talk(b"\x55" * 160 * 400, port)
    for index, (at, data) in enumerate(sent):
        if 0 < index < 399 and chance.random() < 0.1:
            lost += 1
        else:
            phone.send(data, port, at + chance.uniform(0, 0.02))
    virtual.run(0.5)
    report = rtcp.SenderReport(ssrc=phone.ssrc, ntp=0x0000_1234_5678_0000, rtp_time=0, packets=25, octets=4000)
    phone.send(rtcp.build((report, rtcp.SourceDescription(ssrc=phone.ssrc, cname="phone"))), port + 1)
    heard_at = virtual.now
    virtual.run(25)
    at, (ours, _) = compounds(phone)[-1]
    assert isinstance(ours, rtcp.SenderReport)
    (block,) = ours.reports
    assert block.ssrc == phone.ssrc
    assert block.lost == lost
    assert block.highest == phone.sequence - 1
    assert block.last_sr == 0x12345678, "the middle 32 bits"
    assert block.since_last_sr == pytest.approx((at - heard_at) * 65536, abs=2)
    assert 0 < block.jitter < 160
    assert block.fraction_lost == 0, "nothing was expected since the last report"
    first = next(packets[0] for _, packets in compounds(phone) if isinstance(packets[0], rtcp.SenderReport) and packets[0].reports)
    assert isinstance(first, rtcp.SenderReport)
    assert first.reports[0].fraction_lost > 0


def test_one_who_sends_nothing_makes_receiver_reports(virtual: VirtualRig) -> None:
    phone = virtual.phone()
    port = virtual.open(phone, way="recvonly")
    phone.say(b"\x55" * 8000, port)
    virtual.run(10)
    assert {type(packets[0]) for _, packets in compounds(phone)} == {rtcp.ReceiverReport}


def test_the_statistics_at_the_end(rig: Rig) -> None:
    phone = rig.phone()
    port = rig.open(phone)
    for index, (at, data) in enumerate(phone.talk(b"\x55" * 160 * 20, port)):
        if index in (5, 6):
            continue
        phone.send(data, port, at)
        if index == 9:
            phone.send(data, port, at)
    rig.until(lambda: phone.sent == 19)
    stranger = rig.phone()
    stranger.send(stranger.rtp(b"\x55" * 160), port)
    rig.until(lambda: stranger.sent == 1)
    rig.run(0.1)
    done = rig.ask(CloseStream(id=rig.id(), stream=LEG))
    assert isinstance(done, Done)
    statistics = done.statistics
    assert statistics is not None
    assert (statistics.packets_received, statistics.lost, statistics.duplicates, statistics.strangers) == (19, 2, 1, 1)
    assert statistics.source == f"127.0.0.1:{phone.address[1]}"
    assert statistics.first_packet is not None
    assert statistics.last_packet is not None
    assert 2800 <= statistics.last_packet - statistics.first_packet <= (3200 if not rig.live else 8000)


def test_reports_from_elsewhere_are_dropped(virtual: VirtualRig) -> None:
    phone, stranger = virtual.phone(), virtual.phone("203.0.113.1")
    port = virtual.open(phone)
    stranger.send(rtcp.build((rtcp.ReceiverReport(ssrc=1),)), port + 1)
    virtual.run(10)
    assert compounds(stranger) == []
    assert compounds(phone)


def test_media_that_stays_away_is_told_once_for_each_silence() -> None:
    rig = VirtualRig(Configure(rtp_timeout_s=5))
    phone = rig.phone()
    port = rig.open(phone)
    rig.run(17)
    assert [event.ms for event in rig.of(NoMedia)] == [5000]
    phone.say(b"\x55" * 8000, port)
    rig.run(3)
    assert len(rig.of(NoMedia)) == 1
    rig.run(20)
    assert len(rig.of(NoMedia)) == 2
    assert 5000 <= rig.of(NoMedia)[1].ms <= 10_000


def test_one_who_only_receives_us_is_not_missed() -> None:
    rig = VirtualRig(Configure(rtp_timeout_s=5))
    rig.open(rig.phone(), way="sendonly")
    rig.run(30)
    assert rig.of(NoMedia) == []
