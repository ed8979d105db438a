"""eSpeak NG through ctypes. It is GPL-3: load this in the helper process only.

eSpeak NG keeps the path of its data in 160 bytes. The process therefore goes to the folder above and names the data by a relative path,
which is short however deep the installation lies.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Final

from .failure import SpeechFailed

_SYNCHRONOUS: Final = 2
_DO_NOT_EXIT: Final = 0x8000
_UTF8: Final = 1
_SSML: Final = 0x10
_BUFFER_MS: Final = 200
_CALLBACK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The library, initialised; satisfies `engine.Engine`."""

    def __init__(self, library: str, data: str) -> None:
        """`data` is the folder `espeak-ng-data`. Changes this process's working directory. Raises `SpeechFailed` (`engine`)."""
        parent, name = os.path.split(os.path.abspath(data))
        try:
            os.chdir(parent)
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise SpeechFailed("engine", f"eSpeak NG cannot be loaded: {error}") from None
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, name.encode(), _DO_NOT_EXIT)
        if self.rate <= 0:
            raise SpeechFailed("engine", f"eSpeak NG finds no data in {data}")
        self._sound = bytearray()
        self._most = 0
        self._callback = _CALLBACK(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, voice: str, text: str, *, ssml: bool, most_bytes: int) -> bytes:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechFailed("voice", f"eSpeak NG has no voice {voice}")
        self._sound.clear()
        self._most = most_bytes
        data = text.encode() + b"\0"
        flags = ctypes.c_uint(_UTF8 | (_SSML if ssml else 0))
        status = self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, flags, None, None)
        if len(self._sound) > most_bytes:
            raise SpeechFailed("too_long", f"the speech takes more than {most_bytes // 1_000_000} MB; say less at once")
        if status != 0:
            raise SpeechFailed("engine", f"eSpeak NG failed with status {status}")
        return bytes(self._sound)

    def _take(self, wave: Any, count: int, _events: Any) -> int:
        if wave and count > 0:
            self._sound += ctypes.string_at(wave, count * 2)
        return int(len(self._sound) > self._most)  # not 0 ends it
