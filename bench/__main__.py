"""Every bar of DESIGN 7 that has been built, in one table: `python -m bench [--only NAME …] [--json] [--write PAGE]`.

Each figure stands beside its floor of this very run, or beside a peer's figure that DESIGN quotes. The whole takes under six minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("PYTHONPATH", str(Path(__file__).parent.parent / "src"))
sys.path[:0] = [part for part in os.environ["PYTHONPATH"].split(os.pathsep) if part not in sys.path]

from . import calls, floors, media, virtual  # noqa: E402
from .measure import python_loop  # noqa: E402

Results = dict[str, dict[str, float]]


def media_rows() -> Results:
    """The engine beside the bare loop at 100 calls, and its timing at 400."""
    with tempfile.TemporaryDirectory() as name:
        bare, _ = media.run_floor(100, 5)
        share, _, _ = asyncio.run(media.Bench(Path(name)).run(100, 5, False, False))
        share_400, timing, _ = asyncio.run(media.Bench(Path(name)).run(400, 5, False, False))
    return {
        "media": {"share": 100 * share, "floor_share": 100 * bare},
        "timing": {"share": 25 * share_400, **{key: value for key, value in timing.items() if key in ("p50", "p99", "worst", "received")}},
    }


PARTS: dict[str, Callable[[], Results]] = {
    "floors": floors.floors,
    "setup": calls.set_up,
    "ivr": calls.ivr,
    "ivr_rate": calls.ivr_rate,
    "recording": calls.recording,
    "media": media_rows,
    "latency": calls.latency,
    "first_speech": calls.first_speech,
    "memory": calls.memory,
    "virtual": virtual.virtual,
}


class Row(NamedTuple):
    """One line of the table."""

    what: str
    measured: str
    beside: str
    bar: str
    met: bool


def rows(found: Results) -> list[Row]:
    """The table, of what was measured."""
    table: list[Row] = []

    def add(part: str, what: str, show: Callable[[dict[str, float]], tuple[str, str, str, bool]]) -> None:
        if part in found:
            try:
                table.append(Row(what, *show(found[part])))
            except KeyError as missing:
                table.append(Row(what, f"not measured: {missing} is missing", "", "", False))

    quoted = "quoted: Asterisk 22 + ARI {}, FreeSWITCH {}".format
    asgi = found.get("floors", {}).get("asgi_us", 0.0)
    request = f"a bare request {asgi / 1000:.3f} ms; " if asgi else ""

    add("setup", "set-up: CPU a call", lambda f: (
        f"{f['cpu_ms']:.2f} ms at {f['rate']:.0f} a second "
        f"(node {f['node_ms']:.2f}, engine {f['engine_ms']:.2f}, handler {f['handler_ms']:.2f})",
        request + quoted("3.0 to 3.9", "8 to 9"), "2 ms", f["cpu_ms"] <= 2))  # fmt: skip
    add("setup", "set-up: calls a second, clean", lambda f: (
        f"{f.get('clean_per_second', 0):.0f} ({f.get('cpu_ms_at_that', 0):.2f} ms CPU a call)", quoted("750 to 800", "200"), "500",
        f.get("clean_per_second", 0) >= 500))  # fmt: skip
    add("ivr", "IVR: CPU a call of 6.5 s", lambda f: (
        f"{f['cpu_ms']:.1f} ms (node {f['node_ms']:.1f}, engine {f['engine_ms']:.1f}, handler {f['handler_ms']:.1f}), "
        f"{f['heard_all']:.0f} of {f['calls']:.0f} heard all", quoted("21 to 30", "27 to 31"), "10 ms", f["cpu_ms"] <= 10))  # fmt: skip
    add("ivr_rate", "IVR: calls a second, clean", lambda f: (
        f"{f['clean_per_second']:.0f}", quoted("70 to 80", "60"), "100", f["clean_per_second"] >= 100))  # fmt: skip
    add("recording", "recording: CPU a call", lambda f: (
        f"{f['cpu_ms']:.1f} ms (node {f['node_ms']:.1f}, engine {f['engine_ms']:.1f})", quoted("34 to 37", "40"), "12 ms",
        f["cpu_ms"] <= 12))  # fmt: skip
    add("media", "media: CPU per 100 calls", lambda f: (
        f"{f['share']:.1f} % of a core", f"bare epoll loop {f['floor_share']:.1f} %", "9 %", f["share"] <= 9))  # fmt: skip
    add("timing", "packet timing at 400 calls, 99th", lambda f: (
        f"{f['p99']:.2f} ms (median {f['p50']:.2f}, worst {f['worst']:.1f})", quoted("0.3 to 2.3", "0.14"), "1 ms",
        f["p99"] <= 1))  # fmt: skip

    def timed(bar_median: float | None, bar: float, syncs: int) -> Callable[[dict[str, float]], tuple[str, str, str, bool]]:
        def show(f: dict[str, float]) -> tuple[str, str, str, bool]:
            sync = f["sync_ms"]
            met = f["p99_ms"] <= bar + syncs * sync and (bar_median is None or f["median_ms"] <= bar_median + sync)
            middle = "" if bar_median is None else f"{bar_median:g} ms + 1 sync / "
            wanted = f"{middle}{bar:g} ms" + (f" + {syncs} sync{'s' * (syncs > 1)}" if syncs else "")
            return f"{f['median_ms']:.1f} / {f['p99_ms']:.1f} ms", f"one sync {sync:.2f} ms (99th {f['sync_p99_ms']:.2f})", wanted, met

        return show

    add("invite", "request to INVITE, 5 a second, median / 99th", timed(2, 8, 2))
    add("prompt", "200 OK to first prompt packet, median / 99th", timed(None, 30, 1))
    add("silence", "key to silence, median / 99th", timed(None, 25, 0))
    add("create", "create, 50 a second, median / 99th", timed(2, 8, 2))
    add("first_speech", "first speech after the start", lambda f: (
        f"{f['seconds']:.1f} s (ready after {f['ready_seconds']:.1f} s)", "", "10 s", f["seconds"] <= 10))  # fmt: skip
    add("memory", "idle node, PSS", lambda f: (
        f"{f['idle_mb']:.0f} MB (node {f['idle_node_mb']:.0f}, engine {f['idle_engine_mb']:.0f})", "", "150 MB",
        f["idle_mb"] <= 150))  # fmt: skip
    add("memory", "a call in progress", lambda f: (f"{f['kb_a_call']:.0f} kB", "", "100 kB", f["kb_a_call"] <= 100))
    add("virtual", "a 60 s IVR call in virtual time", lambda f: (f"{f['cpu_ms']:.0f} ms", "", "60 ms", f["cpu_ms"] <= 60))
    return table


def machine() -> str:
    """What it ran on, and how busy that was."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    load = os.getloadavg()
    return (
        f"{os.cpu_count()} cores ({model}), Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}; "
        f"load {load[0]:.1f} over the last minute, of which this run is a part"
    )


