"""Resident memory of process groups, by psutil."""

from __future__ import annotations

import os

import psutil


def resident_mb(groups: frozenset[int]) -> dict[int, int]:
    """The resident memory of each group's processes together, in MB (shared pages count in each)."""
    sums = dict.fromkeys(groups, 0)
    for pid in psutil.pids():
        try:
            group = os.getpgid(pid)
            if group in sums:
                sums[group] += psutil.Process(pid).memory_info().rss
        except (psutil.Error, OSError):
            continue  # it ended meanwhile
    return {group: total // (1024 * 1024) for group, total in sums.items()}
