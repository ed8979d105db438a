"""What measurements share: CPU and memory of whole process trees by the kernel's account, percentiles, free ports."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil


def tree(pid: int) -> list[int]:
    """A process and everything below it."""
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]


def cpu_of(pid: int) -> float:
    """CPU seconds of a process's threads so far, from the scheduler's own account (nanoseconds, not ticks)."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        except (OSError, IndexError):
            continue  # the thread has just ended
    return total / 1e9


def cpu_of_each(pid: int) -> dict[int, float]:
    """CPU seconds by process of a tree."""
    found = {}
    for one in tree(pid):
        try:
            found[one] = cpu_of(one)
        except OSError:
            continue
    return found


def cpu_of_threads(pid: int) -> dict[int, float]:
    """CPU seconds by thread of one process."""
    return {
        int(task): int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0]) / 1e9 for task in os.listdir(f"/proc/{pid}/task")
    }


def spent(before: dict[int, float], after: dict[int, float]) -> dict[int, float]:
    """CPU seconds between two looks, by process; what was started between counts whole."""
    return {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}


def memory_of(pids: Iterable[int], field: str = "Pss") -> int:
    """Bytes of proportional (or, by `field`, other) memory of these processes."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{field}:")) * 1024
    return total


def name_of(pid: int) -> str:
    """What a process of the node is: `node`, `engine`, `handler`, `speech`, `carrier`."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return "gone"
    line = " ".join(words)
    for part, name in (("media_process", "engine"), ("bootstrap", "handler"), ("speech_process", "speech"), ("carrier", "carrier")):
        if part in line and " up " not in line:
            return name
    return "node" if " up " in line else words[0].rpartition("/")[2] if words else "?"


def percentile(samples: Sequence[float], part: float) -> float:
    """The sample below which `part` (0 to 1) of them lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def free_port(kind: int = socket.SOCK_DGRAM, *, room: int = 1) -> int:
    """An even port on loopback with `room` free ones from it on."""
    while True:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1] & ~1
        try:
            for at in range(room):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port + at))
            return port
        except OSError:
            continue


def python_loop() -> float:
    """CPU microseconds of a fixed piece of pure Python: how fast this machine is at this moment."""
    begun = time.process_time()
    total = 0
    for number in range(200_000):
        total += number & 7
    return (time.process_time() - begun) * 1e6
