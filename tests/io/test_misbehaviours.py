"""What a handler may do to us (reference/processes 2.2): each in Python and in JavaScript, through real processes, beside a call of another
function that goes on undisturbed. The 20 s are shortened to what the test's handlers need."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from helpers.beside import good_function, undisturbed
from helpers.handler_node import HandlerNode, invoke, javascript, python, run
from helpers.proc import needs_proc
from outdial.io.file_watch import FileWatch
from outdial.model.invocations import BadReply, InvocationFailed, InvocationResult, Replied
from outdial.model.records import InvocationDone, OutputRow
from outdial.model.workers import FunctionSpec, WorkerExited

LANGUAGES = ("python", "node")
PYTHON_TOP = """
import json, os, signal, subprocess, sys, threading, time
OK = {"SchemaVersion": "1.0"}
def attributes(event):
    return event["CallDetails"].get("TransactionAttributes", {})
def handler(event, context):
    if attributes(event).get("well"):
        return {"SchemaVersion": "1.0", "TransactionAttributes": {"pid": os.getpid()}}
"""
NODE_TOP = """
import fs from "node:fs"; import child_process from "node:child_process"; import process from "node:process";
const OK = { SchemaVersion: "1.0" };
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export const handler = (event, context, callback) => {
    const attributes = event.CallDetails.TransactionAttributes ?? {};
    if (attributes.well) return Promise.resolve({ SchemaVersion: "1.0", TransactionAttributes: { pid: process.pid } });
    return main(event, context, callback, attributes);
};
"""


def bad(language: str, folder: Path, code: str, **more: Any) -> FunctionSpec:
    """A function that misbehaves unless the call's attributes say `well`."""
    if language == "python":
        body = "".join(f"    {line}\n" for line in code.strip("\n").split("\n"))
        return python(folder, PYTHON_TOP + body, "bad", **more)
    keyword = "async function" if "await" in code or "return" in code else "function"
    return javascript(folder, NODE_TOP + f"{keyword} main(event, context, callback, attributes) {{\n{code}\n}}\n", "bad", **more)


async def well(node: HandlerNode) -> int:
    """The function answers another call; the process that did."""
    found = await node.ask(invoke("bad", attributes={"well": True}))
    assert isinstance(found, Replied)
    assert found.attributes is not None
    pid = found.attributes["pid"]
    assert isinstance(pid, int)
    return pid


def failed(found: InvocationResult) -> InvocationFailed:
    assert isinstance(found, InvocationFailed), found
    return found


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_01_never_answers(tmp_path: Path, language: str) -> None:
    code = {"python": "while True: pass", "node": "while (true) {}"}[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code), handler_timeout_s=2.0, warn_after_s=0.5) as node:
            first = await well(node)
            async with undisturbed(node):
                asked = invoke("bad")
                hanging = node.begin(asked)
                assert await well(node) != first  # other calls of the function go to other workers meanwhile
                assert failed(await hanging).reason == "timeout"
                assert len(node.noted("no answer from handler after 0.5 s: 0.0 s of it waiting for a worker, 0.5 s in the handler")) == 1
                assert len(node.killed) == 1
                assert node.done(asked).outcome == "timeout"
                assert await well(node) != first

    run(main)


def test_02_answers_shortly_before_its_time_is_over(tmp_path: Path, language: str) -> None:
    code = {"python": "time.sleep(1.0); return OK", "node": "await sleep(1000); return OK"}[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code), handler_timeout_s=3.0) as node:
            async with undisturbed(node):
                assert isinstance(await node.ask(invoke("bad")), Replied)
            assert node.killed == []

    run(main)


RAISES = {
    "python": {"raises": 'raise KeyError("no such step")', "recursion": "return handler(event, context)"},
    "node": {"raises": 'throw new TypeError("no such step")', "recursion": "return main(event, context, callback, attributes);"},
}


