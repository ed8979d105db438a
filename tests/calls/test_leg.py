"""A leg, arrow by arrow: ringing, early media, answers, forks, limits, re-INVITEs, and its one end."""

from __future__ import annotations

import re

import pytest

from helpers.call_world import HANGUP, SPEAK, TRUNK, World, answer_sdp
from outdial.model import media, work
from outdial.model.events import Answered, HungUp
from outdial.model.invocations import Invoke
from outdial.model.records import Cdr, LegDialog, LegEnded
from outdial.model.terminations import Termination
from outdial.sip import values as sip


def ended(world: World) -> Termination:
    """Why the leg ended, as the one HANGUP says."""
    found = [invoke.event for invoke in world.given if isinstance(invoke.event, HungUp)]
    assert len(found) == len(world.records(LegEnded)) == 1
    return found[0].termination


def finish(world: World) -> Termination:
    """Answer every event that is still to be given."""
    while world.control._calls:
        world.reply()
    return ended(world)


# --- ringing and early media ---


@pytest.mark.parametrize("statuses", [(180,), (183,), (180, 180), (183, 180, 183), (181, 180, 182)])
def test_ringing_is_told_once(statuses: tuple[int, ...]) -> None:
    world = World()
    world.place()
    world.reply()
    for status in statuses:
        world.rings(status)
    world.reply()
    assert world.told == ["NewOutboundCall", "Ringing"]


def test_other_progress_is_not_ringing() -> None:
    world = World()
    world.place()
    world.reply()
    world.rings(181)
    world.rings(182)
    assert world.told == ["NewOutboundCall"]


def test_early_media_reaches_the_engine_and_the_handler_hears_ringing() -> None:
    world = World()
    world.place()
    world.reply()
    world.rings(183, tag="a", body=answer_sdp(port=41000))
    assert world.told[-1] == "Ringing"
    remote = world.last(media.SetRemote)
    assert (remote.address, remote.port, remote.rtcp_port, remote.codec) == ("192.0.2.9", 41000, 41001, "PCMU")
    assert (remote.event_send_type, remote.sip_host, remote.symmetric, remote.nat) == (101, TRUNK.host, True, False)
    world.rings(183, tag="a", body=answer_sdp(port=41000))
    assert len(world.all(media.SetRemote)) == 1, "the same tag's repeated 18x tells the engine nothing (RTP Bleed)"
    world.rings(183, tag="b", body=answer_sdp(port=42000))
    assert [it.port for it in world.all(media.SetRemote)] == [41000, 42000], "another To tag is another answer"
    world.reply()
    world.answers(answer_sdp(port=42000), tag="b")
    assert [it.port for it in world.all(media.SetRemote)] == [41000, 42000, 42000], "the 2xx after a 18x is one too"
    assert isinstance(world.event, Answered)


def test_early_media_that_cannot_be_used_cost_only_themselves() -> None:
    world = World()
    world.place()
    world.rings(183, body=b"v=0\r\nnonsense")
    assert not world.all(media.SetRemote)
    assert any(note.startswith("early media cannot be used: SDP") for note in world.notes())
    world.quiet(media.SetRemote)
    world.rings(183, body=answer_sdp())
    refused = world.last(media.SetRemote)
    world.give(media.Failed(id=refused.id, stream=refused.stream, reason="codec"))
    assert "there is no early media: The media engine refused the far end's address: codec" in world.notes()
    world.reply()
    world.reply()
    world.answers()
    assert isinstance(world.event, Answered)


def test_a_2xx_without_sdp_stands_by_the_answer_of_its_18x() -> None:
    world = World()
    world.place()
    world.rings(183, tag="a", body=answer_sdp())
    world.answers(b"", tag="a")
    assert world.all(sip.Acknowledge)
    world.reply()
    world.reply()
    assert isinstance(world.event, Answered)


# --- the answer ---


def test_the_ack_waits_for_the_commit_of_the_dialog() -> None:
    world = World()
    world.place()
    world.reply()
    world.quiet(work.Save)
    world.answers()
    save = world.last(work.Save)
    assert save.grade == "synced"
    (dialog,) = world.records(LegDialog)
    assert (dialog.remote_tag, dialog.remote_target, dialog.answer) == ("far", "sip:callee@192.0.2.9", answer_sdp())
    assert world.all(media.SetRemote)
    assert not world.all(sip.Acknowledge)
    world.give(work.Saved(token=save.token))
    assert world.last(sip.Acknowledge).fork == "far"
    assert isinstance(world.event, Answered)


