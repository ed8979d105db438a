"""The carrier core by itself: what each subscriber does with a call, input by input."""

from __future__ import annotations

import pytest

from helpers.carrier_line import OFFER, PLAYS_S, PORT, Line
from outdial.carrier import SUBSCRIBERS, Subscriber, steps
from outdial.carrier.carrier import user_of
from outdial.model import media, work
from outdial.model.ids import LegId, Token
from outdial.sdp import judge_answer, make_offer, parse
from outdial.sip import values as sip


def answered(line: Line, number: str, after: float = 1.0) -> str:
    """A call that has been answered and whose ACK has come."""
    session = line.call(number)
    line.go(after)
    assert line.all(sip.Accept)
    line.ack(session)
    return session


def test_a_subscriber_rings_answers_with_its_port_and_waits_for_the_ack() -> None:
    line = Line()
    session = line.call("+12065550150")
    assert line.last(sip.Ring) == sip.Ring(session=session)
    assert not line.all(sip.Accept)
    line.go(1.0)
    agreed = judge_answer(OFFER, line.last(sip.Accept).body)
    assert (agreed.address, agreed.port, agreed.codec, agreed.event_send_type) == ("198.51.100.1", PORT, "PCMU", 101)
    remote = line.last(media.SetRemote)
    assert (remote.address, remote.port, remote.rtcp_port, remote.event_send_type, remote.sip_host) == (
        "192.0.2.9", 40000, 40001, 101, "192.0.2.9",
    )  # fmt: skip
    assert not line.all(media.Watch)
    line.ack(session)
    assert line.last(media.Watch).silence_ms == 1200


def test_it_converses() -> None:
    line = Line()
    session = answered(line, "+12065550150")
    line.silence(session)  # before anybody has spoken: goes on listening
    assert not line.all(media.SendDigits)
    line.speech(session)
    line.go(3.0)
    line.silence(session)
    assert line.last(media.SendDigits).digits == "1"
    line.go(0.3)
    line.speech(session)
    line.silence(session)
    assert line.story[-1].startswith("said Thank you. I will be there")
    line.go(600.0)
    assert not line.all(sip.Bye)
    line.give(sip.ByeReceived(session=session))
    assert isinstance(line.out[-1], media.CloseStream)
    line.give(sip.Over(session=session, who="peer", status=0))
    assert line.carrier.calls == 0
    assert line.carrier.next_deadline() is None
    assert line.story == [
        "called", "rings", "answered", "speech", "quiet", "pressed 1", "speech", "quiet", line.story[8], "gone hung up",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "after", "status", "reason"),
    [
        ("+12065550156", 0.0, 486, "Q.850;cause=17"),
        ("+12065550158", 2.0, 603, ""),
        ("+12065550159", 0.0, 404, "Q.850;cause=1"),
        ("+12065550160", 0.0, 480, "Q.850;cause=20"),
        ("+12065550170", 0.0, 503, "Q.850;cause=34"),
        ("+12065550171", 0.0, 403, "Q.850;cause=21"),
        ("+12065550179", 0.0, 500, "Q.850;cause=41"),
    ],
)
def test_refusals(number: str, after: float, status: int, reason: str) -> None:
    line = Line()
    session = line.call(number)
    line.go(after)
    refused = line.last(sip.Reject)
    assert (refused.status, dict(refused.headers).get("Reason", "")) == (status, reason)
    assert not line.all(media.OpenStream)
    assert line.story[-1] == f"refused {status}"
    line.give(sip.Over(session=session, who="us", status=status))
    assert line.carrier.calls == 0


def test_a_moved_number_names_where_it_went() -> None:
    line = Line()
    line.call("+12065550172")
    assert line.last(sip.Reject) == sip.Reject(session="session-1", status=302, headers=(("Contact", "<sip:+12065550150@example.com>"),))


@pytest.mark.parametrize("uri", ["sip:+12065550200@x", "sip:+442079460000@x", "sip:x", "sip:@x", "tel:+1", "nonsense"])
def test_numbers_of_nobody_are_404(uri: str) -> None:
    line = Line()
    line.call("", uri=uri)
    assert line.last(sip.Reject).status == 404


@pytest.mark.parametrize(
    "uri",
    [
        "sip:+12065550156@198.51.100.1",
        "sip:12065550156@198.51.100.1:5070;transport=udp",
        "sip:2065550156@x",
        "sips:%2B12065550156@x",
        "sip:+1-206-555-0156;npdi@x;user=phone",
        "tel:+1-206-555-0156",
        "sip:+12065550156:secret@x",
    ],
)
def test_a_number_is_known_however_it_was_dialled(uri: str) -> None:
    line = Line()
    line.call("", uri=uri)
    assert line.last(sip.Reject).status == 486


