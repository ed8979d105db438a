"""Rows that need whole calls through a whole node."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import flows
from .measure import free_port, memory_of, name_of, percentile, tree
from .rig import Caller, Node, Placed
from .sipp import Callee
from .telephone import Heard, Telephones

Figures = dict[str, float]
CORES = os.cpu_count() or 1


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        yield Path(name)


def fsyncs(folder: Path, times: int = 60) -> Figures:
    """Milliseconds of one fsync of as many bytes as a small commit appends: the floor of everything that is synced."""
    descriptor = os.open(folder / "fsync", os.O_WRONLY | os.O_CREAT)
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        os.write(descriptor, bytes(4120))
        os.fsync(descriptor)
        taken.append(1000 * (time.perf_counter() - begun))
    os.close(descriptor)
    return {"median": percentile(taken, 0.5), "p99": percentile(taken, 0.99)}


def _shares(placed: Placed) -> Figures:
    done = max(1, placed.reasons.total())
    return {f"{name}_ms": 1000 * seconds / done for name, seconds in placed.cpu.items()}


def _clean(placed: Placed) -> bool:
    """All went through, and the two cores could go on like that: what runs ahead of its work is no rate."""
    kept_up = sum(placed.cpu.values()) <= CORES * placed.wall
    return kept_up and placed.statuses[201] == placed.calls == placed.reasons["completed"]


def _run(placed: Placed) -> Figures:
    return {"cpu_ms": placed.cpu_ms, **_shares(placed), "calls": placed.calls, "refused": placed.calls - placed.statuses[201]}


async def _set_up(folder: Path) -> dict[str, Figures]:
    with Callee(folder, 240) as callee, Node(folder, handler=flows.SETUP, trunk=callee.uri) as node:
        await node.provision()
        caller = Caller(node)
        await caller.run(60, 30)
        found: dict[str, Figures] = {"create": await _creates(caller, folder)}
        found["setup"] = {}
        for rate in (100, 150, 200, 250, 300, 400, 500, 600, 800):
            placed = await caller.run(3 * rate, rate)
            if rate == 100:
                found["setup"] = _run(placed) | {"rate": rate}
            if not _clean(placed):
                break
            found["setup"] |= {"clean_per_second": rate, "cpu_ms_at_that": placed.cpu_ms}
        return found


async def _creates(caller: Caller, folder: Path) -> Figures:
    before = fsyncs(folder, 30)
    placed = await caller.run(300, 50)
    after = fsyncs(folder, 30)
    took = [1000 * one for one in placed.took]
    return {
        "median_ms": percentile(took, 0.5),
        "p99_ms": percentile(took, 0.99),
        "sync_ms": (before["median"] + after["median"]) / 2,
        "sync_p99_ms": max(before["p99"], after["p99"]),
        "refused": placed.calls - placed.statuses[201],
    }


def set_up() -> dict[str, Figures]:
    """Set-up CPU and calls a second, and how long a create takes."""
    with _folder() as folder:
        return asyncio.run(_set_up(folder))


async def _flow(folder: Path, handler: str, calls: int, rate: float, *, talk: bool = False) -> tuple[Placed, list[Heard]]:
    sip, rtp = free_port(), free_port(room=2)
    with (
        Telephones(folder, sip, rtp, key_after=flows.KEY_AFTER, talk=talk) as phones,
        Node(folder, handler=handler, trunk=phones.uri) as node,
    ):
        flows.write_prompts(node.data)
        await node.provision()
        caller = Caller(node)
        await caller.run(3, 3)
        placed = await caller.run(calls, rate)
        if os.environ.get("BENCH_KEEP_LOG"):
            Path(os.environ["BENCH_KEEP_LOG"]).write_text(node.log())
        return placed, [one for one in phones.close() if one.mark in placed.asked_at]


def ivr(rate: float = 20.0, seconds: float = 10.0) -> dict[str, Figures]:
    """CPU of an IVR call of 6.5 s, at a rate that leaves the machine room."""
    with _folder() as folder:
        placed, heard = asyncio.run(_flow(folder, flows.IVR, round(rate * seconds), rate))
    good = sum(one.second_at > 0 and one.ended for one in heard)
    return {"ivr": _run(placed) | {"rate": rate, "heard_all": good}}


def ivr_rate() -> dict[str, Figures]:
    """IVR calls a second, clean: every call hears both prompts and is hung up."""
    best: Figures = {}
    for rate in (30, 50, 75, 100):
        with _folder() as folder:
            placed, heard = asyncio.run(_flow(folder, flows.IVR, 8 * rate, rate))
        good = sum(one.second_at > 0 and one.ended for one in heard)
        best.setdefault("clean_per_second", 0.0)
        if not _clean(placed) or good < placed.calls:
            best |= {"tried": rate, "heard_all": good, "of": placed.calls}
            break
        best |= {"clean_per_second": rate, "cpu_ms_at_that": placed.cpu_ms}
    return {"ivr_rate": best}


def recording(rate: float = 15.0, seconds: float = 10.0) -> dict[str, Figures]:
    """CPU of the same call with three seconds recorded in place of the second prompt; the callee talks throughout."""
    with _folder() as folder:
        placed, _ = asyncio.run(_flow(folder, flows.RECORDING, round(rate * seconds), rate, talk=True))
    return {"recording": _run(placed) | {"rate": rate}}


def latency(calls: int = 100) -> dict[str, Figures]:
    """At five calls a second: request to INVITE, 200 to first prompt packet, key to silence."""
    with _folder() as folder:
        before = fsyncs(folder, 30)
        placed, heard = asyncio.run(_flow(folder, flows.IVR, calls, 5.0))
        after = fsyncs(folder, 30)
    sync = {"sync_ms": (before["median"] + after["median"]) / 2, "sync_p99_ms": max(before["p99"], after["p99"])}
    samples = {
        "invite": [one.invite_at - placed.asked_at[one.mark] for one in heard],
        "prompt": [one.first_at - one.answered_at for one in heard if one.first_at],
        "silence": [max(0.0, one.silent_at - one.key_at) for one in heard if one.key_at],
    }
    return {
        name: {"median_ms": 1000 * percentile(found, 0.5), "p99_ms": 1000 * percentile(found, 0.99), "calls": len(found)} | sync
        for name, found in samples.items()
    }


async def _first_speech(folder: Path) -> Figures:
    sip, rtp = free_port(), free_port(room=2)
    with Telephones(folder, sip, rtp) as phones:
        begun = time.time()
        with Node(folder, handler=flows.SPEAK, trunk=phones.uri) as node:
            ready = time.time()
            await node.provision()
            await Caller(node).run(1, 1)
            (heard,) = phones.close()
    return {"seconds": heard.voice_at - begun, "ready_seconds": ready - begun}


def first_speech() -> dict[str, Figures]:
    """From the start of the node's process to the first packet of speech at the callee."""
    with _folder() as folder:
        return {"first_speech": asyncio.run(_first_speech(folder))}


async def _memory(folder: Path, calls: int) -> Figures:
    with Callee(folder, 120) as callee, Node(folder, handler=flows.HOLD, trunk=callee.uri) as node:

        def look() -> dict[str, int]:
            found: dict[str, int] = {}
            for pid in tree(node.process.pid):
                found[name_of(pid)] = found.get(name_of(pid), 0) + memory_of((pid,))
            return found

        idle = look()
        await node.provision()
        caller = Caller(node)
        await caller.run(50, 25, within=3)
        before = look()
        await caller.run(calls, 50, within=3)
        after = look()
    ours = [name for name in before if name != "handler"]
    return {
        "idle_mb": sum(size for name, size in idle.items() if name != "handler") / 1e6,
        **{f"idle_{name}_mb": size / 1e6 for name, size in idle.items()},
        "kb_a_call": sum(after[name] - before[name] for name in ours) / calls / 1e3,
    }


def memory() -> dict[str, Figures]:
    """PSS of an idle node before its first call, and what a call in progress adds."""
    with _folder() as folder:
        return {"memory": asyncio.run(_memory(folder, 200))}
