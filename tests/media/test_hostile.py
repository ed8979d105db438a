"""Nothing that arrives on a port ends anything but itself."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.media_rig import LEG, LiveRig, VirtualRig
from outdial.media.values import Packet
from outdial.model.ids import CommandId, LegId
from outdial.model.media import Collect, Collected, Configure, Digit, Done, Echo, Record, Watch

Rig = VirtualRig | LiveRig


def garbage(chance: random.Random) -> bytes:
    """Random bytes; half of them look like RTP or RTCP at their beginning."""
    data = chance.randbytes(chance.choice((0, 1, 3, 11, 12, 13, 16, 40, 172, 500, 1400)))
    if chance.random() < 0.5:
        data = bytes([0x80 | chance.getrandbits(6), chance.choice((0, 101, 128, 229, 200, 201, 202, 203))]) + data[2:]
    return data


def test_random_bytes_on_both_ports_and_a_call_that_goes_on(rig: Rig, tmp_path) -> None:  # type: ignore[no-untyped-def]
    chance = random.Random(5)
    phone, stranger = rig.phone(), rig.phone()
    port = rig.open(phone)
    rig.ask(Echo(id=rig.id(), stream=LEG))
    rig.ask(Watch(id=rig.id(), stream=LEG))
    rig.ask(Record(id=rig.id(), stream=LEG, path=str(tmp_path / "r.wav")))
    for index in range(600):
        for sender in (stranger, phone):
            sender.send(garbage(chance), port + index % 2, 0.001 * index)
    rig.until(lambda: phone.sent == 600)
    collect = Collect(id=rig.id(), stream=LEG, max_digits=2, first_ms=5000, between_ms=5000)
    assert isinstance(rig.ask(collect), Done)
    phone.ssrc, phone.timestamp = 0x77777777, 4_000_000_000
    at = 0.05
    for code in (4, 2):
        for moment, data in phone.digit(code):
            phone.send(data, port, at + moment)
        at += 0.2
    digits = rig.wait(Collected).digits
    assert len(digits) == 2, "the call goes on"
    assert rig.of(Digit)[-1].digit == "2"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1]),
            st.one_of(
                st.binary(max_size=60),
                st.builds(
                    lambda pt, marker, sequence, timestamp, ssrc, payload, first: (
                        bytes([first, marker << 7 | pt])
                        + sequence.to_bytes(2, "big")
                        + timestamp.to_bytes(4, "big")
                        + ssrc.to_bytes(4, "big")
                        + payload
                    ),
                    st.sampled_from([0, 101, 13]),
                    st.booleans(),
                    st.integers(0, 0xFFFF),
                    st.integers(0, 0xFFFFFFFF),
                    st.integers(0, 6),
                    st.binary(max_size=200),
                    st.sampled_from([0x80, 0x80, 0x80, 0x90, 0xA0, 0x8F, 0xB3]),
                ),
            ),
            st.sampled_from([("127.0.0.1", 4000), ("127.0.0.1", 4002), ("192.0.2.1", 4000)]),
            st.floats(0, 0.3),
        ),
        max_size=60,
    )
)
def test_whatever_arrives_whenever_the_engine_goes_on_and_counts_it_once(packets) -> None:  # type: ignore[no-untyped-def]
    rig = VirtualRig(Configure())
    phone = rig.phone()
    port = rig.open(phone, address="127.0.0.1", port=4000, rtcp_port=4001, nat=True)
    rig.ask(Echo(id=rig.id(), stream=LEG))
    rig.ask(Watch(id=rig.id(), stream=LEG, silence_ms=100))
    for odd, data, source, step in packets:
        rig.run(step)
        rig.give(Packet(port=port + odd, data=data, source=source))
    rig.run(0.5)
    inbound = rig.engine.by_port[port].inbound
    assert inbound.packets + inbound.strangers <= len(packets)
    assert isinstance(rig.ask(Collect(id=rig.id(), stream=LEG, first_ms=10, between_ms=10)), Done)


def test_packets_for_ports_that_are_not_open_are_dropped(virtual: VirtualRig) -> None:
    virtual.give(Packet(port=10_000, data=b"\x80" * 172, source=("192.0.2.1", 4000)))
    virtual.give(Packet(port=77, data=b"", source=("192.0.2.1", 4000)))
    assert len(virtual.events) == 1, "only Ready"


def test_commands_for_nobody_fail_each_by_name(rig: Rig) -> None:
    failed = rig.ask(Collect(id=CommandId(990), stream=LegId("nobody"), first_ms=1, between_ms=1))
    assert not isinstance(failed, Done)
    assert (failed.reason, failed.detail) == ("no_stream", "no stream nobody is open")
