"""Prompts from S3 and recordings to it, against moto (test-peers, section 8)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from helpers.moto import moto_server
from helpers.sounds import heard, tone, write
from outdial.io.objects import MOST_BYTES, ObjectFailed, S3Objects
from outdial.io.work import Workshop
from outdial.model.ids import CallId, RecordingId, Token
from outdial.model.work import Deliver, Delivered, ObjectSource, Prompt, PromptReady, WorkFailed

pytestmark = pytest.mark.peer
CREDENTIALS = {"region": "us-east-1", "access_key_id": "x", "secret_access_key": "y"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with moto_server() as server:
        yield server


@pytest.fixture
def s3(address: str) -> Any:
    """An unmodified AWS client of the same server, with an empty bucket `prompts`."""
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    client.create_bucket(Bucket="prompts")
    yield client
    for stored in client.list_objects_v2(Bucket="prompts").get("Contents", []):
        client.delete_object(Bucket="prompts", Key=stored["Key"])
    client.delete_bucket(Bucket="prompts")
    client.close()


def ask(workshop_of: Callable[[Callable[[Any], None]], Workshop], *items: Any) -> list[Any]:
    given: list[Any] = []

    async def main() -> None:
        done = asyncio.Event()

        def give(result: Any) -> None:
            given.append(result)
            done.set()

        workshop = workshop_of(give)
        for item in items:
            done.clear()
            workshop.put(item, 0.0)
            await asyncio.wait_for(done.wait(), 30)
        await workshop.close()

    asyncio.run(main())
    return given


def prompt(token: int, key: str = "p/k.wav", bucket: str = "prompts") -> Prompt:
    return Prompt(token=Token(token), source=ObjectSource(bucket=bucket, key=key), call=CallId("c"))


def test_a_prompt_is_fetched_once_until_it_changes(address: str, s3: Any, tmp_path: Path) -> None:
    def put(hz: float) -> None:
        s3.put_object(Bucket="prompts", Key="p/k.wav", Body=write(tmp_path / "in.wav", tone(hz, 1, 24000), 24000).read_bytes())

    def workshop(give: Any) -> Workshop:
        return Workshop(S3Objects(address, **CREDENTIALS), None, tmp_path / "cache", give)

    put(700)
    first, second = ask(workshop, prompt(1), prompt(2))
    assert isinstance(first, PromptReady)
    assert heard(Path(first.path))[0] == pytest.approx(700, abs=1.5)
    assert second.path == first.path
    put(900)
    (third,) = ask(workshop, prompt(3))
    assert third.path != first.path
    assert heard(Path(third.path))[0] == pytest.approx(900, abs=1.5)
    assert [path.suffix for path in (tmp_path / "cache").rglob("*.*")] == [".wav", ".wav"]


def test_a_recording_is_put_whole_with_its_type(address: str, s3: Any, tmp_path: Path) -> None:
    """Six megabytes: more than one part."""
    samples = np.random.default_rng(1).integers(-9999, 9999, 3_200_000, dtype="int16")
    recording = write(tmp_path / "r.wav", samples, 8000)
    deliver = Deliver(token=Token(1), recording=RecordingId("r"), path=str(recording), bucket="prompts", key="voicemail/a b+c-0.wav")
    assert ask(lambda give: Workshop(S3Objects(address, **CREDENTIALS), None, tmp_path / "cache", give), deliver) == [
        Delivered(token=Token(1))
    ]
    stored = s3.get_object(Bucket="prompts", Key="voicemail/a b+c-0.wav")
    assert stored["ContentType"] == "audio/wav"
    assert hashlib.sha256(stored["Body"].read()).digest() == hashlib.sha256(recording.read_bytes()).digest()


@pytest.mark.parametrize(("bucket", "key"), [("prompts", "none.wav"), ("no-such-bucket", "k.wav")])
def test_a_missing_object_or_bucket(address: str, s3: Any, tmp_path: Path, bucket: str, key: str) -> None:
    (failed,) = ask(lambda give: Workshop(S3Objects(address, **CREDENTIALS), None, tmp_path / "cache", give), prompt(1, key, bucket))
    assert failed == WorkFailed(token=Token(1), reason="not_found", detail=f"s3://{bucket}/{key} at {address}: no such bucket or object")


def test_a_recording_for_a_bucket_that_is_not_there(address: str, s3: Any, tmp_path: Path) -> None:
    recording = write(tmp_path / "r.wav", tone(600, 1, 8000), 8000)
    deliver = Deliver(token=Token(1), recording=RecordingId("r"), path=str(recording), bucket="no-such-bucket", key="k.wav")
    (failed,) = ask(lambda give: Workshop(S3Objects(address, **CREDENTIALS), None, tmp_path / "cache", give), deliver)
    assert (type(failed), failed.reason) == (WorkFailed, "not_found")
    assert recording.exists()


def fails(make: Callable[[], Awaitable[Any]]) -> ObjectFailed:
    async def main() -> None:
        await make()

    with pytest.raises(ObjectFailed) as caught:
        asyncio.run(main())
    return caught.value


def test_an_object_over_fifty_megabytes_is_not_fetched(address: str, s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="prompts", Key="big.wav", Body=bytes(MOST_BYTES + 1))
    error = fails(lambda: S3Objects(address, **CREDENTIALS).fetch("prompts", "big.wav", tmp_path / "scratch"))
    assert error.reason == "too_large"
    assert not (tmp_path / "scratch").exists()


def test_nobody_listens_there(tmp_path: Path) -> None:
    objects = S3Objects("http://127.0.0.1:9", **CREDENTIALS, retry_config={"max_retries": 0})
    error = fails(lambda: objects.find("prompts", "k.wav"))
    assert error.reason == "unreachable"
    assert error.detail.startswith("s3://prompts/k.wav at http://127.0.0.1:9: ")


def test_credentials_come_from_a_profile(address: str, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").write_text("[telephone]\naws_access_key_id = x\naws_secret_access_key = y\n")
    (tmp_path / "config").write_text("[profile telephone]\nregion = eu-central-1\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "telephone")
    s3.put_object(Bucket="prompts", Key="k.wav", Body=b"12345")
    found = asyncio.run(_find(S3Objects(address), "prompts", "k.wav"))
    assert found.size == 5


async def _find(objects: S3Objects, bucket: str, key: str) -> Any:
    return await objects.find(bucket, key)


def test_no_credentials_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    error = fails(lambda: S3Objects("http://127.0.0.1:9").find("prompts", "k.wav"))
    assert error.reason == "denied"
    assert error.detail == ("AWS credentials: none are found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")


@pytest.mark.parametrize("key", ["../k.wav", "a//b", "./k"])
def test_a_key_that_the_library_does_not_take(address: str, s3: Any, key: str) -> None:
    assert fails(lambda: S3Objects(address, **CREDENTIALS).find("prompts", key)).reason == "not_found"
