"""Children: a group of their own, a socket, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from helpers.proc import needs_proc
from outdial.io.launcher import PACKAGE_ROOT, launch

ECHO = """
import os, socket, sys
sock = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
sock.sendall(f"{os.getpgid(0) == os.getpid()} {os.getppid()}".encode())
while data := sock.recv(100):
    sock.sendall(data)
"""
STUBBORN = """
import signal, sys, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(grandchild.pid, flush=True)
signal.pause()
"""


def gone(pid: int) -> bool:
    """No such process, or one that only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_gone(pid: int) -> None:
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(5000) or gone(pid)
    os.close(fd)


def read_line(pipe) -> bytes:  # type: ignore[no-untyped-def]
    line = b""
    while not line.endswith(b"\n"):
        assert select.select([pipe], [], [], 20)[0], f"nothing came after {line!r}"
        part = os.read(pipe.fileno(), 1)
        if not part:
            break
        line += part
    return line


def test_a_child_leads_its_group_has_our_socket_and_ends_with_it() -> None:
    child = launch([sys.executable, "-c", ECHO], fd_argument="--fd")
    assert child.socket is not None
    child.socket.setblocking(True)
    assert child.socket.recv(100) == f"True {os.getpid()}".encode()
    child.socket.sendall(b"hello")
    assert child.socket.recv(100) == b"hello"
    assert child.running
    child.socket.close()
    wait_gone(child.pid)
    assert child.reap() == 0
    assert not child.running


@needs_proc
def test_the_socket_can_be_named_by_a_variable_and_nothing_else_is_open() -> None:
    spare = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(spare, True)
    code = "import os; print(os.environ['OUTDIAL_FD'], sorted(int(fd) for fd in os.listdir('/proc/self/fd')))"
    child = launch([sys.executable, "-c", code], fd_variable="OUTDIAL_FD", pipe_output=True)
    fd, _, listed = read_line(child.stdout).decode().strip().partition(" ")
    fds = [int(part) for part in listed.strip("[]").split(",")]
    assert {0, 1, 2, int(fd)} <= set(fds)
    assert len(fds) == 5, "the fifth is the folder that is being listed"
    child.end_now()
    os.close(spare)


def test_end_kills_what_ignores_sigterm_with_what_it_started() -> None:
    child = launch([sys.executable, "-c", STUBBORN], pipe_output=True)
    grandchild = int(read_line(child.stdout))
    status = asyncio.run(child.end(grace=0.05))
    assert status == -signal.SIGKILL
    wait_gone(grandchild)
    assert asyncio.run(child.end()) == status


def test_a_child_that_ends_by_itself_leaves_no_grandchild() -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']).pid, flush=True)"
    child = launch([sys.executable, "-c", code], pipe_output=True)
    grandchild = int(read_line(child.stdout))
    wait_gone(child.pid)
    assert child.reap() == 0
    wait_gone(grandchild)


def test_children_die_with_their_parent_though_they_never_look_at_their_socket() -> None:
    parent = (
        "import sys, os\n"
        f"sys.path.insert(0, {PACKAGE_ROOT!r})\n"
        "from outdial.io.launcher import launch\n"
        "child = launch([sys.executable, '-c', 'print(1, flush=True)\\nwhile True: pass'], fd_argument='--fd', pipe_output=True)\n"
        "import select; select.select([child.stdout], [], [])\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", parent], stdout=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_gone(int(done.stdout))


def test_a_program_that_is_not_there_ends_at_once_and_says_so() -> None:
    child = launch(["/no/such/program"], pipe_output=True)
    assert read_line(child.stderr) == b"/no/such/program: No such file or directory\n"
    wait_gone(child.pid)
    assert child.reap() == 1


def test_only_the_main_thread_may_start_children() -> None:
    errors: list[Exception] = []

    def other() -> None:
        try:
            launch(["/bin/true"])
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_one_that_has_gone_is_harmless(number: int) -> None:
    child = launch(["/bin/true"])
    child.end_now()
    child.signal(number)
