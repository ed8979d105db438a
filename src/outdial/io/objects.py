"""Objects in buckets: folders of this machine by default, S3 (and what speaks it) by address (DESIGN section 6).

Keys never leave their bucket's folder: `.`, `..` and empty segments are refused, not mended.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

MOST_BYTES: Final = 50 * 1024 * 1024
"""Of a prompt (reference 10.1)."""
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


class ObjectFailed(Exception):
    """An object cannot be read or written: `reason` is one of `model.work`'s, `detail` says what and where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object as it is now."""

    version: str
    """Changes whenever the content does."""
    size: int


class Objects(Protocol):
    """Where prompts come from and recordings go. Every method raises `ObjectFailed`."""

    async def find(self, bucket: str, key: str) -> Found:
        """Look at an object."""

    async def fetch(self, bucket: str, key: str, scratch: Path) -> tuple[Found, Path]:
        """An object as a file: its own, or `scratch` (to be removed by the caller)."""

    async def store(self, path: Path, bucket: str, key: str) -> None:
        """Put a file; it is there whole or not at all."""


class LocalObjects:
    """Buckets as folders, `FOLDER/BUCKET/KEY`, made when first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, bucket: str, key: str) -> Found:
        path = self._path(bucket, key)
        return await asyncio.to_thread(self._look, path, bucket, key)

    async def fetch(self, bucket: str, key: str, scratch: Path) -> tuple[Found, Path]:
        return await self.find(bucket, key), self._path(bucket, key)

    async def store(self, path: Path, bucket: str, key: str) -> None:
        to = self._path(bucket, key)
        await asyncio.to_thread(self._copy, path, to, f"s3://{bucket}/{key}")

    def _path(self, bucket: str, key: str) -> Path:
        if not _BUCKET.fullmatch(bucket):
            raise ObjectFailed("not_found", f'"{bucket[:80]}" is not a bucket name (letters, digits, ".", "-" and "_")')
        parts = key.split("/")
        try:
            named = not {"", ".", ".."}.intersection(parts) and "\0" not in key and all(len(part.encode()) <= 255 for part in parts)
        except UnicodeEncodeError:
            named = False
        if not named:
            shown = key[:200].encode("ascii", "backslashreplace").decode()
            raise ObjectFailed("not_found", f'key "{shown}" cannot be a file (empty, "." or ".." between slashes, or over 255 bytes)')
        return self._folder.joinpath(bucket, *parts)

    def _look(self, path: Path, bucket: str, key: str) -> Found:
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            bucket_there = (self._folder / bucket).is_dir()
            what = f"no object {key}" if bucket_there else "no such bucket"
            raise ObjectFailed("not_found", f"s3://{bucket}: {what}; it would be the file {path}") from None
        except OSError as error:
            raise ObjectFailed("denied", f"{path}: {error.strerror}") from None
        if not path.is_file():
            raise ObjectFailed("not_found", f"{path} is not a file")
        return Found(version=f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}", size=status.st_size)

    def _copy(self, path: Path, to: Path, name: str) -> None:
        if not path.is_file():
            raise ObjectFailed("not_found", f"{path} is not there any more")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=to.parent, prefix=".part-") as part:
                new = Path(part) / "object"
                try:
                    os.link(path, new)
                except OSError:  # another file system
                    shutil.copyfile(path, new)
                new.replace(to)
        except OSError as error:
            raise ObjectFailed("denied", f"{name} cannot be written to {to}: {error.strerror}") from None


class S3Objects:
    """Buckets of S3, or of anything that speaks it at `endpoint`. Credentials and Region come from the standard AWS variables."""

    def __init__(self, endpoint: str | None = None, **options: Any) -> None:
        self._endpoint = endpoint
        self._options = options
        self._stores: dict[str, Any] = {}

    async def find(self, bucket: str, key: str) -> Found:
        import obstore

        try:
            meta = await obstore.head_async(await self._store(bucket), key)
        except ObjectFailed:
            raise
        except Exception as error:
            raise self._failed(error, bucket, key) from None
        return _found(meta)

    async def fetch(self, bucket: str, key: str, scratch: Path) -> tuple[Found, Path]:
        import obstore

        try:
            result = await obstore.get_async(await self._store(bucket), key)
            found = _found(result.meta)
            if found.size > MOST_BYTES:
                raise ObjectFailed("too_large", f"s3://{bucket}/{key} has {found.size:,} bytes, the most is {MOST_BYTES:,}")
            with scratch.open("wb") as file:
                async for chunk in result.stream():
                    await asyncio.to_thread(file.write, memoryview(chunk))
        except ObjectFailed:
            raise
        except Exception as error:
            raise self._failed(error, bucket, key) from None
        return found, scratch

    async def store(self, path: Path, bucket: str, key: str) -> None:
        import obstore

        if not path.is_file():
            raise ObjectFailed("not_found", f"{path} is not there any more")
        try:
            await obstore.put_async(await self._store(bucket), key, path, attributes={"Content-Type": "audio/wav"})
        except ObjectFailed:
            raise
        except Exception as error:
            raise self._failed(error, bucket, key) from None

    async def _store(self, bucket: str) -> Any:
        store = self._stores.get(bucket)
        if store is None:
            from obstore.store import S3Store

            retry = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
            options: dict[str, Any] = {
                "client_options": {"timeout": "30s", "connect_timeout": "5s"},
                "retry_config": retry,
                **self._options,
            }
            if self._endpoint is not None:
                options |= {"endpoint": self._endpoint, "virtual_hosted_style_request": False}
                options["client_options"] = {**options["client_options"], "allow_http": self._endpoint.startswith("http://")}
            if "access_key_id" not in options and (credentials := await asyncio.to_thread(_credentials)) is not None:
                options["credential_provider"] = credentials
                options.setdefault("region", credentials.config.get("region", "us-east-1"))
            store = self._stores[bucket] = S3Store(bucket, **options)
        return store

    def _failed(self, error: Exception, bucket: str, key: str) -> ObjectFailed:
        from obstore.exceptions import InvalidPathError, NotFoundError, PermissionDeniedError, UnauthenticatedError

        where = f"s3://{bucket}/{key}" + (f" at {self._endpoint}" if self._endpoint else "")
        first_line = str(error).split("\n", 1)[0][:300]
        if isinstance(error, (NotFoundError, FileNotFoundError)):
            return ObjectFailed("not_found", f"{where}: no such bucket or object")
        if isinstance(error, (InvalidPathError, ValueError)):  # no key that obstore takes
            return ObjectFailed("not_found", f"{where}: {first_line}")
        if isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError)):
            return ObjectFailed("denied", f"{where}: {first_line}")
        return ObjectFailed("unreachable", f"{where}: {first_line}")


def _credentials() -> Any | None:
    """What boto3 finds (variables, profiles, roles), or None where it is not installed: obstore then looks for variables and roles itself.
    Raises `ObjectFailed`. Blocks."""
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return None
    try:
        return Boto3CredentialProvider()
    except Exception as error:  # botocore's many, and ValueError for none at all
        why = "none are found" if isinstance(error, ValueError) else str(error)
        raise ObjectFailed("denied", f"AWS credentials: {why}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE") from None


def _found(meta: Any) -> Found:
    version = meta.get("version") or meta.get("e_tag") or meta["last_modified"].isoformat()
    return Found(version=str(version), size=meta["size"])
