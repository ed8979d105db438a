"""Files for the media engine: prompts mapped, recordings written in place."""

from __future__ import annotations

import mmap
import os

from ..media.files import RecordingFile


class _Recording:
    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)

    def write(self, at: int, data: bytes) -> None:
        while data:
            written = os.pwrite(self._fd, data, at)
            at, data = at + written, data[written:]

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        os.close(self._fd)


class MediaFiles:
    """Satisfies `media.files.Files`."""

    def prompt(self, path: str) -> bytes | memoryview:
        """The file, mapped. Raises `OSError`."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(fd).st_size == 0:
                return b""
            return memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_READ))
        finally:
            os.close(fd)

    def recording(self, path: str) -> RecordingFile:
        """A new file. Raises `OSError`."""
        return _Recording(path)
