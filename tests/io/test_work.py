"""The workshop: each piece of work gives one result with its token, prompts are made once, nothing blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.sounds import heard, tone, write
from outdial.io.objects import Found, LocalObjects
from outdial.io.work import Speech, Workshop
from outdial.model.ids import CallId, RecordingId, Token
from outdial.model.work import (
    Deliver,
    Delivered,
    Match,
    Matched,
    Note,
    ObjectSource,
    Prompt,
    PromptReady,
    Repair,
    Repaired,
    SpeechSource,
    WorkFailed,
)
from outdial.speech.failure import SpeechFailed

CALL = CallId("c0000000-0000-4000-8000-000000000000")


class Bench:
    """A workshop over local buckets, and what it gave."""

    def __init__(self, folder: Path, speech: Speech | None = None, objects: Any = None) -> None:
        self.folder = folder
        self.given: list[Any] = []
        self.notes: list[Note] = []
        self.objects = objects or LocalObjects(folder / "buckets")
        self.workshop = Workshop(self.objects, speech, folder / "cache", self.given.append, self.notes.append)
        self.count = 0

    async def ask(self, *items: Any) -> list[Any]:
        """Give work all at once and wait for as many results."""
        before = len(self.given)
        for item in items:
            self.workshop.put(item, 0.0)
        while len(self.given) < before + len(items):
            await asyncio.sleep(0.001)
        return self.given[before:]

    def prompt(self, key: str = "k.wav", bucket: str = "b") -> Prompt:
        self.count += 1
        return Prompt(token=Token(self.count), source=ObjectSource(bucket=bucket, key=key), call=CALL)

    def speech(self, text: str = "hello", voice: str = "Joanna") -> Prompt:
        self.count += 1
        return Prompt(token=Token(self.count), source=SpeechSource(text=text, voice=voice), call=CALL)


def run(bench: Bench, main: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await asyncio.wait_for(main(), 20)
        finally:
            await bench.workshop.close()

    asyncio.run(whole())


def test_an_object_is_prepared_once_until_it_changes(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    source = write(tmp_path / "buckets" / "b" / "k.wav", tone(700, 1, 44100), 44100)

    async def main() -> None:
        (first,) = await bench.ask(bench.prompt())
        assert isinstance(first, PromptReady)
        assert (first.token, first.samples) == (1, 8000)
        assert heard(Path(first.path))[0] == pytest.approx(700, abs=1.5)
        made = Path(first.path).stat().st_mtime_ns
        (second,) = await bench.ask(bench.prompt())
        assert (second.path, second.samples) == (first.path, 8000)
        assert Path(first.path).stat().st_mtime_ns == made
        write(source, tone(900, 2, 16000), 16000)
        (third,) = await bench.ask(bench.prompt())
        assert third.path != first.path
        assert heard(Path(third.path))[0] == pytest.approx(900, abs=1.5)

    run(bench, main)


def test_a_new_node_finds_what_was_prepared_before(tmp_path: Path) -> None:
    write(tmp_path / "buckets" / "b" / "k.wav", tone(700, 1, 44100), 44100)
    ready: list[PromptReady] = []
    for _ in range(2):
        bench = Bench(tmp_path)

        async def main(bench: Bench = bench) -> None:
            ready.extend(await bench.ask(bench.prompt()))

        run(bench, main)
    assert ready[0] == ready[1]


class Counting(LocalObjects):
    """Local buckets that count how often an object is fetched, and can change it in between."""

    fetched = 0
    meanwhile: Callable[[], None] | None = None

    async def fetch(self, bucket: str, key: str, scratch: Path) -> tuple[Found, Path]:
        self.fetched += 1
        if self.meanwhile is not None:
            change, self.meanwhile = self.meanwhile, None
            change()
        return await super().fetch(bucket, key, scratch)


def test_a_hundred_calls_at_once_make_a_prompt_once(tmp_path: Path) -> None:
    objects = Counting(tmp_path / "buckets")
    bench = Bench(tmp_path, objects=objects)
    write(tmp_path / "buckets" / "b" / "k.wav", tone(700, 5, 44100), 44100)

    async def main() -> None:
        results = await bench.ask(*(bench.prompt() for _ in range(100)))
        assert {result.path for result in results} == {results[0].path}
        assert sorted(result.token for result in results) == list(range(1, 101))
        assert objects.fetched == 1

    run(bench, main)


def test_a_bad_prompt_fails_for_everybody_at_once(tmp_path: Path) -> None:
    objects = Counting(tmp_path / "buckets")
    bench = Bench(tmp_path, objects=objects)
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    (tmp_path / "buckets" / "b" / "k.wav").write_bytes(b"ID3")

    async def main() -> None:
        results = await bench.ask(*(bench.prompt() for _ in range(20)))
        assert {(result.reason, type(result)) for result in results} == {("format", WorkFailed)}
        assert objects.fetched == 1

    run(bench, main)


def test_an_object_that_changes_while_it_is_read(tmp_path: Path) -> None:
    objects = Counting(tmp_path / "buckets")
    bench = Bench(tmp_path, objects=objects)
    source = write(tmp_path / "buckets" / "b" / "k.wav", tone(700, 1, 8000), 8000)
    objects.meanwhile = lambda: (write(source, tone(900, 2, 8000), 8000), None)[1]

    async def main() -> None:
        (ready,) = await bench.ask(bench.prompt())
        assert heard(Path(ready.path))[0] == pytest.approx(900, abs=1.5)
        assert (await bench.ask(bench.prompt()))[0].path == ready.path

    run(bench, main)


@pytest.mark.parametrize(("bucket", "key", "reason"), [
    ("b", "none.wav", "not_found"), ("none", "k.wav", "not_found"), ("b", "mp3.wav", "format"), ("..", "k.wav", "not_found"),
    ("b", "../../x", "not_found"), ("b", "\ud800", "not_found"),
])  # fmt: skip
def test_what_cannot_be_a_prompt(tmp_path: Path, bucket: str, key: str, reason: str) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    (tmp_path / "buckets" / "b" / "mp3.wav").write_bytes(b"ID3")

    async def main() -> None:
        (failed,) = await bench.ask(bench.prompt(key, bucket))
        assert isinstance(failed, WorkFailed)
        assert failed.reason == reason
        assert failed.detail

    run(bench, main)


def test_matches(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def main() -> None:
        assert await bench.ask(Match(token=Token(5), pattern="^[12]$", texts=("3", "1"))) == [Matched(token=Token(5), yes=True)]
        assert await bench.ask(Match(token=Token(6), pattern="^[12]$")) == [Matched(token=Token(6), yes=False)]
        (failed,) = await bench.ask(Match(token=Token(7), pattern="[", texts=()))
        assert (failed.token, failed.reason) == (7, "pattern")

    run(bench, main)


def test_a_recording_is_delivered_before_the_result_is_given(tmp_path: Path) -> None:
    """Trait 18: an application plays the object back at once."""
    bench = Bench(tmp_path)
    recording = write(tmp_path / "r.wav", tone(600, 1, 8000), 8000)
    deliver = Deliver(token=Token(8), recording=RecordingId("r"), path=str(recording), bucket="out", key="p/r.wav")

    async def main() -> None:
        assert await bench.ask(deliver) == [Delivered(token=Token(8))]
        (ready,) = await bench.ask(bench.prompt("p/r.wav", "out"))
        assert heard(Path(ready.path))[0] == pytest.approx(600, abs=1.5)

    run(bench, main)


def test_a_recording_that_was_cut_off_is_mended(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    recording = write(tmp_path / "r.wav", tone(600, 1, 8000), 8000)
    whole = recording.read_bytes()
    recording.write_bytes(whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:8045])  # no sizes yet, half a sample at the end

    async def main() -> None:
        assert await bench.ask(Repair(token=Token(9), path=str(recording))) == [Repaired(token=Token(9), samples=4000)]
        assert heard(recording)[2] == 0.5
        (failed,) = await bench.ask(Repair(token=Token(10), path=str(tmp_path / "none.wav")))
        assert failed == WorkFailed(token=Token(10), reason="not_found", detail=f"{tmp_path / 'none.wav'} is not there")
        (tmp_path / "empty.wav").touch()
        (failed,) = await bench.ask(Repair(token=Token(11), path=str(tmp_path / "empty.wav")))
        assert failed.reason == "format"

    run(bench, main)


class Talker:
    """A synthesiser that hums, or refuses."""

    def __init__(self, *failures: SpeechFailed) -> None:
        self.failures = list(failures)
        self.spoken = 0

    async def plan(self, source: SpeechSource) -> tuple[str, str | None]:
        if source.voice == "Nobody":
            raise SpeechFailed("voice", "no voice Nobody")
        return f"{source.voice} {source.text}", f"{source.voice} is spoken by a hum"

    async def speak(self, source: SpeechSource, to: Path) -> None:
        self.spoken += 1
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop()
        write(to, tone(440, 1, 22050), 22050)


def test_speech_is_made_once_and_noted_once_a_call_and_voice(tmp_path: Path) -> None:
    talker = Talker()
    bench = Bench(tmp_path, talker)

    async def main() -> None:
        results = await bench.ask(*(bench.speech() for _ in range(10)), bench.speech("other"), bench.speech("hello", "Amy"))
        assert all(isinstance(result, PromptReady) for result in results)
        assert len({result.path for result in results}) == talker.spoken == 3
        assert heard(Path(results[0].path))[0] == pytest.approx(440, abs=1.5)
        assert [note.what for note in bench.notes] == ["Joanna is spoken by a hum", "Amy is spoken by a hum"]
        assert sorted(path.suffix for path in (tmp_path / "cache").rglob("*.*")) == [".wav"] * 3

    run(bench, main)


def test_speech_that_fails_is_tried_anew_the_next_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Talker(SpeechFailed("engine", "it died")))

    async def main() -> None:
        (failed,) = await bench.ask(bench.speech())
        assert (failed.reason, failed.detail) == ("engine", "it died")
        (ready,) = await bench.ask(bench.speech())
        assert isinstance(ready, PromptReady)
        (failed,) = await bench.ask(bench.speech("x", "Nobody"))
        assert failed.reason == "voice"

    run(bench, main)


def test_no_speech_engine(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def main() -> None:
        (failed,) = await bench.ask(bench.speech())
        assert (failed.reason, failed.detail) == ("engine", "no speech engine is installed; pip install 'outdial[speech]'")

    run(bench, main)


def test_closing_gives_nothing_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    write(tmp_path / "buckets" / "b" / "k.wav", tone(700, 20, 44100), 44100)

    async def main() -> None:
        bench.workshop.put(bench.prompt(), 0.0)
        await asyncio.sleep(0)
        await bench.workshop.close()
        await asyncio.sleep(0.01)
        assert bench.given == []

    run(bench, main)


def test_a_bug_of_ours_is_reported_and_answered_all_the_same(tmp_path: Path) -> None:
    class Broken(LocalObjects):
        async def find(self, bucket: str, key: str) -> Found:
            raise ZeroDivisionError("oh")

    bench = Bench(tmp_path, objects=Broken(tmp_path))
    seen: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["message"]))
        (failed,) = await bench.ask(bench.prompt())
        assert (failed.reason, failed.detail) == ("fault", "ZeroDivisionError: oh")

    run(bench, main)
    assert seen == ["the workshop failed at Prompt"]


def test_a_bucket_that_does_not_answer(tmp_path: Path) -> None:
    class Mute(LocalObjects):
        async def find(self, bucket: str, key: str) -> Found:
            await asyncio.Event().wait()
            raise AssertionError

    given: list[Any] = []

    async def main() -> None:
        workshop = Workshop(Mute(tmp_path), None, tmp_path / "cache", given.append, fetch_limit_s=0.05)
        workshop.put(Prompt(token=Token(1), source=ObjectSource(bucket="b", key="k"), call=CALL), 0.0)
        async with asyncio.timeout(10):
            while not given:
                await asyncio.sleep(0.001)
        await workshop.close()

    asyncio.run(main())
    assert given == [WorkFailed(token=Token(1), reason="unreachable", detail="s3://b/k was not there within 0.05 s")]
