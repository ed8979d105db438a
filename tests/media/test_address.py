"""Whom to believe (DESIGN 4, "The peer's address"). Packets come from addresses that no socket here could have, so time is virtual."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.media_rig import LEG, Phone, VirtualRig
from outdial.media.address import private
from outdial.media.values import Address, Packet
from outdial.model.media import CloseStream, Digit, Done, FirstPacket, OpenStream, SetRemote, SourceAdopted, Stranger

SDP: Address = ("198.51.100.10", 4000)
OTHER_PORT: Address = ("198.51.100.10", 4444)
ELSEWHERE: Address = ("203.0.113.99", 5000)
PRIVATE: Address = ("192.168.1.5", 4000)
PUBLIC: Address = ("203.0.113.7", 6000)


class Line:
    """One stream whose far end may send from anywhere."""

    def __init__(self, rig: VirtualRig, sdp: Address = SDP, **fields: Any) -> None:
        self.rig = rig
        done = rig.ask(OpenStream(id=rig.id(), stream=LEG))
        assert isinstance(done, Done)
        assert done.rtp_port is not None
        self.port = done.rtp_port
        self.phones: dict[Address, Phone] = {}
        self.sdp = sdp
        self.answer(**fields)

    def answer(self, **fields: Any) -> None:
        values: dict[str, Any] = {
            "address": self.sdp[0],
            "port": self.sdp[1],
            "rtcp_port": self.sdp[1] + 1,
            "codec": "PCMU",
            "send_type": 0,
            "accept_types": (0,),
            "event_send_type": 101,
            "event_accept_types": (101,),
        }
        assert isinstance(self.rig.ask(SetRemote(id=self.rig.id(), stream=LEG, **(values | fields))), Done)

    def talk(self, source: Address, ms: int = 300) -> None:
        """A packet each 20 ms."""
        for _ in range(ms // 20):
            self.one(source)
            self.rig.run(0.02)

    def one(self, source: Address, data: bytes | None = None) -> None:
        phone = self.phones.setdefault(source, Phone(self.rig, source))
        if not self.phones[source].sent:
            phone.ssrc = hash(source) & 0xFFFFFFFF
        phone.sent += 1
        phone.timestamp += 160
        self.rig.give(Packet(port=self.port, data=phone.rtp(b"\x55" * 160) if data is None else data, source=source))

    @property
    def goes_to(self) -> Address | None:
        return self.rig.engine.by_port[self.port].inbound.destination

    def accepted(self) -> int:
        return self.rig.engine.by_port[self.port].inbound.packets

    def adopted(self) -> list[str]:
        return [event.source for event in self.rig.of(SourceAdopted)]


def test_the_sdps_address_is_believed_from_its_first_packet_on(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(SDP, 20)
    assert [event.source for event in virtual.of(FirstPacket)] == ["198.51.100.10:4000"]
    line.talk(OTHER_PORT, 1000)
    assert line.accepted() == 1
    assert line.goes_to == SDP
    assert line.adopted() == []


def test_nothing_is_accepted_before_an_answer(virtual: VirtualRig) -> None:
    done = virtual.ask(OpenStream(id=virtual.id(), stream=LEG))
    assert isinstance(done, Done)
    assert done.rtp_port is not None
    phone = Phone(virtual, SDP)
    for _ in range(50):
        virtual.give(Packet(port=done.rtp_port, data=phone.rtp(b"\x55" * 160), source=SDP))
    closed = virtual.ask(CloseStream(id=virtual.id(), stream=LEG))
    assert isinstance(closed, Done)
    assert closed.statistics is not None
    assert (closed.statistics.packets_received, closed.statistics.strangers) == (0, 50)
    assert virtual.of(FirstPacket) == []


def test_another_port_of_the_sdps_host_is_adopted_after_200_ms_and_its_packets_are_kept(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(OTHER_PORT, 180)
    assert line.adopted() == []
    line.talk(OTHER_PORT, 60)
    assert line.adopted() == ["198.51.100.10:4444"]
    assert line.goes_to == OTHER_PORT
    assert line.accepted() == 12, "those that were kept count too"


def test_three_packets_are_enough_and_no_fourth_is_needed(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(OTHER_PORT, 60)
    virtual.run(0.2)
    assert line.adopted() == ["198.51.100.10:4444"]
    assert line.accepted() == 3


def test_two_packets_or_three_with_a_gap_are_not_enough(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(OTHER_PORT, 40)
    line.phones[OTHER_PORT].sequence += 5
    line.talk(OTHER_PORT, 40)
    virtual.run(1)
    assert line.adopted() == []
    line.talk(OTHER_PORT, 20)
    assert line.adopted() == ["198.51.100.10:4444"]


def test_the_sdps_address_takes_an_adoption_back(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(OTHER_PORT)
    line.talk(SDP, 20)
    assert line.goes_to == SDP
    assert line.adopted() == ["198.51.100.10:4444", "198.51.100.10:4000"]
    before = line.accepted()
    line.talk(OTHER_PORT)
    assert line.accepted() == before


def test_without_symmetric_no_other_port_is_adopted(virtual: VirtualRig) -> None:
    line = Line(virtual, symmetric=False)
    line.talk(OTHER_PORT, 2000)
    assert line.adopted() == []
    assert line.goes_to == SDP


def test_a_public_sip_host_is_a_candidate_where_the_sdps_address_is_private(virtual: VirtualRig) -> None:
    line = Line(virtual, PRIVATE, sip_host=PUBLIC[0])
    line.talk(PUBLIC)
    assert line.adopted() == ["203.0.113.7:6000"]


@pytest.mark.parametrize(
    ("sdp", "sip_host", "why"),
    [(SDP, PUBLIC[0], "the SDP's address is public"), (PRIVATE, "192.168.1.6", "the SIP host is private too")],
)
def test_else_the_sip_host_is_a_stranger(virtual: VirtualRig, sdp: Address, sip_host: str, why: str) -> None:
    line = Line(virtual, sdp, sip_host=sip_host)
    line.talk((sip_host, 6000), 1000)
    assert line.adopted() == [], why


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1", "127.0.0.1", "fd00::1", "fe80::1", "::1"]
)
def test_private_addresses(host: str) -> None:
    assert private(host)


@pytest.mark.parametrize("host", ["172.32.0.1", "192.0.2.1", "198.51.100.1", "2001:db8::1", "100.128.0.1", "example.com"])
def test_addresses_that_are_not(host: str) -> None:
    assert not private(host)


def test_any_host_is_a_candidate_on_a_trunk_marked_nat_only(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(ELSEWHERE, 500)
    assert line.adopted() == []
    line.answer(nat=True)
    line.talk(ELSEWHERE, 500)
    assert line.adopted() == ["203.0.113.99:5000"]


def test_of_two_rivals_the_sip_sources_host_is_believed(virtual: VirtualRig) -> None:
    line = Line(virtual, nat=True, sip_host=ELSEWHERE[0])
    for _ in range(20):
        line.one(PUBLIC)
        line.one(ELSEWHERE)
        virtual.run(0.02)
    assert line.adopted() == ["203.0.113.99:5000"]


def test_of_two_rivals_without_that_neither_is_believed_and_both_are_reported(virtual: VirtualRig) -> None:
    line = Line(virtual, nat=True)
    for _ in range(100):
        line.one(PUBLIC)
        line.one(ELSEWHERE)
        virtual.run(0.02)
    assert line.adopted() == []
    assert line.goes_to == SDP
    assert {event.source for event in virtual.of(Stranger)} == {"203.0.113.7:6000", "203.0.113.99:5000"}
    assert len(virtual.of(Stranger)) == 2
    line.talk(SDP, 20)
    assert line.accepted() == 1


def test_fifty_good_packets_from_elsewhere_while_the_sdps_address_is_silent_are_reported_once(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(ELSEWHERE, 49 * 20)
    assert virtual.of(Stranger) == []
    line.talk(ELSEWHERE, 200 * 20)
    (event,) = virtual.of(Stranger)
    assert (event.source, event.count) == ("203.0.113.99:5000", 50)


def test_a_stranger_beside_a_peer_that_talks_is_counted_and_not_reported(virtual: VirtualRig) -> None:
    line = Line(virtual)
    for _ in range(200):
        line.one(SDP)
        line.one(ELSEWHERE)
        virtual.run(0.02)
    assert virtual.of(Stranger) == []
    assert virtual.engine.by_port[line.port].inbound.strangers == 200


def test_learning_starts_anew_with_each_answer_and_never_otherwise(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(SDP, 100)
    virtual.run(60)
    line.talk(OTHER_PORT, 1000)
    assert line.adopted() == [], "silence is no reason to learn (RTP Bleed)"
    line.answer()
    line.talk(OTHER_PORT, 1000)
    assert line.adopted() == ["198.51.100.10:4444"]


def test_an_attacker_who_guesses_everything_but_the_address_is_not_heard(virtual: VirtualRig) -> None:
    line = Line(virtual)
    line.talk(SDP, 100)
    real = line.phones[SDP]
    fake = Phone(virtual, ELSEWHERE)
    fake.ssrc, fake.sequence, fake.timestamp = real.ssrc, real.sequence, real.timestamp
    for _, data in fake.digit(5):
        line.one(ELSEWHERE, data)
    assert virtual.of(Digit) == []


def test_an_sdp_without_an_address_gets_no_packets_until_somebody_is_believed(virtual: VirtualRig) -> None:
    line = Line(virtual, ("0.0.0.0", 4000), nat=True)
    virtual.run(1)
    assert line.goes_to is None
    line.talk(PUBLIC)
    assert line.goes_to == PUBLIC
