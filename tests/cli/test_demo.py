"""`outdial demo`: the main job, start to end, as `make demo` runs it; and how it says that it cannot."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers.command import Ran
from helpers.node_process import START

Outdial = Callable[..., Ran]


def demo(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/local/bin:/usr/bin:/bin", "AWS_PROFILE": "of-somebody-else", "OUTDIAL_HTTP": "x"}
    command = ["timeout", "-s", "KILL", "120", sys.executable, "-c", START, "demo", "--data", str(folder / "demo"), *more]
    return subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_the_demo_shows_a_whole_call_and_ends_with_what_remains_of_it(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for told in (
        "calling +1206555****", "it rings", "answered", "Hello Ada. This is a reminder", "the other end presses 1", "ReceivedDigits 1",
        "the other end says “Thank you. I will be there", "recorded ", "call over: completed",
    ):  # fmt: skip
        assert told in done.stdout
    last = [line.split() for line in done.stdout.splitlines()[-3:]]
    assert [name for name, _ in last] == ["recording", "cdr", "ladder"]
    recording, cdr, ladder = (Path(path) for _, path in last)
    with wave.open(str(recording)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    loud = np.abs(samples[: len(samples) // 800 * 800]).reshape(-1, 800).mean(axis=1) > 200
    assert 2.0 < loud.sum() / 10 < 8.0, "the callee speaks in it for some seconds"
    found = json.loads(cdr.read_text())
    assert found["termination"]["reason"] == "completed"
    assert found["invocations"] == 6
    assert [word in ladder.read_text() for word in ("INVITE", "CALL_ANSWERED", "SpeakAndGetDigits", "BYE")] == [True] * 4


def test_a_second_demo_uses_what_the_first_one_made(tmp_path: Path) -> None:
    for _ in range(2):
        done = demo(tmp_path, "--to", "+12065550156")
        assert done.returncode == 1
        assert "the other end refuses: 486" in done.stdout
        assert "failed (busy)" in done.stdout
    command = [sys.executable, "-c", START, "calls", "ls", "--json", "--data", str(tmp_path / "demo")]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}).stdout)
    assert len({call["call"]["application"] for call in listed["calls"]}) == 1
    assert len(listed["calls"]) == 2


def test_on_a_terminal_it_stays_up_and_what_it_suggests_works_as_printed(tmp_path: Path) -> None:
    """All but the call to the voicemail, which takes its time; the program calls a busy line, so that no call is left to wait for."""
    (tmp_path / "outdial").write_text(f"#!{sys.executable}\nimport sys\nsys.path[:0] = {sys.path!r}\n{START}\n")
    (tmp_path / "outdial").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "NO_COLOR": "1"}
    ours, theirs = pty.openpty()
    command = ["timeout", "-s", "KILL", "60", str(tmp_path / "outdial"), "demo", "--to", "+12065550156", "--data", "demo"]
    node = subprocess.Popen(command, cwd=tmp_path, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        said = ""
        while "Ctrl-C ends the node." not in said:
            assert select.select([ours], [], [], 60)[0], said
            try:
                said += os.read(ours, 65536).decode()
            except OSError:  # the other side was closed
                raise AssertionError(said) from None
        block = said.partition("In another terminal:")[2].partition("docs/")[0]
        lines = re.sub(r"\\\s+", "", block.replace("\r", "")).split("\n")
        suggested = [re.split(r" {3,}", line.strip())[0] for line in lines if line.strip()]
        assert len(suggested) == 5
        for line in suggested:
            if "+12065550161" in line:
                continue
            if line.endswith(".py"):
                line += " +12065550156"
            ran = subprocess.run(line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30, check=False)
            assert ran.returncode == (1 if "outdial call " in line else 0), f"{line}: {ran.stdout}{ran.stderr}"
            assert re.search(r"^[0-9a-f-]{36}$|failed \(busy\)|LASTED|486 Busy Here", ran.stdout, re.M), ran.stdout
    finally:
        os.write(ours, b"\x03")
        node.send_signal(2)
        status = node.wait(30)
        os.close(ours)
    assert status == 1, "as the call ended"


def test_a_program_that_fails_is_named(outdial: Outdial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "reminder.py").write_text("def handler(event, context): return None\n")
    (tmp_path / "first_call.py").write_text("raise SystemExit('no such luck')\n")
    monkeypatch.setattr("outdial.cli.demonstration.examples", lambda: tmp_path)
    ran = outdial("demo", "--data", tmp_path / "demo")
    assert (ran.status, ran.code) == (1, "program")
    assert ran.err.startswith("no such luck\n\nerror: first_call.py ended with exit status 1 before its call was placed\n")
