"""Whole actions, driven with the engine's events by hand."""

from __future__ import annotations

from typing import Any

import pytest

from actions.driver import AUDIO, DESTINATION, LEAST, A, Driven
from outdial.actions.table import TABLE
from outdial.actions.unsupported import NAMES
from outdial.actions.values import ArmListener, FailedAs, Finished, HangUp, Interrupt, Interrupted, LegGone
from outdial.model import media
from outdial.model.records import RecordingRow
from outdial.model.work import Deliver, Delivered, Match, Matched, Note, ObjectSource, Prompt, PromptReady, SpeechSource

GET = "PlayAudioAndGetDigits"


# --- PlayAudio, Speak, Pause -------------------------------------------------------------------------------------------------------------


def test_play_audio_prepares_then_plays_then_reports() -> None:
    driven = Driven("PlayAudio", {"AudioSource": AUDIO, "Repeat": "3", "PlaybackTerminators": ["1", "#"]})
    (prompt,) = driven.out
    assert prompt.source == ObjectSource(bucket="prompts", key="ask.wav")
    (play,) = driven.prepare()
    assert play == media.Play(id=play.id, stream=A, path=f"/cache/{prompt.token}.wav", repeat=3, stop_digits="1#")
    assert driven.give(media.Done(id=play.id, stream=A, samples=8000)) == []
    assert driven.play_ended() == [Finished()]


def test_a_terminator_counts_as_success_and_is_not_reported() -> None:
    """Reference 10.2."""
    driven = Driven("PlayAudio", {"AudioSource": AUDIO, "PlaybackTerminators": ["1"]})
    driven.prepare()
    assert driven.play_ended("digit") == [Finished(results={})]


@pytest.mark.parametrize(("reason", "message"), [
    ("not_found", "Cannot access S3 bucket or audio file."), ("denied", "Cannot access S3 bucket or audio file."),
    ("unreachable", "Cannot access S3 bucket or audio file."), ("format", "Audio Source parameter value is invalid."),
    ("too_large", "Audio Source parameter value is invalid."), ("too_long", "Audio Source parameter value is invalid."),
])  # fmt: skip
@pytest.mark.parametrize("action", ["PlayAudio", GET])
def test_a_prompt_that_cannot_be_played(action: str, reason: str, message: str) -> None:
    """Reference 10.2 and 10.3; the note says what, where and why."""
    driven = Driven(action)
    note, failed = driven.work_failed(Prompt, reason, "the reason in words")
    assert failed == FailedAs(error_type="InvalidAudioSource", message=message)
    assert isinstance(note, Note)
    assert "s3://prompts/" in note.what
    assert "the reason in words" in note.what


def test_notes_show_no_number() -> None:
    """Applications name objects after the caller."""
    driven = Driven("PlayAudio", {"AudioSource": {**AUDIO, "Key": "+12065550150/hello.wav"}})
    driven.work_failed(Prompt, "not_found", "no object +12065550150/hello.wav")
    what = driven.last(Note).what
    assert what == "PlayAudio: s3://prompts/+1206555****/hello.wav cannot be played: no object +1206555****/hello.wav"


def test_speak_passes_on_how_to_speak() -> None:
    given = {"Text": "<speak>Hi</speak>", "TextType": "ssml", "VoiceId": "Vicki", "LanguageCode": "de-DE", "Engine": "Neural"}
    source = Driven("Speak", given).last(Prompt).source
    assert source == SpeechSource(text="<speak>Hi</speak>", text_type="ssml", voice="Vicki", language="de-DE", engine="neural")


def test_speak_defaults() -> None:
    """Reference 10.4: standard, text, Joanna, the voice's own language."""
    source = Driven("Speak", {"Text": "Hi"}).last(Prompt).source
    assert source == SpeechSource(text="Hi", text_type="text", voice="Joanna", engine="standard", language=None)


