"""eSpeak NG speaks from its helper process, wherever it is installed, and a helper that dies costs one retry."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from helpers.proc import needs_proc
from helpers.sounds import heard
from outdial.io.launcher import PACKAGE_ROOT
from outdial.io.objects import LocalObjects
from outdial.io.speech_client import SpeechClient
from outdial.io.speech_process import load
from outdial.io.speech_process import main as helper
from outdial.io.work import Workshop
from outdial.model.ids import CallId, Token
from outdial.model.work import Note, Prompt, PromptReady, SpeechSource, WorkResult
from outdial.speech.failure import SpeechFailed
from outdial.speech.voices import LANGUAGES, choose

espeakng_loader = pytest.importorskip("espeakng_loader")


def with_client(main: Callable[[SpeechClient], Awaitable[None]], **options: float) -> None:
    async def whole() -> None:
        client = SpeechClient(**options)  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(main(client), 60)
        finally:
            await client.close()

    asyncio.run(whole())


def sound(path: Path) -> tuple[float, int, np.ndarray]:
    with wave.open(str(path)) as file:
        assert (file.getsampwidth(), file.getnchannels()) == (2, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)
        return len(samples) / file.getframerate(), int(np.abs(samples).max()), samples


async def length(client: SpeechClient, to: Path, text: str, voice: str = "Joanna", text_type: str = "ssml") -> float:
    await client.speak(SpeechSource(text=text, voice=voice, text_type=text_type), to)  # type: ignore[arg-type]
    seconds, peak, _ = sound(to)
    assert peak > 3000
    return seconds


@needs_proc
def test_it_speaks(tmp_path: Path) -> None:
    to = tmp_path / "said.wav"

    async def main(client: SpeechClient) -> None:
        assert client.pid is None
        short = await length(client, to, "Hello", text_type="text")
        assert 0.3 < short < 1.5
        first = client.pid
        assert first is not None
        assert await length(client, to, "Hello, and thank you for calling. Please press one to confirm.", text_type="text") > 3 * short
        assert client.pid == first
        with open(f"/proc/{os.getpid()}/maps") as maps:
            assert "espeak" not in maps.read()

    with_client(main)


def test_markup_is_heard(tmp_path: Path) -> None:
    to = tmp_path / "said.wav"

    async def main(client: SpeechClient) -> None:
        plain = await length(client, to, "<speak>one two three</speak>")
        assert await length(client, to, "<speak>one two<break time='2s'/> three</speak>") == pytest.approx(plain + 2, abs=0.35)
        assert await length(client, to, "<speak>one two<break time='9000ms'/> three</speak>") == pytest.approx(plain + 9, abs=0.35)
        assert await length(client, to, "<speak><prosody rate='50%'>one two three</prosody></speak>") > 1.5 * plain
        number = await length(client, to, "<speak>1234</speak>")
        digits = await length(client, to, "<speak><say-as interpret-as='digits'>1234</say-as></speak>")
        spelled = await length(client, to, "<speak>1 2 3 4</speak>")
        assert digits == pytest.approx(spelled, abs=0.1)
        assert digits != pytest.approx(number, abs=0.1)

    with_client(main)


def test_a_woman_s_voice_is_higher_than_a_man_s(tmp_path: Path) -> None:
    """The pitch: the strongest lag of the autocorrelation between 60 and 400 Hz."""

    def pitch(path: Path) -> float:
        _, _, samples = sound(path)
        frame = samples[len(samples) // 4 :][:4096].astype(float)
        correlation = np.correlate(frame, frame, "full")[4096:]
        low, high = 22050 // 400, 22050 // 60
        return 22050 / (low + 1 + int(np.argmax(correlation[low:high])))

    async def main(client: SpeechClient) -> None:
        await length(client, tmp_path / "f.wav", "aaaaaah", "Joanna", "text")
        await length(client, tmp_path / "m.wav", "aaaaaah", "Matthew", "text")
        assert pitch(tmp_path / "f.wav") > 1.3 * pitch(tmp_path / "m.wav")

    with_client(main)


def test_every_language_has_its_voice(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        for code in LANGUAGES:
            await client.speak(SpeechSource(text="1 2 3", language=code), tmp_path / "said.wav")
            assert sound(tmp_path / "said.wav")[1] > 3000, code
        assert choose("Joanna", "de-DE").espeak.startswith("de")

    with_client(main)


def test_silence_is_never_a_substitute(tmp_path: Path) -> None:
    to = tmp_path / "said.wav"

    async def main(client: SpeechClient) -> None:
        with pytest.raises(SpeechFailed) as caught:
            await client.speak(SpeechSource(text="."), to)
        assert caught.value.reason == "ssml"
        assert not to.exists()
        await client.speak(SpeechSource(text="<speak><break time='1s'/></speak>", text_type="ssml"), to)
        assert sound(to)[1] == 0

    with_client(main)


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        with pytest.raises(SpeechFailed) as caught:
            await client.speak(SpeechSource(text="Hello"), tmp_path / "nowhere" / "said.wav")
        assert caught.value.reason == "engine"
        assert "No such file or directory" in caught.value.detail

    with_client(main)


def test_a_helper_that_was_killed_is_started_again(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        await length(client, tmp_path / "a.wav", "Hello", text_type="text")
        killed = client.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await length(client, tmp_path / "b.wav", "Hello", text_type="text")
        assert client.pid not in (None, killed)

    with_client(main)


def test_a_helper_that_hangs_is_ended_and_fails_by_name(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        await length(client, tmp_path / "a.wav", "Hello", text_type="text")
        stopped = client.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        await length(client, tmp_path / "b.wav", "Hello", text_type="text")
        assert client.pid not in (None, stopped)
        assert not Path(f"/proc/{stopped}").exists()

    with_client(main, time_limit_s=1.5)


def test_a_helper_that_never_answers(tmp_path: Path) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexec sleep 60\n")
    mute.chmod(0o755)

    async def main() -> None:
        client = SpeechClient(python=str(mute), time_limit_s=0.2)
        with pytest.raises(SpeechFailed) as caught:
            await client.speak(SpeechSource(text="Hello"), tmp_path / "a.wav")
        assert caught.value.detail == "the speech helper failed twice: it did not answer within 0.2 s"
        assert client.pid is None

    asyncio.run(main())


def test_nobody_waits_for_ever_behind_a_helper_that_hangs(tmp_path: Path) -> None:
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexec sleep 60\n")
    mute.chmod(0o755)

    async def main() -> None:
        client = SpeechClient(python=str(mute), time_limit_s=0.2)
        asked = (client.speak(SpeechSource(text=f"{n}"), tmp_path / f"{n}.wav") for n in range(10))
        results = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
        assert all(isinstance(result, SpeechFailed) for result in results)
        assert "the speech helper was busy for 0.4 s" in {result.detail for result in results if isinstance(result, SpeechFailed)}

    asyncio.run(main())


def test_a_helper_that_cannot_start(tmp_path: Path) -> None:
    async def main() -> None:
        client = SpeechClient(python="/bin/false")
        with pytest.raises(SpeechFailed) as caught:
            await client.speak(SpeechSource(text="Hello"), tmp_path / "a.wav")
        assert caught.value.reason == "engine"
        assert caught.value.detail.startswith("the speech helper failed twice: ")

    asyncio.run(main())


def test_it_speaks_from_a_deep_installation(tmp_path: Path) -> None:
    """eSpeak NG keeps its data's path in 160 bytes (test-peers, section 10)."""
    deep = tmp_path
    while len(str(deep)) < 300:
        deep /= "a-folder-with-a-long-name"
    package = Path(espeakng_loader.__file__).parent
    shutil.copytree(package, deep / "espeakng_loader")
    to = tmp_path / "said.wav"
    script = (
        "import sys; from outdial.io.speech_process import load, answer; from outdial.speech.messages import Say\n"
        "import espeakng_loader; assert len(espeakng_loader.get_data_path()) > 300\n"
        "print(answer(load(), Say(id=1, voice='en-us', text='Hello', path=sys.argv[1])))\n"
    )
    path = os.pathsep.join([str(deep), PACKAGE_ROOT])
    done = subprocess.run(
        [sys.executable, "-c", script, str(to)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "Said(id=1, rate=22050" in done.stdout
    assert sound(to)[1] > 3000


def test_a_speech_that_never_ends_is_cut_off_and_refused(tmp_path: Path) -> None:
    script = (
        "import sys; from outdial.io import speech_process; from outdial.speech.messages import Say\n"
        "speech_process.MOST_BYTES = 200_000\n"
        "print(speech_process.answer(speech_process.load(), Say(id=1, voice='en-us', text='one two three ' * 1000, path=sys.argv[1])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "said.wav")],
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "NotSaid(id=1, reason='too_long'" in done.stdout
    assert not (tmp_path / "said.wav").exists()


def test_a_hundred_at_once_share_one_helper(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        await asyncio.gather(*(client.speak(SpeechSource(text=f"number {n}"), tmp_path / f"{n}.wav") for n in range(100)))
        assert all(sound(tmp_path / f"{n}.wav")[1] > 3000 for n in range(100))

    with_client(main)


def test_speech_becomes_a_prompt_that_the_engine_can_play(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        given: list[WorkResult] = []
        done = asyncio.Event()
        notes: list[Note] = []

        def give(result: WorkResult) -> None:
            given.append(result)
            done.set()

        workshop = Workshop(LocalObjects(tmp_path / "buckets"), client, tmp_path / "cache", give, notes.append)
        text = "Hello, and thank you for calling."
        workshop.put(Prompt(token=Token(1), source=SpeechSource(text=text, voice="Amy"), call=CallId("c")), 0.0)
        await done.wait()
        await workshop.close()
        (ready,) = given
        assert isinstance(ready, PromptReady)
        raw = await length(client, tmp_path / "raw.wav", text, "Amy", "text")
        assert ready.samples / 8000 == pytest.approx(raw, abs=0.05)
        _, level, seconds = heard(Path(ready.path))
        assert seconds == ready.samples / 8000
        assert level > 0.05
        assert [note.what for note in notes] == ["Amy (en-GB) is spoken by eSpeak NG's en+f3"]

    with_client(main)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)

    async def main() -> None:
        with pytest.raises(SpeechFailed) as caught:
            await SpeechClient().plan(SpeechSource(text="Hello"))
        assert (caught.value.reason, caught.value.detail) == ("engine", "no speech engine is installed; pip install 'outdial[speech]'")

    asyncio.run(main())
    with pytest.raises(SpeechFailed) as caught:
        load()
    assert caught.value.reason == "engine"
    assert "pip install 'outdial[speech]'" in caught.value.detail


@pytest.mark.parametrize("arguments", [[], ["--fd"], ["--port", "5"]])
def test_the_helper_says_how_it_is_used(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert helper(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m outdial.io.speech_process --fd N\n"


def test_the_helper_ends_with_its_socket(tmp_path: Path) -> None:
    async def main(client: SpeechClient) -> None:
        await length(client, tmp_path / "a.wav", "Hello", text_type="text")
        process = os.pidfd_open(client.pid or 0)
        assert client._writer is not None
        client._writer.close()
        assert client._child is not None
        client._child.socket.close()  # type: ignore[union-attr]
        await asyncio.wait_for(asyncio.to_thread(select.select, [process], [], [], 10), 15)
        assert select.select([process], [], [], 0)[0]
        os.close(process)

    with_client(main)