def test_the_handler_sees_the_custom_headers_of_the_answer() -> None:
    """Reference 11: x-…, User-to-User and Diversion, spelt as received; never what the request itself sent."""
    world = World()
    world.place(sip_headers={"X-Sent": "by us"})
    world.reply()
    received = (
        ("Via", "SIP/2.0/UDP 192.0.2.1"),
        ("X-CallId", "abc"),
        ("user-to-user", "616d;encoding=hex"),
        ("Diversion", "<sip:a@b>"),
        ("x-callid", "again"),
        ("X-Long", "y" * 2049),
        ("Server", "pbx"),
    )
    world.answers(headers=received)
    shown = {"X-CallId": "abc", "user-to-user": "616d;encoding=hex", "Diversion": "<sip:a@b>"}
    assert world.invoked.participants[0].sip_headers == shown
    world.reply()
    world.bye()
    assert world.invoked.participants[0].sip_headers == shown
    assert world.given[0].participants[0].sip_headers == {}


def test_a_peer_may_send_a_thousand_headers() -> None:
    world = World()
    world.place()
    world.reply()
    world.answers(headers=tuple((f"X-{n}", "v") for n in range(1000)))
    assert len(world.invoked.participants[0].sip_headers) == 20


def test_the_ack_waits_one_second_at_most() -> None:
    world = World()
    world.place()
    world.reply()
    world.quiet(work.Save)
    world.answers()
    world.wait(0.9)
    assert not world.all(sip.Acknowledge)
    world.wait(0.2)
    assert len(world.all(sip.Acknowledge)) == 1
    assert "answer did not wait for its commit any longer" in world.notes()
    world.give(work.Saved(token=world.all(work.Save)[-1].token))
    assert len(world.all(sip.Acknowledge)) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "The answer's SDP cannot be used: it has none, though the INVITE carried an offer"),
        (answer_sdp(codec="9 G722"), "The answer's SDP cannot be used: SDP"),
        (b"\xff\x00", "The answer's SDP cannot be used: SDP"),
    ],
    ids=["none", "codec", "rubbish"],
)
def test_an_answer_that_cannot_be_used_gets_ack_and_bye(body: bytes, why: str) -> None:
    world = World()
    world.place()
    world.reply()
    world.rings()
    world.reply()
    world.answers(body)
    kinds = world.kinds()
    assert kinds.index("Acknowledge") < kinds.index("Bye")
    termination = finish(world)
    assert (termination.reason, termination.answered, termination.sip_status) == ("no_media", False, 200)
    assert termination.detail.startswith(why)
    assert "Answered" not in world.told
    assert world.cdr.billable_seconds == 0
    assert world.cdr.answered_at is None


def test_the_engine_refuses_the_codec_of_an_answer() -> None:
    world = World()
    world.place()
    world.quiet(media.SetRemote)
    world.answers()
    refused = world.last(media.SetRemote)
    world.give(media.Failed(id=refused.id, stream=refused.stream, reason="codec", detail="no such codec"))
    assert world.all(sip.Bye)
    termination = finish(world)
    assert termination.reason == "no_media"
    assert termination.detail == "The media engine refused the far end's address: codec no such codec"


def test_a_fork_that_lost_is_only_noted() -> None:
    world = World()
    world.place()
    world.reply()
    world.answers(tag="other", wanted=False)
    world.rings()
    world.answers(tag="other", wanted=False)
    world.reply()
    world.answers(tag="mine")
    world.answers(tag="other", wanted=False)
    assert [it.fork for it in world.all(sip.Acknowledge)] == ["mine"]
    assert world.notes().count("a 2xx that is not wanted was answered with ACK and BYE") == 3
    assert world.told == ["NewOutboundCall", "Ringing", "Answered"]


def test_the_callee_hangs_up_before_the_ack_has_left() -> None:
    world = World()
    world.place()
    world.reply()
    world.quiet(work.Save)
    world.answers()
    world.bye()
    assert len(world.all(sip.Acknowledge)) == 1
    world.reply(SPEAK)
    termination = finish(world)
    assert world.told == ["NewOutboundCall", "Answered", "HungUp"]
    assert (termination.reason, termination.who, termination.answered) == ("completed", "callee", True)
    assert not world.all(media.Play)
    world.wait(5)
    assert len(world.all(sip.Acknowledge)) == 1


