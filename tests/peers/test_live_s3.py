"""The whole node with buckets that are S3's (moto): prompts come from there, recordings go there, at once or later (DESIGN 6)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import soundfile
from botocore.exceptions import ClientError

from helpers.between import Between
from helpers.calls_at_once import HANDLER, HANG_UP, Ended, action, number, place
from helpers.live_node import LiveNode
from helpers.moto import moto_server
from helpers.sipp import BYE, Sipp, answer, do, media, needs_sipp, recv
from helpers.sounds import tone
from outdial.model.resources import CallHistory

pytestmark = [pytest.mark.peer, needs_sipp]
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}
TOO_LATE = "Error occurred while uploading recording to S3 bucket."
"""Reference 10.11."""
PROMPT = {"Type": "S3", "BucketName": "voice", "Key": "prompts/hello.wav"}


def records(bucket: str) -> dict[str, Any]:
    return action(
        "RecordAudio",
        DurationInSeconds=1,
        RecordingTerminators=["#"],
        RecordingDestination={"Type": "S3", "BucketName": bucket, "Prefix": "kept/today"},
    )


@dataclass(kw_only=True)
class Bucketful:
    node: LiveNode
    client: Any
    calls: dict[str, Ended]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucketful]:
    folder: Path = tmp_path_factory.mktemp("s3")
    (folder / "tone.ul").write_bytes(_ulaw(tone(1000, 2, 8000, level=0.25)))
    talks = (recv("INVITE"), answer("200 OK", again=True, body=media()), recv("ACK"), do(f'rtp_stream="{folder}/tone.ul,-1,0"'), BYE)
    plans = {
        "kept": {"CALL_ANSWERED": [action("PlayAudio", AudioSource=PROMPT), records("voice")], "ACTION_SUCCESSFUL RecordAudio": [HANG_UP]},
        "no bucket": {"CALL_ANSWERED": [records("later")], "ACTION_FAILED RecordAudio": [HANG_UP]},
        "no prompt": {
            "CALL_ANSWERED": [action("PlayAudio", AudioSource={**PROMPT, "Key": "none.wav"})], "ACTION_FAILED PlayAudio": [HANG_UP],
        },
    }  # fmt: skip
    with (
        moto_server() as address,
        Between() as network,
        LiveNode(folder, handler=HANDLER, trunk=network.uri, settings={"s3": address}, environment=KEYS) as node,
        Sipp(folder / "peer", talks, calls=len(plans), limit=40) as peer,
    ):
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
        client.create_bucket(Bucket="voice")
        spoken = io.BytesIO()
        soundfile.write(spoken, tone(600, 0.3, 16_000), 16_000, format="WAV", subtype="PCM_16")
        client.put_object(Bucket="voice", Key="prompts/hello.wav", Body=spoken.getvalue())
        placed = {}
        for index, (name, plan) in enumerate(plans.items()):
            network.connect(number(index), peer.address)
            placed[name] = place(node, number(index), plan)
        histories = {name: node.finished(call) for name, call in placed.items()}
        verdict = peer.wait()
        yield Bucketful(
            node=node,
            client=client,
            calls={name: Ended(history=one, verdict=verdict, events=node.events(one)) for name, one in histories.items()},
        )
        client.close()


def _ulaw(samples: Any) -> bytes:
    coded = io.BytesIO()
    soundfile.write(coded, samples, 8000, format="RAW", subtype="ULAW")
    return coded.getvalue()


def test_a_recording_is_delivered_where_the_event_says(there: Bucketful) -> None:
    call = there.calls["kept"]
    call.all_is_well()
    destination = call.events[-2]["ActionData"]["RecordingDestination"]
    assert (destination["Type"], destination["BucketName"]) == ("S3", "voice")
    assert destination["Key"].startswith("kept/today/")
    stored = there.client.get_object(Bucket="voice", Key=destination["Key"])
    assert stored["ContentType"] == "audio/wav"
    samples, rate = soundfile.read(io.BytesIO(stored["Body"].read()))
    assert (rate, len(samples)) == (8000, 8000)
    assert _level(samples[2000:-800], 1000) == pytest.approx(0.25, abs=0.02)
    assert not [path for path in (there.node.data / "buckets").rglob("*") if path.is_file()]


def test_a_prompt_that_is_not_there(there: Bucketful) -> None:
    call = there.calls["no prompt"]
    call.all_is_well()
    failed = call.events[-2]
    assert failed["InvocationEventType"] == "ACTION_FAILED"
    assert failed["ActionData"]["ErrorType"] == "InvalidAudioSource"
    assert failed["ActionData"]["ErrorMessage"] == "Cannot access S3 bucket or audio file."


def test_a_recording_without_bucket_is_kept_and_delivered_once_there_is_one(there: Bucketful) -> None:
    call = there.calls["no bucket"]
    call.all_is_well()
    failed = call.events[-2]
    assert failed["InvocationEventType"] == "ACTION_FAILED"
    assert (failed["ActionData"]["ErrorType"], failed["ActionData"]["ErrorMessage"]) == ("InvalidActionParameter", TOO_LATE)
    assert (call.reason, call.code) == ("completed", 0)
    with pytest.raises(ClientError):
        there.client.head_bucket(Bucket="later")
    [row] = call.history.recordings
    assert (row.finished, row.delivered) == (True, False)
    kept = there.node.data / "recordings" / Path(row.path).name
    before = kept.read_bytes()
    there.client.create_bucket(Bucket="later")

    def delivered(history: CallHistory) -> bool:
        return history.recordings[0].delivered

    there.node.until(call.history.call.call, delivered, "the recording in its bucket", within=60.0)
    stored = there.client.get_object(Bucket="later", Key=row.key)["Body"].read()
    assert stored == before
    samples, _ = soundfile.read(io.BytesIO(stored))
    assert _level(samples[2000:-800], 1000) == pytest.approx(0.25, abs=0.02)


def _level(samples: Any, hertz: float) -> float:
    clock = np.arange(len(samples)) / 8000
    return float(2 * np.abs(np.mean(samples * np.exp(-2j * np.pi * hertz * clock))))