@pytest.mark.parametrize(("reason", "error_type"), [
    ("voice", "InvalidActionParameter"), ("ssml", "InvalidActionParameter"), ("too_long", "InvalidActionParameter"),
    ("engine", "SystemException"),
])  # fmt: skip
@pytest.mark.parametrize("action", ["Speak", "SpeakAndGetDigits"])
def test_speech_that_cannot_be_made_fails_by_name(action: str, reason: str, error_type: str) -> None:
    """Reference 10.4 and 10.5: what the synthesiser refuses is InvalidActionParameter; silence never takes its place."""
    driven = Driven(action)
    driven.work_failed(Prompt, reason, "no such voice")
    assert isinstance(driven.end, FailedAs)
    assert driven.end.error_type == error_type
    assert driven.end.message == ("no such voice" if error_type == "InvalidActionParameter" else driven.running.system_error)  # type: ignore[attr-defined]
    assert not driven.all(media.Play)


def test_pause_is_silence_of_the_engine() -> None:
    driven = Driven("Pause", {"DurationInMilliseconds": "1000"})
    (play,) = driven.out
    assert play == media.Play(id=play.id, stream=A, silence_ms=1000)
    assert driven.play_ended() == [Finished()]


@pytest.mark.parametrize("action", ["PlayAudio", "Speak", "Pause"])
def test_interrupted_while_playing(action: str) -> None:
    """Walk 5 of the interfaces: Stop, then the end of the play, then Interrupted."""
    driven = Driven(action)
    driven.prepare()
    play = driven.last(media.Play)
    (stop,) = driven.give(Interrupt())
    assert stop == media.Stop(id=stop.id, stream=A, target=play.id)
    assert driven.give(Interrupt()) == []
    assert driven.play_ended("stopped") == [Interrupted()]


@pytest.mark.parametrize("action", ["PlayAudio", "Speak"])
def test_interrupted_while_preparing(action: str) -> None:
    driven = Driven(action)
    assert driven.give(Interrupt()) == [Interrupted()]
    assert driven.prepare() == []


@pytest.mark.parametrize("action", ["PlayAudio", "Speak", "Pause"])
def test_interrupted_as_the_play_ends_by_itself(action: str) -> None:
    driven = Driven(action)
    driven.prepare()
    driven.give(Interrupt())
    assert driven.play_ended("finished") == [Interrupted()]


@pytest.mark.parametrize("action", ["PlayAudio", "Speak", "Pause"])
def test_the_engine_refuses(action: str) -> None:
    driven = Driven(action)
    driven.prepare()
    driven.give(media.Failed(id=driven.last(media.Play).id, stream=A, reason="not_found", detail="gone"))
    assert driven.end == FailedAs(error_type="SystemException", message="System error while running action.")


@pytest.mark.parametrize("action", [name for name in LEAST if name not in {"RecordAudio", "Hangup"}])
def test_a_leg_that_goes_leaves_nothing_to_report(action: str) -> None:
    """DESIGN 3.3: when a leg goes, RecordAudio alone still reports."""
    driven = Driven(action)
    driven.prepare() if action != "ReceiveDigits" else None
    assert driven.give(LegGone()) == []
    for kind in (media.Play, media.Collect):
        for command in driven.all(kind):
            assert driven.give(media.PlayEnded(id=command.id, stream=A, why="stream_closed", played_ms=0)) == []
    assert driven.end is None


# --- the two GetDigits -------------------------------------------------------------------------------------------------------------------


def asking(**parameters: Any) -> Driven:
    """A PlayAudioAndGetDigits whose first attempt has begun."""
    driven = Driven(GET, {**LEAST[GET], **parameters})
    driven.prepare()
    return driven


def test_get_digits_asks_for_both_prompts_and_the_expression_before_anything_is_heard() -> None:
    driven = Driven(GET, {**LEAST[GET], "InputDigitsRegex": "^[12]$"})
    match, ask, sorry = driven.out
    assert match == Match(token=match.token, pattern="^[12]$")
    assert (ask.source.key, sorry.source.key) == ("ask.wav", "sorry.wav")
    driven.give(Matched(token=match.token, yes=False))
    driven.give(PromptReady(token=sorry.token, path="/sorry", samples=1))
    assert not driven.all(media.Play)
    play, collect = driven.give(PromptReady(token=ask.token, path="/ask", samples=1))
    assert play == media.Play(id=play.id, stream=A, path="/ask")
    assert collect == media.Collect(
        id=collect.id, stream=A, max_digits=128, terminators="#", first_ms=1000, after=play.id, between_ms=1000, stop_playing=True
    )