# --- no answer ---


@pytest.mark.parametrize("rings", [False, True])
def test_the_ring_limit_cancels(rings: bool) -> None:
    world = World()
    world.place()
    world.reply()
    if rings:
        world.rings()
        world.reply()
    world.wait(89.9)
    assert not world.all(sip.Cancel)
    world.wait(0.2)
    assert len(world.all(sip.Cancel)) == 1
    termination = finish(world)
    assert (termination.who, termination.reason, termination.answered) == ("us", "no_answer", False)
    assert termination.detail == "Nobody answered within ring_timeout (90 s)."


def test_a_200_that_crosses_the_cancel() -> None:
    """Walk 3 of reference/interfaces: the handler sees no CALL_ANSWERED."""
    world = World(ring_timeout_s=20.0)
    world.place()
    world.reply()
    world.rings()
    world.reply()
    world.quiet(sip.Cancel)
    world.wait(20)
    world.answers(wanted=False)
    assert not world.all(sip.Acknowledge)
    world.reply()
    assert not world.records(Cdr)
    world.fails(200, "OK", who="us")
    assert world.told == ["NewOutboundCall", "Ringing", "HungUp"]
    assert world.cdr.termination.reason == "no_answer"
    assert world.cdr.answered_at is None


@pytest.mark.parametrize(
    ("status", "phrase", "reason"),
    [
        (486, "Busy Here", "busy"),
        (600, "Busy Everywhere", "busy"),
        (480, "Temporarily Unavailable", "no_answer"),
        (487, "Request Terminated", "no_answer"),
        (408, "Request Timeout", "no_answer"),
        (403, "Forbidden", "rejected"),
        (404, "Not Found", "rejected"),
        (503, "Service Unavailable", "rejected"),
        (603, "Decline", "rejected"),
    ],
)
@pytest.mark.parametrize("rings", [False, True])
def test_a_final_response_ends_the_leg(status: int, phrase: str, reason: str, rings: bool) -> None:
    world = World()
    world.place()
    world.reply()
    if rings:
        world.rings()
        world.reply()
    world.fails(status, phrase)
    termination = finish(world)
    assert (termination.who, termination.reason, termination.answered) == ("callee", reason, False)
    assert (termination.sip_status, termination.sip_phrase) == (status, phrase)
    assert termination.detail.startswith(f"The far end answered {status} {phrase}.")
    assert world.given[-1].participants[0].status == "Disconnected"
    assert len(world.all(media.CloseStream)) == 1
    assert not world.all(sip.Cancel) + world.all(sip.Bye)


def test_an_answer_that_cannot_be_used_without_any_ringing() -> None:
    world = World()
    world.place()
    world.reply()
    world.answers(b"")
    assert finish(world).reason == "no_media"
    assert world.records(LegDialog), "a restart must be able to end this dialog too"


def test_while_the_answers_commit_is_under_way() -> None:
    world = World()
    world.place()
    world.reply()
    world.quiet(work.Save)
    world.answers()
    world.answers(tag="late", wanted=False)
    assert "a 2xx that is not wanted was answered with ACK and BYE" in world.notes()
    world.give(sip.Offered(session=world.leg, method="INVITE", body=b""))
    assert world.last(sip.Accept).body
    world.give(sip.AckBody(session=world.leg, body=answer_sdp(port=9)))
    assert "the answer in an ACK changes the media; they stay as they are" in world.notes()
    world.give(media.EngineGone())
    assert world.kinds().index("Acknowledge") < world.kinds().index("Bye")
    termination = finish(world)
    assert (termination.reason, termination.answered) == ("media_lost", True)
    assert "Answered" not in world.told


def test_an_offer_before_any_answer_is_refused() -> None:
    world = World()
    world.place()
    world.give(sip.Offered(session=world.leg, method="UPDATE", body=answer_sdp()))
    assert world.last(sip.Reject).status == 488


def test_a_bye_before_any_answer_ends_the_leg() -> None:
    for rings in (False, True):
        world = World()
        world.place()
        world.reply()
        if rings:
            world.rings()
            world.reply()
        world.bye()
        assert finish(world).reason == "completed"


