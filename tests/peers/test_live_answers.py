"""The whole node in front of SIPp: how a callee may answer, which audio it may agree to, and what it may do within the call."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers import rtp_captures
from helpers.calls_at_once import HEARS, LISTENS_LONG, Case, Ear, Ended, at_once
from helpers.live_node import LiveNode
from helpers.sipp import (
    BYE,
    KEEP_PARTIES,
    OWN_BYE,
    URI,
    Sipp,
    Verdict,
    answer,
    callee,
    do,
    last,
    media,
    needs_sipp,
    own,
    recv,
    request,
    wait,
)

pytestmark = [pytest.mark.peer, needs_sipp]

EVENTS, ULAW, ALAW = "rtpmap:{} telephone-event/8000", "rtpmap:0 PCMU/8000", "rtpmap:8 PCMA/8000"
TAKES = recv("INVITE", 'rrs="true"', KEEP_PARTIES) + answer("180 Ringing") + wait(100)
INFO = "Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal={}\nDuration=160\n"
AGREED = recv("100", 'optional="true"') + recv("200") + own("ACK", 2, again=False)
REFUSED = recv("100", 'optional="true"') + recv("488") + own("ACK", 2, again=False, branch="[branch-3]")
OPTIONS = (request("OPTIONS", 1, to="", uri=URI, more=""), recv("200"))
CHOICES = ("PCMA only", "ptime 10", "ptime 30", "ptime 60", "sendonly", "inactive", "held", "another SDP")


def answers(body: str, *then: str) -> tuple[str, ...]:
    return TAKES, answer("200 OK", again=True, body=body), recv("ACK"), *then, BYE


def plays(path: Path) -> str:
    return do(f'play_pcap_audio="{path}"')


def within(*steps: str) -> tuple[str, ...]:
    """A call in which the callee asks for something."""
    return answers(media(), *steps)


def cases(folder: Path, ears: dict[str, Ear]) -> dict[str, Case]:
    def digits(name: str, keys: str, payload_type: int = 101) -> str:
        return plays(rtp_captures.capture(folder / "captures" / f"{name}.pcap", rtp_captures.events(keys, payload_type)))

    def tones(name: str, keys: str) -> str:
        packets = rtp_captures.audio(rtp_captures.keys_as_tones(keys))
        return plays(rtp_captures.capture(folder / "captures" / f"{name}.pcap", packets))

    def to_ear(name: str, *lines: str, **others: str) -> tuple[str, ...]:
        return answers(media(*lines, port=str(ears[name].port), **others))

    both = (ULAW, EVENTS.format(101))
    other = last(";tag=another-[call_number]") + "[last_Record-Route:]\n"
    return {
        "digits": Case(steps=answers(media(), wait(300), digits("101", "112#")), plan=HEARS),
        "every key": Case(steps=answers(media(), wait(300), digits("all", "0123456789*#")), plan=HEARS),
        "digits as 96": Case(
            steps=answers(media(ULAW, EVENTS.format(96), formats="0 96"), wait(300), digits("96", "96*", 96)), plan=HEARS
        ),
        "digits as 127": Case(
            steps=answers(media(ULAW, EVENTS.format(127), formats="0 127"), wait(300), digits("127", "127#", 127)), plan=HEARS
        ),
        "digits in band": Case(steps=answers(media(ULAW, formats="0"), wait(300), tones("tones", "159#")), plan=HEARS),
        "digits by INFO": Case(
            steps=within(wait(300), own("INFO", 2, INFO.format("4")), recv("200"), own("INFO", 3, INFO.format("#")), recv("200")),
            plan=HEARS,
        ),
        "early media": Case(steps=callee("early")),
        "another tag": Case(
            steps=(recv("INVITE"), answer("183 Session Progress", sdp=True), wait(200),
                   answer("200 OK", sdp=True, again=True, head=other), recv("ACK"), BYE),
        ),
        "another SDP": Case(
            steps=(recv("INVITE"), answer("183 Session Progress", sdp=True), wait(200),
                   answer("200 OK", again=True, head=other, body=media(port=str(ears["another SDP"].port))), recv("ACK"), BYE),
        ),
        "early media only": Case(
            steps=(recv("INVITE"), answer("183 Session Progress", sdp=True), wait(200), answer("200 OK", again=True), recv("ACK"), BYE),
        ),
        "no SDP": Case(steps=(recv("INVITE"), answer("200 OK", again=True), recv("ACK"), BYE)),
        "video only": Case(steps=answers(media(ULAW, port="0", formats="0"))),
        "PCMA only": Case(steps=to_ear("PCMA only", ALAW, EVENTS.format(101), formats="8 101")),
        "ptime 10": Case(steps=to_ear("ptime 10", *both, "ptime:10")),
        "ptime 30": Case(steps=to_ear("ptime 30", *both, "ptime:30")),
        "ptime 60": Case(steps=to_ear("ptime 60", *both, "ptime:60")),
        "sendonly": Case(steps=to_ear("sendonly", *both, "sendonly")),
        "inactive": Case(steps=to_ear("inactive", *both, "inactive")),
        "held": Case(steps=to_ear("held", *both, connection="0.0.0.0")),
        "re-INVITE unchanged": Case(steps=within(own("INVITE", 2, media()), AGREED), plan=LISTENS_LONG),
        "re-INVITE without SDP": Case(
            steps=within(own("INVITE", 2), recv("100", 'optional="true"'), recv("200"), own("ACK", 2, media(), again=False)),
            plan=LISTENS_LONG,
        ),
        "re-INVITE elsewhere": Case(steps=within(own("INVITE", 2, media(port="[media_port+2]")), REFUSED, wait(300), digits("after", "5")),
                                    plan=HEARS),
        "re-INVITE holds": Case(steps=within(own("INVITE", 2, media(*both, "sendonly")), REFUSED), plan=LISTENS_LONG),
        "UPDATE unchanged": Case(steps=within(own("UPDATE", 2, media()), recv("200")), plan=LISTENS_LONG),
        "UPDATE without SDP": Case(steps=within(own("UPDATE", 2), recv("200")), plan=LISTENS_LONG),
        "UPDATE changed": Case(steps=within(own("UPDATE", 2, media(port="[media_port+2]")), recv("488")), plan=LISTENS_LONG),
        "OPTIONS": Case(steps=within(own("OPTIONS", 2), recv("200")), plan=LISTENS_LONG),
        "unknown method": Case(steps=within(own("PUBLISH", 2), recv("405")), plan=LISTENS_LONG),
        "hangs up": Case(steps=(TAKES, answer("200 OK", sdp=True, again=True), recv("ACK"), wait(100), OWN_BYE, recv("200")),
                         plan=LISTENS_LONG),
        "two at once": Case(steps=callee("plain"), calls=2),
    }  # fmt: skip


@pytest.fixture(scope="module")
def ears() -> Iterator[dict[str, Ear]]:
    made = {name: Ear() for name in CHOICES}
    yield made
    for ear in made.values():
        ear.close()


@pytest.fixture(scope="module")
def asked() -> list[Verdict]:
    """How it went for one who asked with OPTIONS while all calls were up."""
    return []


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, ears: dict[str, Ear], asked: list[Verdict]) -> dict[str, list[Ended]]:
    folder = tmp_path_factory.mktemp("answers")

    def ask(node: LiveNode) -> None:
        host, _, port = node.addresses["sip"].rpartition(":")
        with Sipp(folder / "asks", OPTIONS, call=(host, int(port))) as caller:
            asked.append(caller.wait())

    return at_once(folder, cases(folder, ears), meanwhile=ask)


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("digits", "112#"),
        ("every key", "0123456789*#"),
        ("digits as 96", "96*"),
        ("digits as 127", "127#"),
        ("digits in band", "159#"),
        ("digits by INFO", "4#"),
    ],
)
def test_exactly_what_was_pressed_is_heard(ended: dict[str, list[Ended]], name: str, digits: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.digits[-1] == digits
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "ACTION_SUCCESSFUL", "DIGITS_RECEIVED", "HANGUP"]
    assert (call.reason, call.code) == ("completed", 0)


@pytest.mark.parametrize("name", ["early media", "another tag", "another SDP", "early media only"])
def test_183_is_ringing_and_the_call_is_answered_once(ended: dict[str, list[Ended]], name: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert (call.reason, call.code) == ("completed", 0)


def test_audio_goes_where_the_200_says_and_not_where_the_183_said(ended: dict[str, list[Ended]], ears: dict[str, Ear]) -> None:
    assert ended["another SDP"][0].verdict.good
    assert len(ears["another SDP"].heard()) > 10


@pytest.mark.parametrize("name", ["no SDP", "video only"])
def test_an_answer_that_cannot_be_used_is_acknowledged_and_ended(ended: dict[str, list[Ended]], name: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert "CALL_ANSWERED" not in call.kinds
    assert (call.reason, call.code) == ("no_media", 480)
    assert (call.verdict.received("ACK"), call.verdict.received("BYE")) == (1, 1)


@pytest.mark.parametrize(("name", "ptime"), [("ptime 10", 10), ("ptime 30", 30), ("ptime 60", 60)])
def test_packets_are_as_long_as_the_callee_wants_them(ended: dict[str, list[Ended]], ears: dict[str, Ear], name: str, ptime: int) -> None:
    ended[name][0].all_is_well()
    packets = ears[name].heard()
    assert len(packets) >= 300 // ptime
    assert {len(packet) for packet in packets} == {12 + 8 * ptime}
    times = np.array([struct.unpack_from("!I", packet, 4)[0] for packet in packets], dtype=np.uint32)
    steps = np.diff(times)
    # A machine that is busy costs whole ticks (DESIGN 4): time runs on by them.
    assert not np.any(steps % (8 * ptime))
    assert np.median(steps) == 8 * ptime
    numbers = np.array([struct.unpack_from("!H", packet, 2)[0] for packet in packets], dtype=np.uint16)
    assert set(np.diff(numbers)) == {1}


def test_a_callee_that_only_has_pcma_is_spoken_to_in_pcma(ended: dict[str, list[Ended]], ears: dict[str, Ear]) -> None:
    ended["PCMA only"][0].all_is_well()
    packets = ears["PCMA only"].heard()
    assert len(packets) > 10
    assert {packet[1] & 0x7F for packet in packets} == {8}
    assert set(packets[0][12:]) == {0xD5}  # silence of G.711 A-law


@pytest.mark.parametrize("name", ["sendonly", "inactive", "held"])
def test_nothing_is_sent_to_one_that_does_not_want_to_hear(ended: dict[str, list[Ended]], ears: dict[str, Ear], name: str) -> None:
    ended[name][0].all_is_well()
    assert ended[name][0].kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert ears[name].heard() == []


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("re-INVITE unchanged", "200"),
        ("re-INVITE without SDP", "200"),
        ("re-INVITE holds", "488"),
        ("UPDATE unchanged", "200"),
        ("UPDATE without SDP", "200"),
        ("UPDATE changed", "488"),
        ("OPTIONS", "200"),
        ("unknown method", "405"),
    ],
)
def test_a_request_within_the_call_is_answered_and_the_call_goes_on(ended: dict[str, list[Ended]], name: str, answered: str) -> None:
    [call] = ended[name]
    call.all_is_well()
    assert len(distinct(call, f"SIP/2.0 {answered}")) == 1
    assert len(distinct(call, "BYE")) == 1
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert (call.reason, call.code) == ("completed", 0)


def distinct(call: Ended, start: str) -> set[str]:
    """Messages that SIPp received and that begin so; a repeat is the same to the byte (a slow machine lets SIPp ask twice)."""
    return {text for text in call.verdict.heard if text.startswith(start)}


def test_the_answer_to_an_unchanged_reinvite_has_the_same_audio(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["re-INVITE unchanged"]
    offer = call.verdict.heard[0]
    [again] = distinct(call, "SIP/2.0 200")
    ours = {line.split()[1] for text in (offer, again) for line in text.splitlines() if line.startswith("m=audio")}
    assert len(ours) == 1
    assert "m=audio" in again


def test_a_refused_reinvite_leaves_the_audio_as_it_was(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["re-INVITE elsewhere"]
    call.all_is_well()
    assert len(distinct(call, "SIP/2.0 488")) == 1
    assert call.digits[-1] == "5"


def test_options_outside_of_any_call(ended: dict[str, list[Ended]], asked: list[Verdict]) -> None:
    assert ended
    [verdict] = asked
    assert verdict.good, verdict.errors
    [answered] = verdict.heard
    assert answered.startswith("SIP/2.0 200")
    assert {"INVITE", "ACK", "BYE", "CANCEL"} <= set(re.split(r"[,\s]+", answered.partition("\nAllow:")[2].partition("\n")[0]))


def test_the_callee_hangs_up(ended: dict[str, list[Ended]]) -> None:
    [call] = ended["hangs up"]
    call.all_is_well()
    assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    assert call.history.cdr is not None
    assert (call.history.cdr.termination.who, call.reason, call.code) == ("callee", "completed", 0)


def test_two_calls_to_one_callee_at_once(ended: dict[str, list[Ended]]) -> None:
    one, two = ended["two at once"]
    for call in (one, two):
        call.all_is_well()
        assert call.kinds == ["NEW_OUTBOUND_CALL", "RINGING", "CALL_ANSWERED", "HANGUP"]
    began = [call.history.dialogs[0].answered_at for call in (one, two)]
    assert one.history.cdr is not None
    assert two.history.cdr is not None
    assert max(began) < min(one.history.cdr.ended_at, two.history.cdr.ended_at)