def test_collecting_obeys_every_parameter() -> None:
    driven = asking(
        MaxNumberOfDigits=5, TerminatorDigits=["*", "0"], InBetweenDigitsDurationInMilliseconds=5000, RepeatDurationInMilliseconds=9
    )
    collect = driven.last(media.Collect)
    assert (collect.max_digits, collect.terminators, collect.between_ms, collect.first_ms) == (5, "*0", 5000, 9)


def test_no_terminators_where_the_list_is_empty() -> None:
    assert asking(TerminatorDigits=[]).last(media.Collect).terminators == ""


def test_good_digits_without_expression() -> None:
    """Five of seven applications give no expression (real-handlers, section 1); the terminator is not part of ReceivedDigits."""
    assert asking(MinNumberOfDigits=3).collected("1234", "#") == [Finished(results={"ReceivedDigits": "1234"})]


def test_the_expression_is_tried_with_and_without_the_terminator() -> None:
    """Reference 18: so that patterns like `^\\d{2}#$` can match."""
    driven = asking(InputDigitsRegex=r"^\d{2}#$")
    (match,) = driven.collected("12", "#")
    assert match == Match(token=match.token, pattern=r"^\d{2}#$", texts=("12", "12#"))
    assert driven.matched(True) == [Finished(results={"ReceivedDigits": "12"})]


def test_the_expression_is_tried_once_where_no_terminator_was_pressed() -> None:
    (match,) = asking(InputDigitsRegex="[0-9]", MaxNumberOfDigits=6).collected("123456", why="max")
    assert match.texts == ("123456",)


def test_an_empty_expression_is_none() -> None:
    """Reference 10.3: one sample template carries an empty text."""
    driven = asking(InputDigitsRegex="")
    assert driven.collected("1") == [Finished(results={"ReceivedDigits": "1"})]


def test_a_bad_attempt_is_followed_by_the_failure_prompt_and_the_prompt_again() -> None:
    driven = asking(MinNumberOfDigits=2, Repeat=2)
    ask = driven.last(media.Play)
    (sorry,) = driven.collected("1")
    assert sorry.path != ask.path
    play, collect = driven.play_ended()
    assert (play.path, collect.after) == (ask.path, play.id)
    assert driven.collected("12") == [Finished(results={"ReceivedDigits": "12"})]


@pytest.mark.parametrize("attempts", [1, 3])
def test_attempts_are_counted_in_all_and_the_last_one_has_its_failure_prompt_too(attempts: int) -> None:
    """Reference 10.3 step 4."""
    driven = asking(MinNumberOfDigits=1, Repeat=attempts)
    ask = driven.last(media.Play).path
    for _ in range(attempts):
        driven.collected("", why="first")
        if driven.end is None:
            driven.play_ended()
    assert driven.end is not None
    assert driven.end.error_type == "InvalidDigitsReceived"
    assert [play.path == ask for play in driven.all(media.Play)] == [True, False] * attempts


def test_a_mismatch_is_a_bad_attempt() -> None:
    driven = asking(InputDigitsRegex="^[12]$", Repeat=1)
    driven.collected("3")
    driven.matched(False)
    assert driven.end is None
    driven.play_ended()
    assert driven.end == FailedAs(error_type="InvalidDigitsReceived", message="No valid digits were received in 1 attempt.")


def test_no_digits_are_good_where_none_are_asked_for() -> None:
    """Reference 10.3 step 3: count ≥ Min (default 0) and no expression."""
    assert asking().collected("", why="first") == [Finished(results={"ReceivedDigits": ""})]


def test_an_expression_is_tried_on_no_digits_too() -> None:
    driven = asking(InputDigitsRegex="^$")
    (match,) = driven.collected("", why="first")
    assert match.texts == ("",)


@pytest.mark.parametrize("reason", ["pattern", "too_slow"])
@pytest.mark.parametrize("when", ["compiling", "judging"])
def test_an_expression_that_does_not_compile_or_runs_for_ever(reason: str, when: str) -> None:
    driven = Driven(GET, {**LEAST[GET], "InputDigitsRegex": "(1|11)+$"})
    if when == "judging":
        driven.prepare()
        driven.collected("1")
    driven.work_failed(Match, reason, "why it is bad")
    assert driven.end == FailedAs(error_type="InvalidActionParameter", message="The InputDigitsRegex parameter is invalid.")
    assert "why it is bad" in driven.last(Note).what