def test_one_rings_for_ever_until_the_caller_gives_up() -> None:
    line = Line()
    session = line.call("+12065550157")
    line.go(600.0)
    assert [type(item).__name__ for item in line.out] == ["Told", "Ring", "Told"]
    line.give(sip.ByeReceived(session=session, cancelled=True))
    line.give(sip.Over(session=session, who="peer", status=487))
    assert line.story[-1] == "gone cancelled"
    assert line.carrier.calls == 0


def test_voicemail_greets_beeps_listens_and_hangs_up() -> None:
    line = Line()
    session = answered(line, "+12065550161")
    line.go(PLAYS_S)
    assert line.story[-1] == "beeped 1000 Hz, 500 ms"
    tone = next(item.source for item in line.all(work.Prompt) if isinstance(item.source, work.ObjectSource))
    assert tone == work.ObjectSource(bucket="tones", key="1000hz-500ms.wav")
    line.go(PLAYS_S)
    line.speech(session)
    line.go(5.0)
    line.silence(session, 3000)
    line.go(PLAYS_S)
    assert line.last(sip.Bye) == sip.Bye(session=session, reason="Q.850;cause=16")
    assert line.story[-2:] == ["said Thank you. Goodbye.", "hung_up"]


def test_one_hangs_up_in_the_middle_of_the_callers_word() -> None:
    line = Line()
    session = answered(line, "+12065550162")
    line.go(5.0)
    line.speech(session)
    line.go(0.4)
    assert line.all(sip.Bye)


def test_one_hangs_up_in_the_middle_of_its_own_word() -> None:
    line = Line()
    answered(line, "+12065550163")
    line.go(1.3)
    assert line.story[-2].startswith("said Hello, this is a wrong number")
    assert line.all(sip.Bye)
    assert isinstance(line.out[-1], media.CloseStream)


def test_the_echo_echoes_until_the_caller_hangs_up() -> None:
    line = Line()
    session = answered(line, "+12065550164")
    assert line.last(media.Echo).stream == session
    line.go(900.0)
    assert not line.all(sip.Bye)


def test_early_media_is_played_before_the_answer_with_the_same_sdp() -> None:
    line = Line()
    session = line.call("+12065550165")
    early = line.last(sip.Ring)
    assert early.status == 183
    assert judge_answer(OFFER, early.body).port == PORT
    assert line.all(media.SetRemote)
    assert line.all(media.Play)
    assert not line.all(sip.Accept)
    line.go(PLAYS_S)
    assert line.last(sip.Accept) == sip.Accept(session=session, body=early.body)


def test_early_media_may_end_in_a_refusal() -> None:
    line = Line()
    line.call("+12065550166")
    line.go(2 * PLAYS_S)
    assert line.last(sip.Ring).status == 183
    assert line.last(sip.Reject).status == 404
    assert isinstance(line.out[-1], media.CloseStream)


@pytest.mark.parametrize(("number", "seconds"), [("+12065550167", 20.0), ("+12065550168", 0.0), ("+12065550195", 6.0)])
def test_when_it_answers(number: str, seconds: float) -> None:
    line = Line()
    line.call(number)
    if seconds:
        line.go(seconds - 0.01)
        assert not line.all(sip.Accept)
        line.go(0.01)
    assert line.all(sip.Accept)


def test_the_machine_reads_keys_up_to_the_terminator_and_says_them_back() -> None:
    line = Line()
    session = answered(line, "+12065550169", 0.5)
    line.key(session, "4")  # typed ahead, while it speaks
    line.go(PLAYS_S)
    for key in "2#9":
        line.key(session, key)
    assert line.story[-2:] == ["said You entered 4 2.", "key 9"]
    assert any(item.source.text == "You entered 4 2." for item in line.all(work.Prompt) if isinstance(item.source, work.SpeechSource))


def test_the_machine_takes_a_pause_for_the_end_and_says_when_nothing_came() -> None:
    line = Line()
    session = answered(line, "+12065550169", 0.5)
    line.go(PLAYS_S)
    line.key(session, "7")
    line.go(4.0)
    assert line.story[-1] == "said You entered 7."
    line.go(2 * PLAYS_S + 15.0)
    assert "said You entered nothing." in line.story


