"""The endpoint on a real socket against SIPp, in each scenario of test-peers section 1: a judge that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.sip_live import LiveParty
from helpers.sipp import CALLEES, CALLERS, Sipp, Verdict, needs_sipp
from outdial.sip.digest import Credentials
from outdial.sip.values import (
    Accept,
    Accepted,
    Acknowledge,
    Bye,
    ByeReceived,
    Cancel,
    Dial,
    Go,
    Held,
    Incoming,
    Over,
    Provisional,
    Reject,
    Ring,
)

pytestmark = [pytest.mark.peer, needs_sipp]

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)


def acknowledging(event: Any) -> list[Any]:
    if isinstance(event, Held):
        return [Go(session=event.session)]
    if isinstance(event, Accepted) and event.wanted:
        return [Acknowledge(session=event.session, fork=event.fork)]
    return []


def call(
    tmp_path: Path,
    name: str,
    then: Callable[[LiveParty], Awaitable[None]],
    owner: Callable[[Any], list[Any]] = acknowledging,
    lose_sent: tuple[tuple[str, str, int], ...] = (),
    lose_heard: tuple[tuple[str, str, int], ...] = (),
    **options: Any,
) -> tuple[LiveParty, Verdict]:
    """Dial a SIPp callee, do `then`, and wait for its verdict."""

    async def run() -> tuple[LiveParty, Verdict]:
        party = LiveParty(owner, **options)
        party.lose_sent += lose_sent
        party.lose_heard += lose_heard
        try:
            with Sipp(tmp_path / name, CALLEES[name]) as peer:
                host, port = peer.address
                uri = f"sip:+12065550150@{host}:{port}"
                party.give(
                    Dial(session="leg", uri=uri, target=f"sip:{host}:{port}", from_uri="sip:+12065550100@127.0.0.1", to_uri=uri, body=SDP)
                )
                await then(party)
                verdict = await asyncio.to_thread(peer.wait)
                await party.until(Over)
                return party, verdict
        finally:
            await party.close()

    return asyncio.run(run())


async def hang_up_when_answered(party: LiveParty) -> None:
    await party.until(Accepted)
    party.give(Bye(session="leg"))
    await party.until(Over)


async def nothing(party: LiveParty) -> None:
    await party.until(Over)


async def cancel_when_ringing(party: LiveParty) -> None:
    await party.until(Provisional)
    party.give(Cancel(session="leg", reason="SIP;cause=480"))
    await party.until(Over)


@pytest.mark.parametrize("name", ["plain", "early", "late"])
def test_callee_answers_and_we_hang_up(tmp_path: Path, name: str) -> None:
    party, verdict = call(tmp_path, name, hang_up_when_answered)
    assert verdict.good, verdict.errors
    assert party.of(Over)[0].who == "us"
    assert b"telephone-event" in party.of(Accepted)[0].body
    assert not party.malformed


def test_early_media_is_passed_up(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "early", hang_up_when_answered)
    assert verdict.good, verdict.errors
    assert party.of(Provisional)[0].status == 183
    assert b"m=audio" in party.of(Provisional)[0].body


def test_an_invite_without_any_answer_is_repeated_until_there_is_one(tmp_path: Path) -> None:
    _, verdict = call(tmp_path, "late", hang_up_when_answered)
    assert verdict.good, verdict.errors
    assert verdict.received("INVITE") == 2  # at 0 and T1; the third would be at 1.5 s, the answer comes at 1.2 s


def test_the_ack_is_sent_again_for_each_repeated_200(tmp_path: Path) -> None:
    async def later(party: LiveParty) -> None:
        for _ in range(3):
            await party.until_traced("ACK")
        party.give(Bye(session="leg"))

    party, verdict = call(tmp_path, "deaf", later)
    assert verdict.good, verdict.errors
    assert len(party.of(Accepted)) == 1


def test_busy(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "busy", nothing)
    assert verdict.good, verdict.errors
    assert party.of(Over)[0] == Over(session="leg", who="peer", status=486, phrase="Busy Here")


def test_cancel_of_one_that_never_answers(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "never", cancel_when_ringing)
    assert verdict.good, verdict.errors
    assert party.of(Over)[0].status == 487
    assert party.of(Over)[0].who == "us"


def test_a_200_that_crosses_the_cancel_gets_ack_and_bye(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "cross", cancel_when_ringing)
    assert verdict.good, verdict.errors
    assert [accepted.wanted for accepted in party.of(Accepted)] == [False]
    assert party.of(Over)[0].status == 0


def test_the_callee_hangs_up(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "hangs_up", nothing)
    assert verdict.good, verdict.errors
    assert len(party.of(ByeReceived)) == 1
    assert party.of(Over)[0].who == "peer"


def test_a_challenge_is_answered(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "challenge", hang_up_when_answered, credentials=(Credentials(username="alice", password="secret"),))
    assert verdict.good, verdict.errors
    assert len(party.of(Held)) == 2
    assert verdict.received("INVITE") == 2


def test_a_wrong_password_ends_the_call(tmp_path: Path) -> None:
    party, verdict = call(tmp_path, "challenge", nothing, credentials=(Credentials(username="alice", password="wrong"),))
    assert verdict.good, verdict.errors
    assert party.of(Over)[0].status == 403


def test_nobody_at_the_port_is_heard_of_at_once() -> None:
    async def run() -> LiveParty:
        gone = LiveParty(lambda event: [])
        port = gone.address.port
        await gone.close()
        party = LiveParty(acknowledging)
        uri = f"sip:+12065550150@127.0.0.1:{port}"
        party.give(Dial(session="leg", uri=uri, target=uri, from_uri="sip:+12065550100@127.0.0.1", to_uri=uri, body=SDP))
        await party.until(Over, within=5)
        await party.close()
        return party

    party = asyncio.run(run())
    assert party.of(Over)[0] == Over(session="leg", who="network", status=503, phrase="Connection refused")


def answering(event: Any) -> list[Any]:
    if isinstance(event, Incoming):
        return [Ring(session=event.session), Accept(session=event.session, body=SDP)]
    return []


def ringing(event: Any) -> list[Any]:
    return [Ring(session=event.session)] if isinstance(event, Incoming) else []


def refusing(event: Any) -> list[Any]:
    return [Reject(session=event.session, status=486)] if isinstance(event, Incoming) else []


def take(
    tmp_path: Path, name: str, owner: Callable[[Any], list[Any]], then: Callable[[LiveParty], Awaitable[None]] = nothing
) -> tuple[LiveParty, Verdict]:
    """Let a SIPp caller call us."""

    async def run() -> tuple[LiveParty, Verdict]:
        party = LiveParty(owner)
        try:
            with Sipp(tmp_path / name, CALLERS[name], call=(party.address.host, party.address.port)) as peer:
                await then(party)
                verdict = await asyncio.to_thread(peer.wait)
            return party, verdict
        finally:
            await party.close()

    return asyncio.run(run())


def test_caller_calls_and_hangs_up(tmp_path: Path) -> None:
    party, verdict = take(tmp_path, "plain", answering)
    assert verdict.good, verdict.errors
    assert len(party.of(ByeReceived)) == 1
    assert party.of(Incoming)[0].uri.startswith("sip:12065550150@")


def test_we_hang_up_on_a_caller(tmp_path: Path) -> None:
    def owner(event: Any) -> list[Any]:
        return answering(event) or ([Bye(session=event.session)] if type(event).__name__ == "AckBody" else [])

    party, verdict = take(tmp_path, "waits_for_bye", owner)
    assert verdict.good, verdict.errors
    assert party.of(Over)[0].who == "us"


def test_caller_cancels(tmp_path: Path) -> None:
    party, verdict = take(tmp_path, "cancels", ringing)
    assert verdict.good, verdict.errors
    assert party.of(ByeReceived)[0].cancelled


def test_caller_is_told_that_we_are_busy(tmp_path: Path) -> None:
    party, verdict = take(tmp_path, "busy", refusing)
    assert verdict.good, verdict.errors
    assert party.of(Over)[0].status == 486
    assert verdict.received("SIP/2.0 486") == 1  # its ACK found the INVITE


def test_a_cancel_of_the_caller_that_comes_after_our_200(tmp_path: Path) -> None:
    """The 200 is there when the CANCEL arrives: 200 to both, and the caller ends it by BYE (RFC 3261 §9.2)."""
    found, verdict = take(tmp_path, "crosses", answering)
    assert verdict.good, verdict.errors
    assert found.of(ByeReceived) == [ByeReceived(session=found.of(Incoming)[0].session)]


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        (("INVITE", "INVITE", 1), None),
        (None, ("SIP/2.0 180", "INVITE", 1)),
        (None, ("SIP/2.0 200", "INVITE", 1)),
        (("ACK", "ACK", 1), None),
        (("ACK", "ACK", 2), None),
        (("BYE", "BYE", 1), None),
        (None, ("SIP/2.0 200", "BYE", 1)),
    ],
    ids=["INVITE", "180", "200", "ACK", "two ACKs", "BYE", "200 to BYE"],
)
def test_a_message_that_is_lost_once(tmp_path: Path, sent: tuple[str, str, int] | None, heard: tuple[str, str, int] | None) -> None:
    party, verdict = call(
        tmp_path, "plain", hang_up_when_acknowledged, lose_sent=(sent,) if sent else (), lose_heard=(heard,) if heard else ()
    )
    assert verdict.good, verdict.errors
    # SIPp is gone once it has answered our BYE, so that the repeat meets a closed port.
    gone = heard is not None and heard[1] == "BYE"
    assert (party.of(Over)[0].who, party.of(Over)[0].status) == ("us", 503 if gone else 0)
    assert len(party.of(Accepted)) == 1


async def hang_up_when_acknowledged(party: LiveParty) -> None:
    """Hang up once an ACK has left the machine: SIPp takes a BYE before it for an unexpected message."""
    lost = sum(count for start, _, count in party.lose_sent if start == "ACK")
    for _ in range(lost + 1):
        await party.until_traced("ACK")
    party.give(Bye(session="leg"))
    await party.until(Over)


def test_byes_that_cross(tmp_path: Path) -> None:
    """Ours leaves just before the peer's is heard: both are answered with 200."""

    async def cross(party: LiveParty) -> None:
        party.before["BYE"] = [Bye(session="leg")]
        await party.until(Over)

    party, verdict = call(tmp_path, "byes_cross", cross)
    assert verdict.good, verdict.errors
    assert party.of(ByeReceived) == []
    assert party.of(Over)[0] == Over(session="leg", who="us", status=0)
    assert verdict.received("SIP/2.0 200") == 1
    assert verdict.received("BYE") == 1


@pytest.mark.parametrize("lose", [("CANCEL", "CANCEL", 1), ("ACK", "ACK", 1)], ids=["CANCEL", "ACK"])
def test_a_cancel_whose_messages_are_lost_once(tmp_path: Path, lose: tuple[str, str, int]) -> None:
    party, verdict = call(tmp_path, "never", cancel_when_ringing, lose_sent=(lose,))
    assert verdict.good, verdict.errors
    assert party.of(Over)[0].status == 487
