"""Actions as the person on the phone hears them, and the handler sees them: a whole node on virtual time, audio by content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.sounds import heard, tones
from outdial.model.requests import Placed
from outdial.model.settings import CallSettings, Trunk
from outdial.testing.studio import tone
from outdial.testing.world import THEM, US, World

ASK, SORRY, OTHER = 600.0, 900.0, 1400.0
S3 = {"Type": "S3", "BucketName": "prompts"}


class Call:
    """A call that is answered, whose handler answers CALL_ANSWERED with `actions`, ACTION_FAILED with `failed`, the rest with nothing."""

    def __init__(self, folder: Path, *actions: dict[str, Any], failed: Sequence[dict[str, Any]] = (), **settings: Any) -> None:
        self.replies: dict[str, list[dict[str, Any]]] = {"CALL_ANSWERED": list(actions), "ACTION_FAILED": list(failed)}
        self.folder = folder
        for name, hz, seconds in (("ask", ASK, 1.0), ("sorry", SORRY, 1.0), ("other", OTHER, 3.0)):
            tone(folder / "buckets" / "prompts" / f"{name}.wav", hz, seconds)
        self.world = World(
            folder, lambda event: {"SchemaVersion": "1.0", "Actions": self.replies.get(event["InvocationEventType"], [])}, **settings
        )
        placed = self.world.place()
        assert isinstance(placed, Placed)
        self.id = placed.call
        self.world.until(lambda: self.world.phone.incoming is not None)
        self.world.order("answer")
        self.world.order("record", text=str(folder / "phone.wav"))
        self.world.until(lambda: "CALL_ANSWERED" in self.world.types)
        self.answered_at = self.world.now

    def press(self, digits: str, after: float) -> Call:
        """Press keys `after` seconds from now."""
        self.world.go(after)
        self.world.order("press", text=digits)
        return self

    def done(self, within: float = 60.0) -> dict[str, Any]:
        """The ActionData of the first report after the answer."""
        self.world.until(lambda: len(self.reports) > 0, within=within)
        data: dict[str, Any] = self.reports[0]["ActionData"]
        return data

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [event for event in self.world.events if event["InvocationEventType"].startswith("ACTION_")]

    def heard(self) -> list[float]:
        """The tones on the phone, silence left out."""
        return [hz for hz, _, _ in self.timeline() if hz]

    def timeline(self) -> list[tuple[float, float, float]]:
        self.world.go(0.2)
        self.world.order("hang_up")
        self.world.go(1.0)
        return tones(self.folder / "phone.wav", ASK, SORRY, OTHER)


def action(name: str, **parameters: Any) -> dict[str, Any]:
    return {"Type": name, "Parameters": parameters}


def ask(**parameters: Any) -> dict[str, Any]:
    base = {"AudioSource": {**S3, "Key": "ask.wav"}, "FailureAudioSource": {**S3, "Key": "sorry.wav"}, "RepeatDurationInMilliseconds": 2000}
    return action("PlayAudioAndGetDigits", **(base | parameters))


def test_digits_after_the_prompt(tmp_path: Path) -> None:
    call = Call(tmp_path, ask(MinNumberOfDigits=4, MaxNumberOfDigits=4, InputDigitsRegex=r"^\d{4}$"))
    call.press("1234", after=1.5)
    assert call.done()["ReceivedDigits"] == "1234"
    assert call.heard() == [ASK]


def test_barge_in(tmp_path: Path) -> None:
    """Reference 10.3 step 1: a digit pressed during the prompt is kept and stops the prompt."""
    call = Call(tmp_path, ask(MaxNumberOfDigits=1))
    call.press("7", after=0.4)
    assert call.done()["ReceivedDigits"] == "7"
    assert call.world.now - call.answered_at < 0.6
    ((_, _, length),) = [sound for sound in call.timeline() if sound[0] == ASK]
    assert 0.3 < length < 0.55


def test_a_terminator_ends_it_at_once_and_is_stripped(tmp_path: Path) -> None:
    call = Call(tmp_path, ask(InputDigitsRegex=r"^\d{2}#$", RepeatDurationInMilliseconds=30000))
    call.press("12#", after=1.2)
    assert call.done()["ReceivedDigits"] == "12"
    assert call.world.now - call.answered_at < 2.5


def test_two_wrong_attempts_then_a_right_one(tmp_path: Path) -> None:
    call = Call(tmp_path, ask(InputDigitsRegex="^[12]$", MaxNumberOfDigits=1, Repeat=3))
    call.press("9", after=1.2).press("8", after=2.5).press("2", after=2.5)
    data = call.done()
    assert (data["ReceivedDigits"], data["Type"]) == ("2", "PlayAudioAndGetDigits")
    assert call.heard() == [ASK, SORRY, ASK, SORRY, ASK]


def test_nobody_presses_anything(tmp_path: Path) -> None:
    """RepeatDuration runs from the prompt's end; the failure prompt is played after the last attempt too; only then does it fail.
    Trait 17: applications test InvalidDigitsReceived by name; ErrorType and ErrorMessage are inside ActionData."""
    call = Call(tmp_path, ask(MinNumberOfDigits=1, Repeat=2))
    data = call.done()
    assert (data["ErrorType"], "ReceivedDigits" in data) == ("InvalidDigitsReceived", False)
    assert call.world.now - call.answered_at == pytest.approx(2 * (1 + 2 + 1), abs=0.2)
    assert call.heard() == [ASK, SORRY, ASK, SORRY]


def test_the_time_in_between_ends_an_attempt(tmp_path: Path) -> None:
    call = Call(tmp_path, ask(InBetweenDigitsDurationInMilliseconds=500, RepeatDurationInMilliseconds=30000))
    call.press("55", after=1.2)
    assert call.done()["ReceivedDigits"] == "55"
    assert call.world.now - call.answered_at == pytest.approx(1.2 + 0.3 + 0.5, abs=0.25)


def test_a_pause_is_exact_and_silent(tmp_path: Path) -> None:
    call = Call(tmp_path, action("PlayAudio", AudioSource={**S3, "Key": "ask.wav"}), action("Pause", DurationInMilliseconds="1500"),
                action("PlayAudio", AudioSource={**S3, "Key": "sorry.wav"}))  # fmt: skip
    data = call.done()
    assert data["Type"] == "PlayAudio"
    assert len(call.reports) == 1
    sounds = call.timeline()
    assert [hz for hz, _, _ in sounds if hz] == [ASK, SORRY]
    pause = sounds[[hz for hz, _, _ in sounds].index(ASK) + 1]
    assert pause[2] == pytest.approx(1.5, abs=0.06)


def test_repeat_has_no_gap(tmp_path: Path) -> None:
    call = Call(tmp_path, action("PlayAudio", AudioSource={**S3, "Key": "ask.wav"}, Repeat="3"))
    call.done()
    ((_, _, length),) = [sound for sound in call.timeline() if sound[0] == ASK]
    assert length == pytest.approx(3.0, abs=0.04)


def test_a_terminator_ends_all_repeats_and_is_a_success(tmp_path: Path) -> None:
    call = Call(tmp_path, action("PlayAudio", AudioSource={**S3, "Key": "ask.wav"}, Repeat=9, PlaybackTerminators=["#"]))
    call.press("5", after=0.5).press("#", after=1.0)
    assert "ErrorType" not in call.done()
    assert call.world.now - call.answered_at < 2.0


def test_digits_reach_the_phone_with_pauses(tmp_path: Path) -> None:
    call = Call(tmp_path, action("SendDigits", Digits="1,2,#A", ToneDurationInMilliseconds=100))
    call.done()
    assert call.world.phone.heard == ["1", "2", "#", "A"]
    assert call.world.now - call.answered_at == pytest.approx(4 * 0.1 + 2 * 0.5 + 3 * 0.1, abs=0.45)


def test_one_report_a_list_then_digits_of_the_listener(tmp_path: Path) -> None:
    """Trait 4: [Speak, ReceiveDigits] gives ACTION_SUCCESSFUL of type ReceiveDigits at once, before any digit.
    Trait 5: DIGITS_RECEIVED carries ActionData.ReceivedDigits, type ReceiveDigits."""
    rules = {"InputDigitsRegex": r"^\d{2}#$", "InBetweenDigitsDurationInMilliseconds": 1000, "FlushDigitsDurationInMilliseconds": 10000}
    call = Call(tmp_path, action("Speak", Text="Press two digits and hash"), action("ReceiveDigits", **rules))
    data = call.done()
    assert (data["Type"], data["ReceivedDigits"], len(call.reports)) == ("ReceiveDigits", "", 1)
    call.press("1", after=1.0).press("1#", after=0.2)
    call.world.until(lambda: "DIGITS_RECEIVED" in call.world.types, within=3)
    digits = call.world.events[-1]["ActionData"]
    assert digits["ReceivedDigits"] == "11#"
    assert digits["Type"] == "ReceiveDigits"
    assert digits["Parameters"]["InBetweenDigitsDurationInMilliseconds"] == 1000


def test_an_update_interrupts_what_plays(tmp_path: Path) -> None:
    call = Call(tmp_path, action("PlayAudio", AudioSource={**S3, "Key": "other.wav"}))
    call.replies["CALL_UPDATE_REQUESTED"] = [action("PlayAudio", AudioSource={**S3, "Key": "ask.wav"})]
    call.world.go(1.0)
    call.world.update(call.id, {"do": "it"})
    call.world.until(lambda: len(call.reports) == 2)
    assert [report["InvocationEventType"] for report in call.reports] == ["ACTION_INTERRUPTED", "ACTION_SUCCESSFUL"]
    sounds = [sound for sound in call.timeline() if sound[0]]
    assert [hz for hz, _, _ in sounds] == [OTHER, ASK]
    assert 0.9 < sounds[0][2] < 1.2


DESTINATION = {"Type": "S3", "BucketName": "recordings", "Prefix": "voicemail"}


def test_a_recording_ended_by_a_key_can_be_played_back_at_once(tmp_path: Path) -> None:
    """Trait 18: RecordingDestination {BucketName, Key} is there before the event."""
    call = Call(tmp_path, action("RecordAudio", DurationInSeconds="30", RecordingTerminators=["#"], RecordingDestination=DESTINATION))
    voice = tone(tmp_path / "voice.wav", 500, 2.0)
    call.world.order("say", text=str(voice))
    call.press("#", after=2.5)
    data = call.done()
    assert data["RecordingTerminatorUsed"] == "#"
    where = data["RecordingDestination"]
    assert where["Type"] == "S3"
    hz, level, seconds = heard(tmp_path / "buckets" / where["BucketName"] / where["Key"])
    assert hz == pytest.approx(500, abs=2)
    assert seconds == pytest.approx(2.5, abs=0.2)
    assert level > 0.1


def test_voicemail_ended_by_hanging_up(tmp_path: Path) -> None:
    """Walk 2: ACTION_SUCCESSFUL with the leg Disconnected, then HANGUP."""
    call = Call(tmp_path, action("RecordAudio", DurationInSeconds=30, RecordingTerminators=["#"], RecordingDestination=DESTINATION))
    call.world.order("say", text=str(tone(tmp_path / "voice.wav", 500, 1.0)))
    call.world.go(1.5)
    call.world.order("hang_up")
    call.world.until(lambda: "HANGUP" in call.world.types)
    assert call.world.types[-2:] == ["ACTION_SUCCESSFUL", "HANGUP"]
    (report,) = call.reports
    assert report["CallDetails"]["Participants"][0]["Status"] == "Disconnected"
    where = report["ActionData"]["RecordingDestination"]
    assert heard(tmp_path / "buckets" / where["BucketName"] / where["Key"])[0] == pytest.approx(500, abs=2)


def test_silence_ends_a_recording_where_it_is_asked_for(tmp_path: Path) -> None:
    call = Call(tmp_path, action("RecordAudio", DurationInSeconds=30, SilenceDurationInSeconds=2, RecordingTerminators=["#"],
                                 RecordingDestination=DESTINATION))  # fmt: skip
    call.world.order("say", text=str(tone(tmp_path / "voice.wav", 500, 1.0)))
    assert "RecordingTerminatorUsed" not in call.done(within=10)
    assert call.world.now - call.answered_at == pytest.approx(3.0, abs=0.3)


def test_hang_up_in_the_middle_of_a_list_ends_the_call(tmp_path: Path) -> None:
    """Trait 3: [PlayAudio, Hangup] on the only leg gives HANGUP next, no ACTION_SUCCESSFUL in between."""
    call = Call(tmp_path, action("PlayAudio", AudioSource={**S3, "Key": "ask.wav"}), action("Hangup", SipResponseCode="0"))
    call.world.until(lambda: "HANGUP" in call.world.types)
    assert call.reports == []
    call.world.go(1)
    assert tones(tmp_path / "phone.wav", ASK)[-1][0] in (ASK, 0.0)


def test_an_action_that_is_not_served_yet_lets_the_handler_go_on(tmp_path: Path) -> None:
    go_on = action("PlayAudio", AudioSource={**S3, "Key": "ask.wav"})
    call = Call(tmp_path, action("VoiceFocus", Enable=True), action("Pause", DurationInMilliseconds=1000), failed=[go_on])
    call.world.until(lambda: len(call.reports) == 2)
    assert call.reports[0]["ActionData"]["ErrorMessage"] == "VoiceFocus is not supported yet"
    assert call.reports[1]["ActionData"]["Type"] == "PlayAudio"
    assert call.heard() == [ASK]


@pytest.mark.parametrize(("limits", "outcome"), [("strict", "ACTION_FAILED"), ("relaxed", "ACTION_SUCCESSFUL")])
def test_a_minute_of_pause_is_refused_under_strict_limits_only(tmp_path: Path, limits: Any, outcome: str) -> None:
    """Reference 10.8 and real-handlers, section 1 (Pause 100 to 60000 ms)."""
    settings = CallSettings(limits=limits, local_host=US, trunk=Trunk(name="trunk", uri=f"sip:{THEM}"))
    call = Call(tmp_path, action("Pause", DurationInMilliseconds=60000), settings=settings)
    call.world.until(lambda: bool(call.reports), within=90)
    assert call.reports[0]["InvocationEventType"] == outcome


@pytest.mark.parametrize(("change", "error_type", "message"), [
    ({"InputDigitsRegex": "^[0-9{4}$"}, "InvalidActionParameter", "The InputDigitsRegex parameter is invalid."),
    ({"AudioSource": {**S3, "Key": "none.wav"}}, "InvalidAudioSource", "Cannot access S3 bucket or audio file."),
    ({"FailureAudioSource": {**S3, "Key": "none.wav"}}, "InvalidAudioSource", "Cannot access S3 bucket or audio file."),
    ({"MaxNumberOfDigits": 200}, "InvalidActionParameter", "The MaxNumberOfDigits parameter is invalid."),
])  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_heard_and_the_call_goes_on(
    tmp_path: Path, change: dict[str, Any], error_type: str, message: str
) -> None:
    go_on = action("PlayAudio", AudioSource={**S3, "Key": "other.wav"})
    call = Call(tmp_path, ask(**change), failed=[go_on])
    call.world.until(lambda: len(call.reports) == 2)
    failed = call.reports[0]["ActionData"]
    assert (failed["Type"], failed["ErrorType"], failed["ErrorMessage"]) == ("PlayAudioAndGetDigits", error_type, message)
    assert call.heard() == [OTHER]


def test_an_expression_that_runs_for_ever_fails_its_own_action_only(tmp_path: Path) -> None:
    call = Call(tmp_path, ask(InputDigitsRegex="^(1|11)+[23]$", MaxNumberOfDigits=100))
    call.press("1" * 70 + "#", after=1.2)
    data = call.done(within=60)
    assert (data["ErrorType"], data["ErrorMessage"]) == ("InvalidActionParameter", "The InputDigitsRegex parameter is invalid.")
    assert any("was not done within 0.25 s" in note.what for note in call.world.notes)


def test_extreme_values_are_waited_for_as_long_as_somebody_listens(tmp_path: Path) -> None:
    """Trait 11: Repeat 9999, RepeatDuration 99999999, Min 0. A key is heard two minutes later."""
    call = Call(tmp_path, ask(Repeat=9999, RepeatDurationInMilliseconds=99999999, MinNumberOfDigits=0))
    call.world.go(120)
    assert call.reports == []
    call.press("3#", after=0)
    assert call.done()["ReceivedDigits"] == "3"


def test_a_recording_whose_upload_fails_is_kept_and_delivered_later(tmp_path: Path) -> None:
    call = Call(tmp_path, action("RecordAudio", DurationInSeconds=2, RecordingTerminators=["#"], RecordingDestination=DESTINATION))
    call.world.studio.fail_deliveries = True
    call.world.order("say", text=str(tone(tmp_path / "voice.wav", 500, 2.0)))
    data = call.done()
    assert (data["ErrorType"], data["ErrorMessage"]) == (
        "InvalidActionParameter", "Error occurred while uploading recording to S3 bucket.",
    )  # fmt: skip
    bucket = tmp_path / "buckets" / "recordings"
    assert not bucket.exists()
    call.world.studio.fail_deliveries = False
    call.world.go(30)
    (stored,) = bucket.rglob("*.wav")
    assert heard(stored)[0] == pytest.approx(500, abs=2)