def test_one_presses_by_info() -> None:
    line = Line()
    session = answered(line, "+12065550177")
    line.speech(session)
    line.silence(session)
    assert line.last(sip.SendInfo) == sip.SendInfo(session=session, body=b"Signal=5\r\nDuration=160\r\n")


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay; x=y", b"Duration=100\nSignal= # \n", "#"),
        ("application/dtmf", b"a", "A"),
        ("application/dtmf", b"12", ""),
        ("application/dtmf-relay", b"Duration=160", ""),
        ("text/plain", b"5", ""),
    ],
)
def test_keys_that_come_by_info_are_handed_to_the_engine(kind: str, body: bytes, digit: str) -> None:
    line = Line()
    session = answered(line, "+12065550169", 0.5)
    line.give(sip.InfoReceived(session=session, content_type=kind, body=body))
    assert [item.digit for item in line.all(media.Press)] == list(digit)


def test_an_offer_in_the_ack_is_the_callers_answer_to_ours() -> None:
    line = Line()
    session = line.call("+12065550168", body=b"")
    offer = line.last(sip.Accept).body
    assert parse(offer).media[0].formats == ("0", "8", "101")
    assert not line.all(media.SetRemote)
    line.ack(session, make_offer("192.0.2.9", 40000, session_id=1, version=1, codecs=("PCMA",)))
    assert (line.last(media.SetRemote).port, line.last(media.SetRemote).codec) == (40000, "PCMA")


def test_an_ack_without_the_answer_that_was_due_ends_the_call() -> None:
    line = Line()
    session = line.call("+12065550168", body=b"")
    line.ack(session)
    assert line.all(sip.Bye)


def test_an_offer_without_a_codec_of_ours_is_488_with_the_reason() -> None:
    line = Line()
    session = line.call("+12065550150", body=OFFER.replace(b"AVP 0 8 101", b"AVP 18"))
    refused = line.last(sip.Reject)
    assert refused.status == 488
    assert dict(refused.headers)["Warning"].startswith('304 carrier "SDP line 6 ')
    assert not line.all(media.OpenStream)
    assert not line.all(sip.Ring)
    line.give(sip.Over(session=session, who="us", status=488))
    assert line.carrier.calls == 0


def test_a_reinvite_that_changes_nothing_gets_the_same_answer() -> None:
    line = Line()
    session = answered(line, "+12065550150")
    before = len(line.all(media.SetRemote))
    line.give(sip.Offered(session=session, method="INVITE", body=OFFER.replace(b"o=- 1 1", b"o=- 1 2")))
    assert line.all(sip.Accept)[1] == line.all(sip.Accept)[0]
    assert len(line.all(media.SetRemote)) == before


def test_a_hold_is_followed_and_taken_back() -> None:
    line = Line()
    session = answered(line, "+12065550150")
    line.give(sip.Offered(session=session, method="INVITE", body=OFFER.replace(b"sendrecv", b"sendonly")))
    assert line.last(media.SetRemote).way == "recvonly"
    assert b"a=recvonly\r\n" in line.last(sip.Accept).body
    assert b" 2 IN IP4 " in line.last(sip.Accept).body
    line.give(sip.Offered(session=session, method="UPDATE", body=OFFER))
    assert line.last(media.SetRemote).way == "sendrecv"


def test_offers_that_cannot_be_followed_or_ask_for_ours() -> None:
    line = Line()
    session = answered(line, "+12065550150")
    line.give(sip.Offered(session=session, method="INVITE", body=b"v=0\r\nm=video 1 RTP/AVP 31\r\n"))
    assert line.last(sip.Reject).status == 488
    line.give(sip.Offered(session=session, method="UPDATE", body=b""))
    assert line.last(sip.Accept).body == b""
    line.give(sip.Offered(session=session, method="INVITE", body=b""))
    assert line.last(sip.Accept).body == line.all(sip.Accept)[0].body
    line.ack(session, make_offer("192.0.2.9", 40002, session_id=1, version=2))
    assert line.last(media.SetRemote).port == 40002


def test_an_update_before_there_is_a_port_waits() -> None:
    line = Line()
    session = line.call("+12065550157")
    line.give(sip.Offered(session=session, method="UPDATE", body=OFFER))
    assert line.last(sip.Reject).status == 491


def test_it_rings_while_the_engine_is_still_asked_and_answers_when_there_is_a_port() -> None:
    line = Line(slow_engine=5.0)
    session = line.call("+12065550150")
    assert line.last(sip.Ring) == sip.Ring(session=session)
    line.go(4.9)
    assert not line.all(sip.Accept)
    line.go(0.1)
    assert judge_answer(OFFER, line.last(sip.Accept).body).port == PORT


def test_a_caller_may_give_up_while_the_engine_is_still_asked() -> None:
    line = Line(slow_engine=5.0)
    session = line.call("+12065550168")
    line.go(1.0)
    line.give(sip.ByeReceived(session=session, cancelled=True))
    line.give(sip.Over(session=session, who="peer", status=487))
    line.go(10.0)
    assert not line.all(sip.Accept)
    assert len(line.all(media.CloseStream)) == 1
    assert line.carrier.calls == 0