def test_03_raises(tmp_path: Path, language: str) -> None:
    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, RAISES[language]["raises"])) as node:
            async with undisturbed(node):
                asked = invoke("bad")
                found = failed(await node.ask(asked))
                assert found.reason == "failed"
                assert "no such step" in found.detail
                done = node.done(asked)
                assert done.attempts == 2
                assert f"{tmp_path}/bad." in done.error  # the frames name the file
                assert "bootstrap" not in done.error
                assert len([given for given in node.given if given.call == asked.call]) == 2
                await well(node)
            assert len([start for start in node.started if start.spec.name == "bad"]) == 1

    run(main)


def test_03_overflows_its_stack(tmp_path: Path, language: str) -> None:
    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, RAISES[language]["recursion"])) as node, undisturbed(node):
            found = failed(await node.ask(invoke("bad")))
            assert "RecursionError" in found.detail or "RangeError" in found.detail
            await well(node)

    run(main)


def test_03_rejects_its_promise(tmp_path: Path) -> None:
    async def main() -> None:
        code = 'await sleep(1); return Promise.reject("no reason")'
        async with HandlerNode(good_function(tmp_path), bad("node", tmp_path, code)) as node, undisturbed(node):
            assert failed(await node.ask(invoke("bad"))).detail == "the handler raised string: no reason"

    run(main)


DEATHS = {
    "python": {
        "exits": ("os._exit(3)", "status 3"),
        "says exit": ("sys.exit(4)", "status 4"),
        "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        "crashes": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    },
    "node": {
        "exits": ("process.exit(3)", "status 3"),
        "throws outside": ('setTimeout(() => { throw new Error("late") }, 1); await sleep(5000)', "nothing caught: Error: late"),
        "is killed": ('process.kill(process.pid, "SIGKILL"); await sleep(5000)', "SIGKILL"),
        "crashes": ("process.abort()", "SIGABRT"),
    },
}


@pytest.mark.parametrize(("language", "how"), [(language, how) for language in LANGUAGES for how in DEATHS[language]])
def test_04_dies_with_an_event(tmp_path: Path, language: str, how: str) -> None:
    code, words = DEATHS[language][how]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node, undisturbed(node):
            first = await well(node)
            asked = invoke("bad")
            assert words in failed(await node.ask(asked)).detail
            assert node.done(asked).attempts == 2
            refused = failed(await node.ask(invoke("bad")))  # a second event of which it dies: back-off, and calls fail at once
            assert "keep dying" in refused.detail
            starts = len(node.started)
            await node.until(lambda: len(node.started) > starts)
            assert await well(node) != first

    run(main)


BROKEN = {
    "python": {
        "a missing package": ("\n\nimport nothing_of_that_name\n", 'bad.py, line 3: ModuleNotFoundError: No module named'),
        "a syntax error": ("\ndef handler(event, context)\n    return 1\n", "bad.py, line 2: SyntaxError: "),
        "no such name": ("def other(event, context): pass\n", "AttributeError: module 'bad' has no attribute 'handler'"),
        "an exit": ("import sys\nsys.exit(1)\n", "bad.py, line 2: SystemExit: 1"),
    },
    "node": {
        "a missing package": ("\n\nimport x from 'nothing-of-that-name'\n", "bad.mjs: Error: Cannot find package 'nothing-of-that-name'"),
        "a syntax error": ("\nexport const handler = async ( => 1\n", "bad.mjs, line 2: SyntaxError: "),
        "no such name": ("export const other = 1\n", "bad.mjs exports no function handler"),
        "an exception": ("\nthrow new Error('at load')\n", "bad.mjs, line 2: Error: at load"),
    },
}  # fmt: skip


@pytest.mark.parametrize(("language", "how"), [(language, how) for language in LANGUAGES for how in BROKEN[language]])
def test_05_cannot_be_loaded_and_is_mended(tmp_path: Path, language: str, how: str) -> None:
    code, words = BROKEN[language][how]
    spec = python(tmp_path, code, "bad") if language == "python" else javascript(tmp_path, code, "bad")
    (tmp_path / "good").mkdir()

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path / "good"), spec) as node:
            watch = FileWatch(node.give, asyncio.get_running_loop(), every_s=0.02)
            watch.watch([spec])
            try:
                async with undisturbed(node):
                    await node.until(lambda: node.states["bad"].state == "broken")
                    assert words in node.states["bad"].detail
                    assert words in failed(await node.ask(invoke("bad"))).detail
                    bad(language, tmp_path, "pass" if language == "python" else "")
                    await node.until(lambda: node.states["bad"].state == "served")
                    await well(node)
            finally:
                await watch.close()

    run(main)


