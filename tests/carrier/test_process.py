"""The carrier's process: it takes a socket over, says that it is ready, survives its engine, and ends with its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from helpers.carrier_process import CarrierProcess
from helpers.sipp import Sipp, caller, needs_sipp
from outdial.io.frames import FrameReader


def start(tmp_path: Path, *arguments: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    command = ["timeout", "60", sys.executable, "-m", "outdial.cli.carrier", "--cache", str(tmp_path / "cache"), *arguments]
    env = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=fds)


def test_it_takes_over_the_socket_in_which_the_first_message_waits(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        sip.bind(("127.0.0.1", 0))
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        ours.settimeout(20)
        here = f"127.0.0.1:{peer.getsockname()[1]}"
        peer.sendto(
            f"OPTIONS sip:carrier SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@{here}>;tag=1\r\n"
            f"To: <sip:carrier>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode(),
            sip.getsockname(),
        )
        process = start(
            tmp_path,
            "--socket-fd",
            str(sip.fileno()),
            "--fd",
            str(theirs.fileno()),
            "--rtp",
            "24000-25999",
            fds=(sip.fileno(), theirs.fileno()),
        )
        theirs.close()
        (said,) = FrameReader(1000).feed(ours.recv(1000))
        assert msgspec.msgpack.decode(said)["sip"].endswith(f":{sip.getsockname()[1]}")
        assert peer.recv(4000).startswith(b"SIP/2.0 200 ")
        ours.close()
        _, complained = process.communicate(timeout=20)
    assert (process.returncode, complained) == (0, b"")


def engine_of(carrier: CarrierProcess) -> psutil.Process:
    (found,) = [
        child for child in psutil.Process(carrier.process.pid).children(recursive=True) if "outdial.io.media_process" in child.cmdline()
    ]
    return found


@needs_sipp
@pytest.mark.peer
def test_when_its_engine_dies_its_calls_end_and_a_new_engine_takes_the_next(tmp_path: Path) -> None:
    with CarrierProcess(tmp_path / "carrier") as carrier:
        with Sipp(tmp_path / "first", caller("waits_for_bye"), call=carrier.address, service="12065550180") as peer:
            carrier.until("answered")
            engine = engine_of(carrier)
            os.kill(engine.pid, signal.SIGKILL)
            assert peer.wait().good
        carrier.until_process("outdial.io.media_process", other_than=engine.pid)
        verdicts = []
        for n in range(20):  # until the new engine is ready calls are refused with 503
            with Sipp(tmp_path / f"next{n}", caller("plain"), call=carrier.address, service="12065550180") as peer:
                verdicts.append(peer.wait())
            if verdicts[-1].good:
                break
        assert verdicts[-1].good, verdicts[-1].errors
        assert all("503 Service Unavailable" in verdict.messages for verdict in verdicts[:-1])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        (
            "[[subscriber]]\nnumber = '+1'\nsteps = [{answr = true}]\n",
            'there is no step "answr"; did you mean answer?\n\nhint: See docs/carrier.md',
        ),
    ],
)
def test_a_book_that_cannot_be_used(tmp_path: Path, text: str | None, complaint: str) -> None:
    book = tmp_path / "book.toml"
    if text is not None:
        book.write_text(text)
    process = start(tmp_path, "--sip", "127.0.0.1:0", "--subscribers", str(book))
    _, complained = process.communicate(timeout=20)
    assert process.returncode == 1
    assert complaint in complained.decode()


@needs_sipp
@pytest.mark.peer
def test_subscribers_of_ones_own_are_called(tmp_path: Path) -> None:
    book = tmp_path / "book.toml"
    book.write_text('[[subscriber]]\nnumber = "+12065550150"\nsteps = [{refuse = {status = 486, cause = 17}}]\n')
    with CarrierProcess(tmp_path / "carrier", "--subscribers", str(book)) as carrier:
        with Sipp(tmp_path / "sipp", caller("busy"), call=carrier.address, service="12065550150") as peer:
            verdict = peer.wait()
        assert verdict.good, verdict.errors
        assert "Reason: Q.850;cause=17" in verdict.messages
