"""The data folder: what stands where, who holds it, and who may read it (700 for folders, 600 for files)."""

from __future__ import annotations

import fcntl
import os
import select
from pathlib import Path
from typing import Any

import msgspec

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
LOCK_ATTEMPTS = 10
"""More than one: whoever asks `holder` holds the lock for a moment."""
LOCK_PAUSE_S = 0.02


class FolderError(Exception):
    """The data folder cannot be used. The text is one sentence; `hint` says how to mend it."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class Layout:
    """Where things stand under DATA. Making one touches nothing; reading commands use it on a stopped node's folder too."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.database = self.root / "outdial.db"
        self.keys = self.root / "keys.json"
        """Secrets of the access keys."""
        self.buckets = self.root / "buckets"
        self.recordings = self.root / "recordings"
        self.cache = self.root / "cache"
        self.node = self.root / "node.json"
        """Process id and addresses, while a node runs."""
        self.lock = self.root / "lock"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are made."""
        return self.buckets, self.recordings, self.cache

    def holder(self) -> int | None:
        """The process id of the node that holds the folder, or None. Raises `OSError` where the lock cannot be read."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _process_id(file.read(32))
        return None

    def running(self) -> dict[str, Any] | None:
        """What `node.json` says, where a node runs; else None."""
        if self.holder() is None:
            return None
        try:
            facts = msgspec.json.decode(self.node.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None  # it is just starting, or just ending
        return facts if isinstance(facts, dict) else None


class Folder(Layout):
    """The data folder as its node holds it: made by `hold`, given back by `release` (or by the process's end, whatever ends it)."""

    def __init__(self, root: str | Path) -> None:
        super().__init__(root)
        self._lock = -1

    @classmethod
    def hold(cls, root: str | Path) -> Folder:
        """Make what is missing and lock it for this process. Raises `FolderError`."""
        folder = cls(root)
        try:
            folder._make()
            folder._take_lock()
        except OSError as error:
            raise FolderError(f"the data folder {folder.root} cannot be used: {error.strerror}", "name another with --data DIR") from error
        return folder

    def announce(self, facts: dict[str, Any]) -> None:
        """Write `node.json`: the process id and what is given (addresses), in one step."""
        beside = self.node.with_suffix(".new")
        _write(beside, msgspec.json.format(msgspec.json.encode({"pid": os.getpid(), **facts})) + b"\n")
        os.replace(beside, self.node)

    def release(self) -> None:
        """Take `node.json` away and unlock."""
        if self._lock >= 0:
            self.node.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def _make(self) -> None:
        known = {path.name for path in (self.database, self.keys, self.node, self.lock, *self.folders)}
        if self.root.exists() and not self.root.is_dir():
            raise FolderError(f"the data folder {self.root} is a file", "name a folder with --data DIR")
        self.root.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        found = {path.name for path in self.root.iterdir()} - {"lost+found"}
        if found and not found & known:
            some = ", ".join(sorted(found)[:3])
            raise FolderError(
                f"{self.root} is no data folder: it holds other things ({some})", "name a new or empty folder with --data DIR"
            )
        self.root.chmod(PRIVATE_FOLDER)
        for path in self.folders:
            path.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
        for path in (self.database, self.keys):
            if path.exists():
                path.chmod(PRIVATE_FILE)

    def _take_lock(self) -> None:
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                select.select([], [], [], LOCK_PAUSE_S)
            else:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                self._lock = descriptor
                return
        holder = _process_id(os.read(descriptor, 32).decode(errors="replace"))
        os.close(descriptor)
        raise FolderError(
            f"the data folder {self.root} is held by a node that runs already (process {holder})",
            f"end that one (kill {holder}), or give this one a folder of its own with --data DIR",
        )


def _process_id(text: str) -> int:
    return int(text.strip() or 0) if text.strip().isdigit() else 0


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