def test_05_a_file_that_does_not_exist(tmp_path: Path, language: str) -> None:
    spec = bad(language, tmp_path, "pass" if language == "python" else "")
    Path(spec.target).unlink()

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), spec) as node, undisturbed(node):
            assert f"{spec.target} does not exist" in failed(await node.ask(invoke("bad"))).detail
            assert node.states["bad"].state == "broken"

    run(main)


def test_05_an_interpreter_that_does_not_exist(tmp_path: Path, language: str) -> None:
    spec = bad(language, tmp_path, "pass" if language == "python" else "", interpreter="/nowhere/interpreter")

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), spec) as node, undisturbed(node):
            assert "the interpreter /nowhere/interpreter of bad was not found" in failed(await node.ask(invoke("bad"))).detail

    run(main)


def test_06_prints_much_more_than_is_kept(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'line = "x" * 99 + "\\n"\nfor _ in range(1000): sys.stdout.write(line * 200)\nreturn OK',
        "node": 'const line = ("x".repeat(99) + "\\n").repeat(200); for (let i = 0; i < 1000; i++) process.stdout.write(line); return OK',
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node:
            async with undisturbed(node):
                asked = invoke("bad")
                assert isinstance(await node.ask(asked), Replied)
                await node.until(lambda: any("bytes left out" in line for line in node.output(asked)))
            lines = node.output(asked)
            kept = sum(len(line) + 1 for line in lines if line.startswith("x"))
            assert 0.9e6 < kept <= 1.06e6
            left_out = sum(int(line[1:].split()[0]) for line in lines if line.startswith("["))
            assert abs(kept + left_out - 20_000_000) < 1000

    run(main)


def test_06_prints_for_ever_and_answers_all_the_same(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'threading.Thread(target=lambda: [print("y" * 1000) for _ in iter(int, 1)], daemon=True).start()\nreturn OK',
        "node": 'const p = () => { for (let i = 0; i < 100; i++) console.log("y".repeat(1000)); setImmediate(p) }; p(); return OK',
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node, undisturbed(node):
            assert isinstance(await node.ask(invoke("bad")), Replied)
            await well(node)
            await well(node)

    run(main)


def test_06_prints_binary_and_lines_without_end(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'os.write(1, bytes(range(256)) + b"\\n"); os.write(2, b"z" * 20000 + b"\\nend"); return OK',
        "node": 'fs.writeSync(1, Buffer.concat([Buffer.from([...Array(256).keys()]), Buffer.from("\\n")]));'
        'fs.writeSync(2, "z".repeat(20000) + "\\nend"); return OK',
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node, undisturbed(node):
            asked = invoke("bad")
            assert isinstance(await node.ask(asked), Replied)
            rows = [row for row in node.records if isinstance(row, OutputRow) and row.call == asked.call]
            errors = [row.text for row in rows if row.stream == "stderr"]
            assert errors == ["z" * 8192, f"[{20000 - 8192} bytes left out] end"]
            assert "\ufffd" in "".join(row.text for row in rows if row.stream == "stdout")

    run(main)


HUGE = {
    "python": {
        "over 6 MB": 'return {"SchemaVersion": "1.0", "x": "x" * 7000000}',
        "10,000 levels": "deep = 1\nfor _ in range(10000): deep = [deep]\nreturn {'SchemaVersion': '1.0', 'Actions': deep}",
        "1,000,000 levels": "deep = 1\nfor _ in range(1000000): deep = [deep]\nreturn {'SchemaVersion': '1.0', 'Actions': deep}",
    },
    "node": {
        "over 6 MB": 'return { SchemaVersion: "1.0", x: "x".repeat(7000000) }',
        "10,000 levels": "let deep = 1; for (let i = 0; i < 10000; i++) deep = [deep]; return { ...OK, Actions: deep }",
        "1,000,000 levels": "let deep = 1; for (let i = 0; i < 1000000; i++) deep = [deep]; return { ...OK, Actions: deep }",
    },
}  # fmt: skip


@pytest.mark.parametrize("how", ["over 6 MB", "10,000 levels", "1,000,000 levels"])
def test_07_answers_with_too_much(tmp_path: Path, language: str, how: str) -> None:
    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, HUGE[language][how])) as node, undisturbed(node):
            first = await well(node)
            found = await node.ask(invoke("bad"))
            assert isinstance(found, BadReply)
            assert found.message == "Error while reading actions list."
            assert await well(node) == first

    run(main)


@pytest.mark.parametrize("frame", ['struct.pack("!I", 100_000_000)', 'struct.pack("!I", 4) + b"junk"', 'struct.pack("!I", 2) + b"{}"'])
def test_07_breaks_the_frames_of_its_worker(tmp_path: Path, frame: str) -> None:
    code = "import gc, struct\n(link,) = [o for o in gc.get_objects() if type(o).__name__ == 'Link']\n"
    code += f"link.socket.sendall({frame})\ntime.sleep(60)"

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad("python", tmp_path, code), handler_retries=0) as node, undisturbed(node):
            assert "SIGKILL" in failed(await node.ask(invoke("bad"))).detail
            await well(node)

    run(main)