def test_a_prompt_that_the_engine_refuses_stops_the_collecting() -> None:
    driven = asking()
    play, collect = driven.last(media.Play), driven.last(media.Collect)
    driven.give(media.Failed(id=play.id, stream=A, reason="not_found"))
    assert driven.last(media.Stop).target == collect.id
    assert driven.end == FailedAs(error_type="SystemException", message="System error while running the action.")


def test_speak_and_get_digits_is_the_same_with_speech() -> None:
    """Reference 10.5: what the failure speech does not set comes from the speech."""
    driven = Driven("SpeakAndGetDigits", {
        "SpeechParameters": {"Text": "Press one", "VoiceId": "Matthew", "Engine": "neural", "LanguageCode": "en-GB", "TextType": "ssml"},
        "FailureSpeechParameters": {"Text": "Sorry"}, "RepeatDurationInMilliseconds": "1000", "Repeat": "2", "MinNumberOfDigits": 1,
    })  # fmt: skip
    ask, sorry = (item.source for item in driven.all(Prompt))
    assert sorry == SpeechSource(text="Sorry", voice="Matthew", engine="neural", language="en-GB", text_type="ssml")
    assert ask == SpeechSource(text="Press one", voice="Matthew", engine="neural", language="en-GB", text_type="ssml")
    driven.prepare()
    driven.collected("", why="first")
    driven.play_ended()
    driven.collected("1", "#")
    assert driven.end == Finished(results={"ReceivedDigits": "1"})


# --- ReceiveDigits, SendDigits, Hangup ---------------------------------------------------------------------------------------------------


def test_receive_digits_arms_and_finishes_at_once() -> None:
    """Reference 10.6; trait 4: ACTION_SUCCESSFUL of ReceiveDigits before any digit, with empty ReceivedDigits."""
    driven = Driven("ReceiveDigits")
    (match,) = driven.out
    assert match == Match(token=match.token, pattern=r"^\d{2}#$")
    armed, finished = driven.matched(False)
    assert armed == ArmListener(leg=A, pattern=r"^\d{2}#$", between_ms=1000, flush_ms=10000, action=driven.running.echo)
    assert finished == Finished(results={"ReceivedDigits": ""})


def test_receive_digits_with_an_expression_that_does_not_compile() -> None:
    driven = Driven("ReceiveDigits")
    driven.work_failed(Match, "pattern", "unterminated set at 5")
    assert driven.end == FailedAs(error_type="InvalidActionParameter", message="The InputDigitsRegex parameter is invalid.")
    assert not driven.all(ArmListener)


def test_send_digits() -> None:
    driven = Driven("SendDigits", {"Digits": "1,2#", "ToneDurationInMilliseconds": 100})
    (sent,) = driven.out
    assert sent == media.SendDigits(id=sent.id, stream=A, digits="1,2#", tone_ms=100, pause_ms=500)
    assert driven.give(media.DigitsSent(id=sent.id, stream=A, why="finished")) == [Finished()]


def test_send_digits_defaults_to_250_ms() -> None:
    assert Driven("SendDigits", {"Digits": "1"}).last(media.SendDigits).tone_ms == 250


@pytest.mark.parametrize(("given", "code"), [
    ({}, 0), ({"SipResponseCode": "0"}, 0), ({"SipResponseCode": 486}, 486), ({"SipResponseCode": "480"}, 480),
    ({"SipResponseCode": 200}, 200), ({"SipResponseCode": "500"}, 500),
])  # fmt: skip
def test_hangup(given: dict[str, Any], code: int) -> None:
    """Reference 10.9; one application sends 200 and 500 (real-handlers, section 1)."""
    assert Driven("Hangup", given).out == [HangUp(leg=A, code=code), Finished()]


@pytest.mark.parametrize("action", NAMES)
def test_actions_that_are_not_served_yet_fail_by_name(action: str) -> None:
    driven = Driven(action, {"CallId": A})
    assert driven.out == [FailedAs(error_type="SystemException", message=f"{action} is not supported yet")]


