"""Notices that a function's files changed, on loopback nodes: looks at times and sizes off the loop, within bounds (DESIGN 6, reload)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ..model.ids import FunctionName
from ..model.workers import FilesChanged, FunctionSpec

EVERY_S = 0.25
MAX_FILES = 2000
MAX_DEPTH = 8
SUFFIXES = (".py", ".js", ".mjs", ".cjs", ".json")
SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})

Snapshot = dict[str, tuple[int, int, int]]
"""Of each file: when it was changed, its size, its inode."""


def snapshot(target: str) -> Snapshot:
    """The code beside a handler: its folder and those below, but no installed packages; at most `MAX_FILES` files."""
    root = Path(target)
    found: Snapshot = {}
    folders = [(str(root if root.is_dir() else root.parent), 0)]
    while folders and len(found) < MAX_FILES:
        folder, depth = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name in SKIPPED:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if depth < MAX_DEPTH and not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                            folders.append((entry.path, depth + 1))
                    elif entry.name.endswith(SUFFIXES):
                        facts = entry.stat()
                        found[entry.path] = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        except OSError:
            continue  # it went away meanwhile
    return found


class FileWatch:
    """Gives `FilesChanged` once what changed has been still for one look (an editor may still be writing)."""

    def __init__(self, give: Callable[[FilesChanged], None], loop: asyncio.AbstractEventLoop, every_s: float = EVERY_S) -> None:
        self._give = give
        self._loop = loop
        self._every = every_s
        self._targets: dict[FunctionName, str] = {}
        self._known: dict[FunctionName, Snapshot] = {}
        self._unsettled: dict[FunctionName, Snapshot] = {}
        self._task: asyncio.Task[None] | None = None
        self.looks = 0
        """How often it has looked."""

    def watch(self, functions: Iterable[FunctionSpec]) -> None:
        """Watch these, in place of those before."""
        self._targets = {spec.name: spec.target for spec in functions if spec.kind != "http"}
        self._known = {name: known for name, known in self._known.items() if name in self._targets}
        self._unsettled.clear()
        if self._targets and self._task is None:
            self._task = self._loop.create_task(self._look_again_and_again())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_again_and_again(self) -> None:
        while True:
            targets = dict(self._targets)
            seen = await asyncio.to_thread(lambda wanted: {name: snapshot(target) for name, target in wanted.items()}, targets)
            for name, now_seen in seen.items():
                if self._targets.get(name) == targets[name]:
                    self._compare(name, now_seen)
            self.looks += 1
            await asyncio.sleep(self._every)

    def _compare(self, name: FunctionName, seen: Snapshot) -> None:
        known = self._known.setdefault(name, seen)
        if seen == known:
            self._unsettled.pop(name, None)
        elif seen == self._unsettled.get(name):
            del self._unsettled[name]
            self._known[name] = seen
            self._give(FilesChanged(function=name))
        else:
            self._unsettled[name] = seen