def test_without_a_port_a_call_is_refused() -> None:
    line = Line(engine=False)
    line.call("+12065550150")
    assert line.last(sip.Reject).status == 503
    assert not line.all(media.CloseStream)


def test_when_the_engine_dies_every_call_ends_and_new_ones_wait_for_the_next() -> None:
    line = Line()
    talking = answered(line, "+12065550150")
    ringing = line.call("+12065550167")
    line.give(media.EngineGone())
    assert line.last(sip.Bye).session == talking
    assert line.last(sip.Reject) == sip.Reject(session=ringing, status=503)
    assert not line.all(media.CloseStream)
    line.call("+12065550150")
    assert line.last(sip.Reject).status == 503
    line.give(media.Ready(version="x"))
    line.call("+12065550150")
    assert line.last(sip.Ring).session == "session-4"


def test_a_tone_stands_in_for_a_voice_that_failed_and_says_so() -> None:
    line = Line(voice=False)
    answered(line, "+12065550195", 6.0)
    assert line.story[-1] == "said Hello. I am listening. (as a tone: no voice)"
    assert line.all(media.Play)


def test_where_nothing_can_be_played_a_script_goes_on_all_the_same() -> None:
    line = Line(voice=False, tones=False)
    answered(line, "+12065550175")
    line.go(10.0)
    assert not line.all(media.Play)
    assert 5 <= line.story.count("said (nothing: the prompt could not be made)") <= 11


def test_a_prompt_is_asked_for_once_whoever_wants_it() -> None:
    line = Line()
    answered(line, "+12065550195", 6.0)
    answered(line, "+12065550196", 7.0)
    assert len(line.all(work.Prompt)) == 1
    assert len(line.all(media.Play)) == 2


def test_nobody_stays_for_ever() -> None:
    line = Line()
    answered(line, "+12065550153")
    line.go(3600.0)
    assert line.last(sip.Bye)


def test_a_call_that_is_lost_is_forgotten() -> None:
    line = Line()
    session = line.call("+12065550168")
    line.give(sip.Over(session=session, who="network", status=408))
    assert line.carrier.calls == 0
    assert line.story[-1] == "gone lost"
    assert isinstance(line.out[-1], media.CloseStream)


def test_what_comes_late_or_for_nobody_changes_nothing() -> None:
    line = Line()
    session = answered(line, "+12065550150")
    line.give(sip.ByeReceived(session=session))
    count = len(line.out)
    for item in (
        sip.AckBody(session=session, body=b""), sip.ByeReceived(session=session), sip.Offered(session=session, method="UPDATE", body=b""),
        sip.Over(session="nobody", who="us", status=0), media.Speech(stream=LegId("nobody")), media.Speech(stream=LegId(session)),
        work.WorkFailed(token=Token(99999), reason="engine"),
        media.Load(streams=0, sent=0, late=0, worst_ms=0, ports_free=1, ports=1, cpu=0.0),
    ):  # fmt: skip
        line.give(item)
    assert [type(item).__name__ for item in line.out[count:]] == []


@pytest.mark.parametrize("number", sorted(SUBSCRIBERS))
def test_every_subscriber_lives_through_a_talkative_caller(number: str) -> None:
    line = Line()
    session = line.call(number)
    line.go(25.0)
    if line.all(sip.Accept):
        line.ack(session)
    for key in "1234#":
        for _ in range(3):
            line.speech(session)
            line.go(1.0)
            line.silence(session, 3000)
            line.key(session, key)
            line.go(2.5)
    line.give(sip.ByeReceived(session=session))
    line.give(sip.Over(session=session, who="peer", status=0))
    assert line.carrier.calls == 0
    assert line.carrier.next_deadline() is None
    assert len(line.all(media.OpenStream)) == len(line.all(media.CloseStream))
    assert len(line.all(sip.Accept)) + len(line.all(sip.Reject)) <= 1


def test_user_parts() -> None:
    # RFC 3261 §19.1.1, RFC 3966 §5.1.2
    assert user_of("sip:+1206@example.com;user=phone") == "+1206"
    assert user_of("SIPS:a%2Bb@x") == "a+b"
    assert user_of("TEL:+1-206;phone-context=x") == "+1-206"
    assert user_of("sip:example.com") == ""


def test_a_subscriber_of_ones_own() -> None:
    mine = Subscriber(number="+12065550150", note="mine", steps=(steps.Answer(), steps.Tone(hertz=440, ms=100, times=3)))
    line = Line({mine.number: mine})
    answered(line, mine.number, 0.0)
    assert line.last(media.Play).repeat == 3
    line.go(3 * PLAYS_S)
    assert line.all(sip.Bye)  # a script that has ended hangs up