def test_a_transport_error_rests_the_trunk_for_five_seconds() -> None:
    world = World()
    world.place()
    world.reply()
    world.fails(503, "connection refused", who="network")
    assert finish(world).reason == "unreachable"
    world.wait(1)
    world.place()
    assert world.refusal.reason == "trunk"
    assert world.refusal.detail == (
        "The trunk carrier could not be reached just now; it is tried again in 4.0 s. `outdial doctor` tells more."
    )
    world.wait(4)
    world.place()
    assert len(world.all(media.OpenStream)) == 2


def test_timer_b_says_nothing_of_the_trunk() -> None:
    world = World()
    world.place()
    world.fails(408, "Request Timeout", who="network")
    termination = finish(world)
    assert (termination.who, termination.reason) == ("network", "no_answer")
    world.place()
    assert len(world.all(media.OpenStream)) == 2


# --- up ---


def test_the_longest_call_gets_a_bye() -> None:
    world = World(max_call_s=60.0)
    world.connect()
    world.reply()
    world.wait(59.9)
    assert not world.all(sip.Bye)
    world.wait(0.2)
    assert len(world.all(sip.Bye)) == 1
    termination = finish(world)
    assert (termination.who, termination.reason, termination.answered) == ("us", "too_long", True)
    assert termination.detail == "The call reached max_call (60 s)."
    assert world.cdr.billable_seconds == 60


def test_the_connection_is_lost() -> None:
    world = World()
    world.connect()
    world.reply()
    world.fails(503, "", who="network")
    termination = finish(world)
    assert (termination.reason, termination.result, termination.answered) == ("completed", "failure", True)
    assert termination.detail == "The connection to the callee was lost."
    early = World()
    early.place()
    early.reply()
    early.quiet(work.Save)
    early.answers()
    early.fails(503, "", who="network")
    assert finish(early).who == "network"
    assert "Answered" not in early.told


def test_an_answer_without_audio_for_long_is_noted() -> None:
    world = World()
    world.connect()
    world.reply()
    world.give(media.NoMedia(stream=world.leg, ms=30000))
    assert "nothing has been received from the far end" in world.notes()
    assert not world.all(sip.Bye)


def test_silence_ends_a_call_only_where_it_is_told_to() -> None:
    world = World(rtp_timeout_ends=True)
    world.connect()
    world.reply()
    world.give(media.NoMedia(stream=world.leg, ms=30000))
    termination = finish(world)
    assert (termination.who, termination.reason, termination.answered) == ("network", "no_media", True)
    assert termination.detail == "Nothing was received for 30 s, and rtp_timeout_ends is on."
    assert len(world.all(sip.Bye)) == 1


# --- re-INVITE and UPDATE ---


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_offer_that_changes_nothing_is_agreed_to(method: str) -> None:
    world = World()
    world.connect()
    world.give(sip.Offered(session=world.leg, method=method, body=answer_sdp()))  # type: ignore[arg-type]
    answer = world.last(sip.Accept).body
    assert f"m=audio {world.all(media.OpenStream)[0].id and 10002} ".encode() in answer
    assert not world.all(sip.Reject)
    assert len(world.all(media.SetRemote)) == 1


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("body", [answer_sdp(port=45000), answer_sdp(host="198.51.100.7"), answer_sdp(codec="8 PCMA"), b"rubbish"])
def test_an_offer_that_changes_the_media_is_refused_and_the_call_goes_on(method: str, body: bytes) -> None:
    world = World()
    world.connect()
    world.give(sip.Offered(session=world.leg, method=method, body=body))  # type: ignore[arg-type]
    assert world.last(sip.Reject).status == 488
    assert not world.all(sip.Accept)
    world.reply(SPEAK)
    assert world.all(media.Play)


def test_a_peer_cannot_fill_the_record() -> None:
    world = World()
    world.connect()
    for port in range(10000, 11000):
        world.give(sip.Offered(session=world.leg, method="INVITE", body=answer_sdp(port=port)))
    assert len(world.all(sip.Reject)) == 1000
    assert len(world.all(work.Note)) == 200
    assert world.notes()[-1] == "further notes of this call are left out"