NOTES = "## Where the time goes"


def notes_of(path: Path) -> str:
    """What people have written on the page, from `NOTES` on: it is kept."""
    text = path.read_text() if path.exists() else ""
    return text[text.index(NOTES) :] if NOTES in text else ""


def page(found: Results, took: float, notes: str) -> str:
    """`docs/performance.md`."""
    lines = [
        "# Performance",
        "",
        "Written by `python -m bench --write docs/performance.md`; `make bench` prints the same table. Each figure stands beside its floor",
        "of the same run, or beside a peer's figure that was measured once on a machine of this size and is quoted. CPU is user and system",
        "time of every process of the node, by the scheduler's own account; a shared machine makes all of it dearer, the floors too.",
        "",
        f"{datetime.date.today()}, {machine()}. The whole took {took:.0f} s.",
        "",
        "| what | measured | beside | bar | |",
        "|---|---|---|---|---|",
        *(f"| {row.what} | {row.measured} | {row.beside} | {row.bar} | {'met' if row.met else 'not met'} |" for row in rows(found)),
        "",
        "## Raw results",
        "",
        "```json",
        json.dumps(found, indent=1, default=float),
        "```",
        "",
        notes,
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*PARTS], metavar="NAME", help=f"one part alone: {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="the raw figures")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="also write the table and the raw figures as a page")
    options = parser.parse_args()
    begun, found = time.monotonic(), dict[str, dict[str, float]]()
    for name in options.only or PARTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        loop = python_loop()
        try:
            part = PARTS[name]()
        except Exception as error:  # one part that fails leaves the others their figures
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        for figures in part.values():
            figures["python_us"] = (loop + python_loop()) / 2
        found |= part
    took = time.monotonic() - begun
    if options.write is not None:
        options.write.write_text(page(found, took, notes_of(options.write)))
    if options.json:
        print(json.dumps(found, default=float))
        return
    table = rows(found)
    widths = [max((len(str(row[at])) for row in table), default=0) for at in range(4)]
    for row in table:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row[:4], widths, strict=True)), "" if row.met else "  not met")
    if "floors" in found:
        f = found["floors"]
        print(
            f"floors: bare ASGI request {f['asgi_us']:.0f} us, UDP packet out and in {f['udp_us']:.1f} us, "
            f"committed row {f['row_us']:.0f} us, 200,000 turns of a Python loop {f['python_us'] / 1000:.1f} ms"
        )
    print(f"{machine()}; took {took:.0f} s")


if __name__ == "__main__":
    main()
