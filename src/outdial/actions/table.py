"""All actions by name, with what call control must know of each (reference 6.3 and 10.18)."""

from __future__ import annotations

from typing import Final

from . import (
    hangup,
    pause,
    play_audio,
    play_audio_and_get_digits,
    receive_digits,
    record_audio,
    send_digits,
    speak,
    speak_and_get_digits,
    unsupported,
)
from .values import Kind

SUPPORTED: Final = (
    Kind(name="Speak", begin=speak.begin, interruptible=True),
    Kind(name="SpeakAndGetDigits", begin=speak_and_get_digits.begin, reports_mid_list=True, owns_digits=True),
    Kind(name="PlayAudio", begin=play_audio.begin, interruptible=True),
    Kind(name="PlayAudioAndGetDigits", begin=play_audio_and_get_digits.begin, reports_mid_list=True, owns_digits=True),
    Kind(name="ReceiveDigits", begin=receive_digits.begin),
    Kind(name="SendDigits", begin=send_digits.begin),
    Kind(name="Pause", begin=pause.begin, interruptible=True),
    Kind(name="RecordAudio", begin=record_audio.begin, reports_mid_list=True, interruptible=True, reports_when_leg_goes=True),
    Kind(name="Hangup", begin=hangup.begin, reports_mid_list=True),
)
TABLE: Final[dict[str, Kind]] = {kind.name: kind for kind in (*SUPPORTED, *unsupported.KINDS)}