def test_no_note_quotes_an_address() -> None:
    world = World()
    world.place()
    world.rings(183, body=answer_sdp().replace(b"c=IN IP4 192.0.2.9", b"c=IN IP4 192.0.2.9/x/y"))
    world.answers(answer_sdp().replace(b"m=audio 40000", b"m=audio 192.0.2.9"))
    assert world.notes()
    for text in (*world.notes(), finish(world).detail):
        assert not re.search(r"192\.0\.2\.\d", text), text


def test_an_empty_offer_asks_for_ours() -> None:
    world = World()
    world.connect()
    world.give(sip.Offered(session=world.leg, method="INVITE", body=b""))
    assert world.last(sip.Accept).body == world.last(sip.Dial).body
    world.give(sip.AckBody(session=world.leg, body=answer_sdp()))
    assert "the answer in an ACK changes the media; they stay as they are" not in world.notes()
    world.give(sip.AckBody(session=world.leg, body=answer_sdp(port=45000)))
    assert "the answer in an ACK changes the media; they stay as they are" in world.notes()
    world.give(sip.Offered(session=world.leg, method="UPDATE", body=b""))
    assert world.last(sip.Accept).body == b""
    assert len(world.all(media.SetRemote)) == 1


def test_an_early_update() -> None:
    world = World()
    world.place()
    world.rings(183, body=answer_sdp())
    world.give(sip.Offered(session=world.leg, method="UPDATE", body=answer_sdp()))
    assert len(world.all(sip.Accept)) == 1
    world.give(sip.Offered(session=world.leg, method="UPDATE", body=answer_sdp(port=9000)))
    assert world.last(sip.Reject).status == 488


# --- digits by INFO ---


@pytest.mark.parametrize(
    ("kind", "body", "digit", "ms"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=240\r\n", "5", 240),
        ("application/dtmf-relay; charset=utf-8", b"Signal= #\r\nDuration= 100", "#", 100),
        ("Application/DTMF-Relay", b"signal=*\r\n", None, 0),
        ("application/dtmf-relay", b"Signal=11\r\nDuration=160\r\n", "#", 160),
        ("application/dtmf-relay", b"Duration=160\r\nSignal=d\r\n", "D", 160),
        ("application/dtmf", b"7", "7", 160),
        ("application/dtmf", b"*\r\n", "*", 160),
        ("application/dtmf", b"10", "*", 160),
        ("application/dtmf", b"55", None, 0),
        ("application/dtmf-relay", b"Signal=!\r\n", None, 0),
        ("application/dtmf-relay", b"", None, 0),
        ("application/broadsoft", b"event talk", None, 0),
    ],
)
def test_digits_by_info(kind: str, body: bytes, digit: str | None, ms: int) -> None:
    world = World()
    world.connect()
    world.give(sip.InfoReceived(session=world.leg, content_type=kind, body=body))
    pressed = world.all(media.Press)
    if digit is None:
        assert not pressed
    else:
        assert [(it.digit, it.duration_ms, it.stream) for it in pressed] == [(digit, ms, world.leg)]


def test_digits_before_the_answer_are_nobodys() -> None:
    world = World()
    world.place()
    world.give(sip.InfoReceived(session=world.leg, content_type="application/dtmf", body=b"1"))
    assert not world.all(media.Press)


# --- once ---


def test_the_first_cause_wins() -> None:
    world = World()
    world.quiet(sip.Bye)
    world.connect()
    world.reply(HANGUP)
    world.bye()
    world.fails(503, "", who="network")
    assert finish(world).who == "us"
    assert len(world.all(Invoke)) == len(world.given)


# --- last words that never come ---


@pytest.mark.parametrize(("owes", "who"), [("sip", "SIP"), ("engine", "the media engine"), ("both", "SIP and the media engine")])
def test_a_last_word_that_never_comes_does_not_keep_the_call_open(owes: str, who: str) -> None:
    world = World()
    world.quiet(sip.Bye, *(() if owes == "sip" else (media.CloseStream,)))
    world.connect()
    world.reply(HANGUP)
    world.reply()
    if owes == "engine":
        world.fails(0)
    world.wait(69.9)
    assert not world.records(Cdr)
    world.wait(0.2)
    assert f"{who} never said the last word on this leg" in world.notes()
    assert world.cdr.termination.reason == "completed"
    assert not world.control.shared.active
    assert world.control.next_deadline() is None
    world.fails(0)
    assert len(world.records(Cdr)) == 1
