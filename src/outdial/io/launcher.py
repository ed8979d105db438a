"""Starts children: each in a process group of its own, with a socket to us, and with the parent-death signal set (reference/processes).

Theory of operation. `PR_SET_PDEATHSIG` cannot be set from outside and is kept over exec, so a few lines of Python set it and then become
the child. The kernel ties it to the *thread* that forked, so children are started from the main thread only. A child is ended with
SIGTERM to its group and, `GRACE_S` later, SIGKILL; the group is killed before the leader is reaped, while its number cannot belong to
anybody else.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

GRACE_S = 2.0
PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
"""What must be on a child's import path to run modules of ours."""

_LAUNCH = """
import ctypes, os, sys
parent, argv = int(sys.argv[1]), sys.argv[2:]
if ctypes.CDLL(None, use_errno=True).prctl(1, 9, 0, 0, 0):
    sys.exit("prctl(PR_SET_PDEATHSIG): " + os.strerror(ctypes.get_errno()))
if os.getppid() != parent:
    sys.exit(1)
try:
    os.execvp(argv[0], argv)
except OSError as error:
    sys.exit(f"{argv[0]}: {error.strerror}")
"""


class Child:
    """A process that we started, and our end of the socket to it."""

    def __init__(self, process: subprocess.Popen[bytes], sock: socket.socket | None) -> None:
        self._process = process
        self.socket = sock
        """Our end, non-blocking; None where none was asked for."""
        self.pid = process.pid
        self.pidfd = os.pidfd_open(process.pid)
        """Readable once the process has ended."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """The reading end of its standard output, where a pipe was asked for."""
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes] | None:
        """The reading end of its standard error, where a pipe was asked for."""
        return self._process.stderr

    @property
    def running(self) -> bool:
        """It has not ended yet (a process that ended and was not reaped has)."""
        return self._process.returncode is None and not self._wait(0)

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; harmless when all of it is gone."""
        if self._process.returncode is None:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass

    def reap(self) -> int | None:
        """The exit status of a child that has ended (minus the signal's number), with what is left of its group killed; else None."""
        if self._process.returncode is None:
            if not self._wait(0):
                return None
            self.signal(signal.SIGKILL)
            self._process.wait()
            self.close()
        return self._process.returncode

    def close(self) -> None:
        """Close our ends of everything."""
        if self.socket is not None:
            self.socket.close()
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    async def end(self, grace: float = GRACE_S) -> int:
        """SIGTERM, SIGKILL after `grace` seconds, and the exit status; does not block the loop."""
        if (status := self.reap()) is not None:
            return status
        self.signal(signal.SIGTERM)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self.pidfd, ended.set)
        try:
            try:
                await asyncio.wait_for(ended.wait(), grace)
            except TimeoutError:
                self.signal(signal.SIGKILL)
                await ended.wait()
        finally:
            loop.remove_reader(self.pidfd)
        status = self.reap()
        assert status is not None
        return status

    def end_now(self, grace: float = GRACE_S) -> int:
        """The same for those who may block."""
        if (status := self.reap()) is not None:
            return status
        self.signal(signal.SIGTERM)
        if not self._wait(grace):
            self.signal(signal.SIGKILL)
            self._wait(None)
        status = self.reap()
        assert status is not None
        return status

    def _wait(self, seconds: float | None) -> bool:
        if self.pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(None if seconds is None else int(1000 * seconds)))


def launch(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    fd_argument: str | None = None,
    fd_variable: str | None = None,
    pass_fds: Sequence[int] = (),
    pipe_output: bool = False,
) -> Child:
    """Start `argv`, from the main thread.

    `env` replaces the whole environment (ours where None). The child's end of a socket pair is passed as `fd_argument N` on its command
    line or in the variable `fd_variable`; without either there is no socket. `pass_fds` stay open under their numbers. Its stdin is empty;
    with `pipe_output` its stdout and stderr are pipes, non-blocking at our end, else ours. Raises `OSError`; a program that cannot be
    executed is a child that ends at once with status 1.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread: the parent-death signal is tied to the thread that forks")
    ours: socket.socket | None = None
    theirs: socket.socket | None = None
    command = list(argv)
    environment = dict(os.environ if env is None else env)
    keep = list(pass_fds)
    if fd_argument is not None or fd_variable is not None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        keep.append(theirs.fileno())
        if fd_argument is not None:
            command += [fd_argument, str(theirs.fileno())]
        if fd_variable is not None:
            environment[fd_variable] = str(theirs.fileno())
    output = subprocess.PIPE if pipe_output else None
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=cwd,
            pass_fds=keep,
            process_group=0,
        )
    except OSError:
        if ours is not None:
            ours.close()
        raise
    finally:
        if theirs is not None:
            theirs.close()
    child = Child(process, ours)
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
    return child


def launch_module(
    module: str,
    *arguments: str,
    python: str = sys.executable,
    variables: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a module of ours in a process of its own, its end of the socket pair passed as `--fd N`; as `launch` otherwise.

    It finds this package wherever that lies, and (`-P`) imports nothing that lies where the node was started. `variables` are added to our
    environment.
    """
    path = os.pathsep.join(filter(None, (PACKAGE_ROOT, os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONPATH": path, **(variables or {})}
    return launch([python, "-P", "-m", module, *arguments], env=environment, fd_argument="--fd", pass_fds=pass_fds)