def test_all_eighteen_documented_actions_are_in_the_table() -> None:
    """Reference 10."""
    assert set(TABLE) == {
        "CallAndBridge", "Hangup", "JoinChimeMeeting", "ModifyChimeMeetingAttendees", "Pause", "PlayAudio", "PlayAudioAndGetDigits",
        "ReceiveDigits", "RecordAudio", "SendDigits", "Speak", "SpeakAndGetDigits", "StartBotConversation", "StartCallRecording",
        "StopCallRecording", "PauseCallRecording", "ResumeCallRecording", "VoiceFocus",
    }  # fmt: skip


# --- RecordAudio -------------------------------------------------------------------------------------------------------------------------


def recording(**parameters: Any) -> Driven:
    """A RecordAudio that the engine has started."""
    driven = Driven("RecordAudio", {**LEAST["RecordAudio"], **parameters})
    driven.give(media.Done(id=driven.last(media.Record).id, stream=A))
    return driven


def ended(driven: Driven, why: Any = "limit", digit: str = "", samples: int = 80000) -> list[Any]:
    """The engine closed the file."""
    record = driven.last(media.Record)
    return driven.give(media.RecordEnded(id=record.id, stream=A, why=why, path=record.path, samples=samples, digit=digit), after=1)


def test_record_audio_tells_the_engine_what_ends_it() -> None:
    driven = Driven("RecordAudio", {**LEAST["RecordAudio"], "SilenceDurationInSeconds": 3, "SilenceThreshold": "100"})
    (record,) = driven.out
    assert record == media.Record(
        id=record.id, stream=A, path=f"/recordings/{A}-0.wav", limit_ms=10000, silence_ms=3000, silence_threshold=100, end_digits="#"
    )


def test_silence_detection_is_off_unless_asked_for() -> None:
    """Reference 10.11 and 16: off where SilenceDurationInSeconds is absent; 200 is the threshold's default."""
    record = Driven("RecordAudio", {**LEAST["RecordAudio"], "SilenceThreshold": 5}).last(media.Record)
    assert record.silence_ms is None
    assert Driven("RecordAudio", {**LEAST["RecordAudio"], "SilenceDurationInSeconds": 1}).last(media.Record).silence_threshold == 200


def test_a_recording_is_kept_delivered_and_reported_in_this_order() -> None:
    driven = recording()
    started = driven.last(RecordingRow)
    assert (started.bucket, started.key, started.started_at) == ("recordings", f"voicemail/{A}-0.wav", 1_700_000_100_000)
    assert (started.finished, started.delivered) == (False, False)
    finished, deliver = ended(driven)
    assert (finished.finished, finished.delivered, finished.samples, finished.recording) == (True, False, 80000, started.recording)
    assert deliver == Deliver(
        token=deliver.token, recording=started.recording, path=started.path, bucket="recordings", key=f"voicemail/{A}-0.wav"
    )
    delivered, reported = driven.give(Delivered(token=deliver.token))
    assert (delivered.delivered, delivered.tries) == (True, 1)
    assert reported == Finished(results={"RecordingDestination": {"Type": "S3", "BucketName": "recordings", "Key": f"voicemail/{A}-0.wav"}})


def test_the_terminator_is_reported_only_where_one_ended_it() -> None:
    driven = recording()
    ended(driven, "digit", "#")
    driven.give(Delivered(token=driven.last(Deliver).token))
    assert driven.end is not None
    assert driven.end.results["RecordingTerminatorUsed"] == "#"


@pytest.mark.parametrize(("prefix", "number", "key"), [
    ("p", 0, f"p/{A}-0.wav"), ("p/q", 2, f"p/q/{A}-2.wav"), ("p/", 0, f"p/{A}-0.wav"), ("", 1, f"{A}-1.wav"), (None, 1, f"{A}-1.wav"),
    ("+1206 calls & co", 0, f"+1206 calls & co/{A}-0.wav"), ("p" * 979, 0, f"{'p' * 979}/{A}-0.wav"),
])  # fmt: skip
def test_the_object_s_key(prefix: str | None, number: int, key: str) -> None:
    """Reference 10.11: `<Prefix>/<CallId>-N.wav`."""
    driven = Driven(
        "RecordAudio", {**LEAST["RecordAudio"], "RecordingDestination": {**DESTINATION, "Prefix": prefix}}, recording_number=number
    )
    driven.give(media.Done(id=driven.last(media.Record).id, stream=A))
    assert driven.last(RecordingRow).key == key


