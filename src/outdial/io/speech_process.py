"""The speech helper: a process of its own that loads the engine and answers one request after another (reference/processes 3).

`python -m outdial.io.speech_process --fd N`. It ends when its socket does.
"""

from __future__ import annotations

import array
import os
import resource
import socket
import sys
import wave
from typing import Final

import msgspec

from ..speech.engine import Engine
from ..speech.failure import SpeechFailed
from ..speech.messages import Answer, NotSaid, Said, Say
from .frames import FrameReader, pack

MOST_BYTES: Final = 100_000_000
FRAME_LIMIT: Final = 1 << 20
_MEMORY: Final = 1 << 30


def load() -> Engine:
    """The engine of the extra `speech`. Raises `SpeechFailed`."""
    try:
        import espeakng_loader
    except ImportError:
        raise SpeechFailed("engine", "eSpeak NG is not installed; pip install 'outdial[speech]'") from None
    from ..speech.espeak import Espeak

    return Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


def answer(engine: Engine, asked: Say) -> Answer:
    """Speak into the file that was asked for."""
    try:
        sound = engine.say(asked.voice, asked.text, ssml=asked.ssml, most_bytes=MOST_BYTES)
        if not asked.may_be_silent and not any(array.array("h", sound)):
            raise SpeechFailed("ssml", "there is nothing in the text that could be spoken")
        with open(asked.path, "wb") as file, wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(engine.rate)
            out.writeframes(sound)
    except SpeechFailed as failed:
        return NotSaid(id=asked.id, reason=failed.reason, detail=failed.detail)
    except (OSError, MemoryError) as error:
        return NotSaid(id=asked.id, reason="engine", detail=f"the speech cannot be written: {error}")
    return Said(id=asked.id, rate=engine.rate, samples=len(sound) // 2)


def serve(connection: socket.socket) -> None:
    """Answer until the other end closes."""
    reader = FrameReader(FRAME_LIMIT)
    decode = msgspec.msgpack.Decoder(Say).decode
    encode = msgspec.msgpack.Encoder().encode
    engine: Engine | None = None
    while data := connection.recv(1 << 16):
        for body in reader.feed(data):
            asked = decode(body)
            try:
                engine = engine or load()
                result = answer(engine, asked)
            except SpeechFailed as failed:
                result = NotSaid(id=asked.id, reason=failed.reason, detail=failed.detail)
            connection.sendall(pack(encode(result)))


def main(arguments: list[str]) -> int:
    """Serve on the descriptor that `--fd` names."""
    if len(arguments) != 2 or arguments[0] != "--fd":
        print("usage: python -m outdial.io.speech_process --fd N", file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    connection = socket.socket(fileno=int(arguments[1]))
    os.set_inheritable(connection.fileno(), False)
    try:
        serve(connection)
    except (ConnectionError, KeyboardInterrupt):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