ODD = [
    ("None", "null", InvocationFailed, ""),
    ("7", "7", BadReply, ""),
    ('"Hangup"', '"Hangup"', BadReply, ""),
    ("[]", "[]", BadReply, ""),
    ('{"actions": []}', "{actions: []}", BadReply, "SchemaVersion"),
    ('{**OK, "Actions": "Hangup"}', '{...OK, Actions: "Hangup"}', BadReply, "Actions"),
    ('{**OK, "Actions": [{"Type": 7}]}', "{...OK, Actions: [{Type: 7}]}", BadReply, "Actions[0].Type"),
    ('{**OK, "TransactionAttributes": 1}', "{...OK, TransactionAttributes: 1}", BadReply, "TransactionAttributes"),
]


def test_08_answers_with_something_else(tmp_path: Path, language: str) -> None:
    answers = ", ".join(f"({one[0]})" if language == "python" else f"({one[1]})" for one in ODD)
    code = {
        "python": f'return [{answers}][attributes(event)["n"]]',
        "node": f"return [{answers}][attributes.n]",
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node:
            async with undisturbed(node):
                for n, (_, _, kind, path) in enumerate(ODD):
                    found = await node.ask(invoke("bad", attributes={"n": n}))
                    assert isinstance(found, kind), found
                    assert getattr(found, "path", "") == path
            assert len([start for start in node.started if start.spec.name == "bad"]) == 1

    run(main)


def test_08_answers_with_what_json_does_not_know(tmp_path: Path, language: str) -> None:
    code = {"python": "return {**OK, 'x': {1, 2}}", "node": "return { ...OK, x: 10n }"}[language]
    words = {"python": "Object of type set is not JSON serializable", "node": "serialize a BigInt"}[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node, undisturbed(node):
            assert words in failed(await node.ask(invoke("bad"))).detail

    run(main)


@needs_proc
def test_09_grows_without_bound(tmp_path: Path, language: str) -> None:
    code = {
        "python": "hoard = []\nwhile True:\n    hoard.append(bytearray(10_000_000))\n    time.sleep(0.02)",
        "node": "const hoard = []; while (true) { hoard.push(Buffer.alloc(10_000_000, 1)); await sleep(20) }",
    }[language]

    async def main() -> None:
        spec = bad(language, tmp_path, code, memory_mb=200)
        async with HandlerNode(good_function(tmp_path), spec, handler_retries=0) as node, undisturbed(node):
            first = await well(node)
            found = failed(await node.ask(invoke("bad")))
            assert "MB of memory, the limit is 200 MB" in found.detail
            assert await well(node) != first

    run(main)


def test_09_node_runs_out_of_its_heap(tmp_path: Path) -> None:
    code = "const hoard = []; while (true) hoard.push(Array(100000).fill({}))"

    async def main() -> None:
        spec = bad("node", tmp_path, code, memory_mb=64)
        async with HandlerNode(good_function(tmp_path), spec, handler_retries=0) as node, undisturbed(node):
            await node.loaded("bad")
            detail = failed(await node.ask(invoke("bad"))).detail
            assert "SIGABRT" in detail or "MB of memory" in detail  # its own limit, or ours

    run(main)


async def ended(pid: int) -> None:
    """A process that is nobody's child of ours has ended, or does so now."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    event = asyncio.Event()
    asyncio.get_running_loop().add_reader(pidfd, event.set)
    try:
        await asyncio.wait_for(event.wait(), 10)
    finally:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)


def test_09_leaves_children_behind(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'child = subprocess.Popen(["sleep", "600"])\nopen("child", "w").write(str(child.pid))\nos._exit(1)',
        "node": 'const c = child_process.spawn("sleep", ["600"]); fs.writeFileSync("child", String(c.pid)); process.exit(1)',
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code), handler_retries=0) as node, undisturbed(node):
            failed(await node.ask(invoke("bad")))
            await ended(int((tmp_path / "child").read_text()))

    run(main)


def test_10_goes_on_working_after_its_answer(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'threading.Timer(0.3, lambda: open("later", "w").write("done")).start()\nreturn OK',
        "node": 'setTimeout(() => fs.writeFileSync("later", "done"), 300); return OK',
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node, undisturbed(node):
            first = await well(node)
            assert isinstance(await node.ask(invoke("bad")), Replied)
            assert await well(node) == first  # a new event may come meanwhile
            while not (tmp_path / "later").exists():
                assert await well(node) == first

    run(main)


@needs_proc
def test_11_has_no_descriptors_of_the_node(tmp_path: Path, language: str) -> None:
    code = {
        "python": 'return {**OK, "TransactionAttributes": {n: os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")'
        ' if os.path.exists(f"/proc/self/fd/{n}") or os.path.islink(f"/proc/self/fd/{n}")}}',
        "node": 'const t = {}, d = "/proc/self/fd/"; for (const n of fs.readdirSync(d)) try { t[n] = fs.readlinkSync(d + n) } catch {}'
        "return { ...OK, TransactionAttributes: t }",
    }[language]

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code)) as node:
            found = await node.ask(invoke("bad"))
            assert isinstance(found, Replied)
            assert found.attributes is not None
            own = ("anon_inode:", "/proc/", "/dev/null", "/dev/urandom")  # its interpreter's own
            theirs = sorted(what.split(":")[0] for n, what in found.attributes.items() if int(n) > 2 and not what.startswith(own))
            pipes = [what for n, what in found.attributes.items() if what.startswith("pipe:") and int(n) > 2]
            ours = {os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{n}")}
            assert [what for what in theirs if what != "pipe"] == ["socket"]
            assert not set(pipes) & ours

    run(main)


RUDE = {
    "python": {
        "writes to descriptors": 'for n in range(3, 60):\n    try: os.write(n, b"junk" * 10)\n    except OSError: pass\nreturn OK',
        "closes descriptors": "os.closerange(3, 300); return OK",
        "closes stdout": "sys.stdout.close(); os.close(1); os.close(2); return OK",
        "changes directory": 'os.chdir("/"); return OK',
        "forks": "os.fork(); return OK",
        "installs signal handlers": "for n in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD): signal.signal(n, signal.SIG_IGN)\nreturn OK",
    },
    "node": {
        "writes to descriptors": 'for (let n = 3; n < 60; n++) try { fs.writeSync(n, "junk".repeat(10)) } catch {}; return OK',
        "closes descriptors": "for (let n = 3; n < 300; n++) try { fs.closeSync(n) } catch {}; return OK",
        "closes stdout": "process.stdout.destroy(); fs.closeSync(1); return OK",
        "changes directory": 'process.chdir("/"); return OK',
        "forks": 'child_process.spawn("sleep", ["600"], { detached: true, stdio: "inherit" }).unref(); return OK',
        "installs signal handlers": 'process.on("SIGTERM", () => {}); process.on("SIGINT", () => {}); return OK',
    },
}


@pytest.mark.parametrize(("language", "how"), [(language, how) for language in LANGUAGES for how in RUDE[language]])
def test_11_is_rude_to_its_process(tmp_path: Path, language: str, how: str) -> None:
    """Frames stay intact, or the worker is replaced as one that died: either way the event has one outcome and the function goes on."""

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, RUDE[language][how])) as node, undisturbed(node):
            await well(node)
            found = await node.ask(invoke("bad"))
            assert isinstance(found, Replied | InvocationFailed)
            if how in ("changes directory", "installs signal handlers", "forks"):
                assert isinstance(found, Replied)
            await well(node)

    run(main)


def test_11_one_that_ignores_sigterm_is_ended_all_the_same(tmp_path: Path, language: str) -> None:
    code = {
        "python": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        "node": 'process.on("SIGTERM", () => {}); await sleep(60000)',
    }[language]
    gone: list[WorkerExited] = []

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, code), handler_timeout_s=0.3) as node:
            node.watch_exits(gone.append)
            await node.loaded("bad")
            async with undisturbed(node):
                assert failed(await node.ask(invoke("bad"))).reason == "timeout"
                await node.until(lambda: bool(gone))
                assert gone[0].status == -9

    run(main)


TWICE = {
    "python": "import gc\n(link,) = [o for o in gc.get_objects() if type(o).__name__ == 'Link']\n"
    "header = {'type': 'reply', 'id': sys._getframe(1).f_locals['number']}\n"
    "for _ in range(3): link.send(header, json.dumps(OK).encode())\nreturn {**OK, 'Actions': [{'Type': 'Hangup'}]}",
    "node": "callback(null, OK); callback(null, { ...OK, Actions: [{ Type: 'Hangup' }] }); context.succeed({}); return OK",
}


def test_12_answers_twice(tmp_path: Path, language: str) -> None:
    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad(language, tmp_path, TWICE[language])) as node:
            async with undisturbed(node):
                asked = invoke("bad")
                assert await node.ask(asked) == Replied(call=asked.call, sequence=1)
                await well(node)
            assert len([r for r in node.records if isinstance(r, InvocationDone) and r.call == asked.call]) == 1
            assert len(node.noted("a second or late answer")) == (1 if language == "python" else 0)  # ours drops it by itself

    run(main)


def test_12_answers_for_ever(tmp_path: Path) -> None:
    code = "import gc\n(link,) = [o for o in gc.get_objects() if type(o).__name__ == 'Link']\n"
    code += "while True: link.send({'type': 'reply', 'id': 0}, b'{}')"

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad("python", tmp_path, code), handler_retries=0) as node, undisturbed(node):
            assert "SIGKILL" in failed(await node.ask(invoke("bad"))).detail
            await well(node)

    run(main)


def test_12_throws_after_its_answer(tmp_path: Path) -> None:
    code = "callback(null, OK); throw new Error('too late')"

    async def main() -> None:
        async with HandlerNode(good_function(tmp_path), bad("node", tmp_path, code)) as node, undisturbed(node):
            asked = invoke("bad")
            assert await node.ask(asked) == Replied(call=asked.call, sequence=1)
            await well(node)

    run(main)
