"""Which processes a node has under it, and whether they have gone."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def children_of(pid: int) -> dict[int, str]:
    """Every process below this one, with its command line."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found: dict[int, str] = {}
    below = {pid}
    while below:
        below = {child for child, parent in parents.items() if parent in below and child not in found}
        found.update({child: _command(child) for child in below})
    return found


def child_of(pid: int, words: str) -> int:
    """The one child whose command line holds these words. Raises AssertionError where there is none, or more than one."""
    found = [child for child, command in children_of(pid).items() if words in command]
    assert len(found) == 1, (words, children_of(pid))
    return found[0]


def gone(pids: Mapping[int, str], within: float) -> dict[int, str]:
    """Wait until these have ended; those that have not."""
    return until(lambda: {pid: command for pid, command in pids.items() if _lives(pid, command)}, within)


def until(left: Callable[[], dict[int, str]], within: float) -> dict[int, str]:
    end = time.monotonic() + within
    while (found := left()) and time.monotonic() < end:
        select.select([], [], [], 0.02)
    return found


def _lives(pid: int, command: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and _command(pid) == command


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
