"""Buckets that are folders: what is there is found, what is not says where it would be, and no key leaves its bucket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from outdial.io.objects import LocalObjects, ObjectFailed


def failure(objects: LocalObjects, bucket: str, key: str) -> ObjectFailed:
    with pytest.raises(ObjectFailed) as caught:
        asyncio.run(objects.find(bucket, key))
    return caught.value


def test_an_object_is_its_file(tmp_path: Path) -> None:
    (tmp_path / "b" / "p").mkdir(parents=True)
    (tmp_path / "b" / "p" / "k #1.wav").write_bytes(b"12345")
    objects = LocalObjects(tmp_path)
    found, path = asyncio.run(objects.fetch("b", "p/k #1.wav", tmp_path / "scratch"))
    assert found.size == 5
    assert path == tmp_path / "b" / "p" / "k #1.wav"
    assert not (tmp_path / "scratch").exists()


def test_the_version_changes_with_the_content(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    (tmp_path / "new.wav").write_bytes(b"aaaa")
    asyncio.run(objects.store(tmp_path / "new.wav", "b", "k"))
    before = asyncio.run(objects.find("b", "k"))
    assert asyncio.run(objects.find("b", "k")) == before
    (tmp_path / "newer.wav").write_bytes(b"bbbb")
    asyncio.run(objects.store(tmp_path / "newer.wav", "b", "k"))
    assert asyncio.run(objects.find("b", "k")).version != before.version


def test_what_is_missing_is_named_with_the_place_where_it_would_be(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    error = failure(objects, "nowhere", "k.wav")
    assert error.reason == "not_found"
    assert error.detail == f"s3://nowhere: no such bucket; it would be the file {tmp_path}/nowhere/k.wav"
    (tmp_path / "b").mkdir()
    assert failure(objects, "b", "k.wav").detail == f"s3://b: no object k.wav; it would be the file {tmp_path}/b/k.wav"
    (tmp_path / "b" / "folder").mkdir()
    assert failure(objects, "b", "folder").detail == f"{tmp_path}/b/folder is not a file"
    (tmp_path / "b" / "file").write_bytes(b"")
    assert failure(objects, "b", "file/k").reason == "not_found"


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../secret", "a/../../secret", "a//b", "./a", "a/.", "a/", "a\0b", "x" * 256, "\ud800"])
def test_no_key_leaves_its_bucket(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    objects = LocalObjects(tmp_path / "buckets")
    assert failure(objects, "b", key).reason == "not_found"
    if key:
        with pytest.raises(ObjectFailed):
            asyncio.run(objects.store(tmp_path / "secret", "b", key))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b", "buckets", "secret"]


@pytest.mark.parametrize("bucket", ["", ".", "..", "a/b", ".hidden", "x" * 64, "ü"])
def test_no_bucket_is_another_folder(tmp_path: Path, bucket: str) -> None:
    assert "is not a bucket name" in failure(LocalObjects(tmp_path), bucket, "k").detail


def test_what_is_stored_is_there_whole_and_stays_when_the_source_is_replaced(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "buckets")
    recording = tmp_path / "r.wav"
    recording.write_bytes(b"one")
    asyncio.run(objects.store(recording, "new-bucket", "a/b/c.wav"))
    stored = tmp_path / "buckets" / "new-bucket" / "a" / "b" / "c.wav"
    assert stored.read_bytes() == b"one"
    recording.unlink()
    assert stored.read_bytes() == b"one"
    assert [path.name for path in stored.parent.iterdir()] == ["c.wav"]


def test_a_source_that_has_gone(tmp_path: Path) -> None:
    with pytest.raises(ObjectFailed) as caught:
        asyncio.run(LocalObjects(tmp_path / "buckets").store(tmp_path / "r.wav", "b", "k"))
    assert (caught.value.reason, caught.value.detail) == ("not_found", f"{tmp_path}/r.wav is not there any more")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "r.wav").write_bytes(b"one")
    (tmp_path / "buckets").write_bytes(b"a file in the way")
    with pytest.raises(ObjectFailed) as caught:
        asyncio.run(LocalObjects(tmp_path / "buckets").store(tmp_path / "r.wav", "b", "k"))
    assert caught.value.reason == "denied"
    assert caught.value.detail == f"s3://b/k cannot be written to {tmp_path}/buckets/b/k: Not a directory"