def test_a_server_maximum_replaces_an_absent_duration_and_bounds_a_longer_one() -> None:
    """Reference 18."""
    absent = {name: value for name, value in LEAST["RecordAudio"].items() if name != "DurationInSeconds"}
    assert Driven("RecordAudio", absent, max_recording_s=60).last(media.Record).limit_ms == 60000
    assert Driven("RecordAudio", {**absent, "DurationInSeconds": 90}, max_recording_s=60).last(media.Record).limit_ms == 60000


def test_voicemail_the_far_end_hangs_up() -> None:
    """Walk 2: the recording ends with the stream, is delivered, and reported as successful."""
    driven = recording()
    assert driven.give(LegGone()) == []
    finished, deliver = ended(driven, "stream_closed", samples=16000)
    assert finished.samples == 16000
    driven.give(Delivered(token=deliver.token))
    assert isinstance(driven.end, Finished)
    assert driven.running.next_deadline() is None


def test_the_far_end_hangs_up_while_the_recording_is_delivered() -> None:
    driven = recording()
    ended(driven)
    assert driven.give(LegGone()) == []
    driven.give(Delivered(token=driven.last(Deliver).token))
    assert isinstance(driven.end, Finished)


def test_a_delivery_that_fails_fails_the_action_and_keeps_the_recording() -> None:
    driven = recording()
    ended(driven)
    driven.work_failed(Deliver, "denied", "no permission")
    row = driven.last(RecordingRow)
    assert (row.finished, row.delivered, row.tries, row.error) == (True, False, 1, "no permission")
    assert driven.end == FailedAs(error_type="InvalidActionParameter", message="Error occurred while uploading recording to S3 bucket.")


def test_a_delivery_that_takes_more_than_ten_seconds() -> None:
    driven = recording()
    ended(driven)
    deadline = driven.running.next_deadline()
    assert deadline is not None
    assert deadline.at == driven.now + 10
    assert driven.wait(9.9) == []
    driven.wait(0.1)
    assert driven.end == FailedAs(error_type="InvalidActionParameter", message="Error occurred while uploading recording to S3 bucket.")
    row = driven.last(RecordingRow)
    assert (row.finished, row.delivered, row.tries) == (True, False, 1)
    assert driven.give(Delivered(token=driven.last(Deliver).token)) == []


def test_interrupted_while_recording_keeps_what_was_said() -> None:
    driven = recording()
    (stop,) = driven.give(Interrupt())
    assert stop.target == driven.last(media.Record).id
    row, interrupted = ended(driven, "stopped")
    assert (row.finished, row.delivered, row.tries) == (True, False, 0)
    assert interrupted == Interrupted()


def test_interrupted_while_delivering() -> None:
    driven = recording()
    ended(driven)
    assert driven.give(Interrupt()) == [Interrupted()]
    assert driven.running.next_deadline() is None


def test_a_full_disk_keeps_what_there_is_and_says_so() -> None:
    driven = recording()
    ended(driven, "disk_full", samples=100)
    driven.give(Delivered(token=driven.last(Deliver).token))
    assert driven.end == FailedAs(error_type="SystemException", message="System error while running an action.")
    assert "disk is full" in driven.last(Note).what
    assert driven.last(RecordingRow).delivered


def test_the_engine_cannot_record() -> None:
    driven = Driven("RecordAudio")
    driven.give(media.Failed(id=driven.last(media.Record).id, stream=A, reason="path"))
    assert driven.end == FailedAs(error_type="SystemException", message="System error while running an action.")
    assert not driven.all(RecordingRow)


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_engine_that_dies_ends_it(interrupted: bool) -> None:
    driven = recording()
    if interrupted:
        driven.give(Interrupt())
    driven.give(media.EngineGone())
    assert isinstance(driven.end, Interrupted if interrupted else FailedAs)


def test_a_leg_that_goes_without_the_engine_s_last_word() -> None:
    driven = recording()
    driven.give(LegGone())
    driven.wait(2)
    assert driven.end == FailedAs(error_type="SystemException", message="System error while running an action.")
