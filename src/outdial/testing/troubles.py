"""A node's neighbours with troubles of their own: an engine that waits or refuses, a disk that is full."""

from __future__ import annotations

from typing import Any

from ..io.media_files import MediaFiles
from ..media.engine import Engine
from ..media.files import RecordingFile
from ..model import media


class FillingFiles(MediaFiles):
    """Files on a disk that can be full."""

    def __init__(self) -> None:
        self.full = False

    def recording(self, path: str) -> RecordingFile:
        """A new file, whose disk may fill up while it is written."""
        return _Filling(super().recording(path), self)


class _Filling:
    def __init__(self, file: RecordingFile, disk: FillingFiles) -> None:
        self._file = file
        self._disk = disk

    def write(self, at: int, data: bytes) -> None:
        if self._disk.full and at > 44:
            raise OSError(28, "No space left on device")
        self._file.write(at, data)

    def truncate(self, size: int) -> None:
        self._file.truncate(size)

    def close(self) -> None:
        self._file.close()


class TroubledEngine(Engine):
    """The engine, which a scenario can tell to wait or to refuse."""

    waits = False
    """Commands are left lying until `go_on`."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.refuses: dict[str, str] = {}
        """Name of a command: the reason to refuse it for."""
        self._lying: list[media.Command] = []

    def command(self, command: media.Command, now: float) -> None:
        """Carry it out, refuse it, or leave it lying."""
        if self.waits:
            self._lying.append(command)
            return
        reason = self.refuses.get(type(command).__name__)
        if reason is not None and not isinstance(command, media.Configure):
            self._fail(command.id, command.stream, reason, "as the scenario wants it", now)
        else:
            super().command(command, now)

    def go_on(self, now: float) -> None:
        """Do what was left lying."""
        self.waits = False
        lying, self._lying = self._lying, []
        for command in lying:
            self.command(command, now)
