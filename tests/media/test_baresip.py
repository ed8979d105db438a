"""The engine and a telephone that nobody here wrote: baresip hears our prompt, understands our digits, and speaks to us.

SIP is played by hand, as little of it as baresip needs.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.media_rig import LEG, LiveRig, Phone, read_wav, sine, wav
from helpers.sipp import free_port
from outdial.model.media import CloseStream, DigitsSent, Done, OpenStream, Play, PlayEnded, Record, RecordEnded, SendDigits

pytestmark = [pytest.mark.peer, pytest.mark.skipif(shutil.which("baresip") is None, reason="baresip is not installed")]


class Baresip:
    """A telephone that answers, plays a tone, and writes what it hears."""

    def __init__(self, home: Path, codec: str) -> None:
        self.home, self.codec = home, codec
        (home / "contacts").touch()
        soundfile.write(home / "say.wav", sine(600, 20_000), 8000, subtype="PCM_16")
        self.starts = 0
        self.socket: socket.socket | None = None
        self.buffer = b""
        self.start()

    def start(self) -> None:
        """On ports of its own; again, where somebody took one of them meanwhile."""
        self.starts += 1
        self.sip, self.control = free_port(), free_port()
        (self.home / "accounts").write_text(f"<sip:bob@127.0.0.1:{self.sip}>;regint=0;answermode=auto;audio_codecs={self.codec}\n")
        modules = "".join(f"module {name}.so\n" for name in ("g711", "aufile", "sndfile"))
        (self.home / "config").write_text(
            f"sip_listen 127.0.0.1:{self.sip}\nnet_interface 127.0.0.1\nrtp_ports 30000-30999\naudio_source aufile,{self.home}/say.wav\n"
            f"snd_path {self.home}\nmodule_path /usr/lib/baresip/modules\n{modules}module_tmp account.so\nmodule_app menu.so\n"
            f"module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{self.control}\n"
        )
        self.process = subprocess.Popen(
            ["timeout", "100", "baresip", "-f", str(self.home), "-t", "90"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ready(self) -> bool:
        if self.process.poll() is not None:
            assert self.starts < 4, "baresip ended four times; are its ports taken?"
            self.start()
            return False
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.control))
        except ConnectionRefusedError:
            return False
        self.socket.setblocking(False)
        return True

    def events(self) -> list[tuple[str, str]]:
        """(type, parameter) of everything that it told so far."""
        assert self.socket is not None
        try:
            self.buffer += self.socket.recv(65536)
        except BlockingIOError:
            pass
        return [
            (event.get("type", ""), event.get("param", ""))
            for event in map(json.loads, re.findall(rb"\d+:(\{.*?\}),(?=\d|$)", self.buffer))
        ]

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.process.terminate()
        self.process.wait()

    @property
    def heard(self) -> np.ndarray:
        (path,) = self.home.glob("dump-*-dec.wav")
        return read_wav(path)


class Caller:
    """Just enough of RFC 3261 for one call."""

    def __init__(self, sip: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.to = ("127.0.0.1", sip)
        self.answer = ""
        self.sent = b""
        self.resend_at = 0.0

    def send(self, method: str, cseq: int, to_tag: str = "", body: str = "") -> None:
        host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        content = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{method} sip:bob@127.0.0.1:{self.to[1]} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{method}{cseq};rport\r\n"
            f"From: <sip:us@{host}>;tag=1\r\nTo: <sip:bob@127.0.0.1:{self.to[1]}>{to_tag}\r\nCall-ID: 1@{host}\r\nCSeq: {cseq} {method}\r\n"
            f"Max-Forwards: 70\r\nContact: <sip:us@{host}>\r\n{content}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.sent = text.encode()
        self.socket.sendto(self.sent, self.to)

    def answered(self, now: float) -> bool:
        if now > self.resend_at:
            self.resend_at = now + 1.0
            self.socket.sendto(self.sent, self.to)
        try:
            text = self.socket.recv(65536).decode()
        except BlockingIOError:
            return False
        if text.startswith("SIP/2.0 200"):
            self.answer = text
        return bool(self.answer)


@pytest.fixture(params=["pcmu", "pcma"])
def call(request: pytest.FixtureRequest, live: LiveRig, tmp_path: Path) -> Iterator[tuple[LiveRig, Baresip, Caller]]:
    """A call in progress."""
    codec = str(request.param)
    home = tmp_path / "baresip"
    home.mkdir()
    baresip = Baresip(home, codec)
    caller: Caller | None = None
    try:
        live.until(baresip.ready, 30)
        caller = Caller(baresip.sip)
        done = live.ask(OpenStream(id=live.id(), stream=LEG))
        assert isinstance(done, Done)
        number, name = (0, "PCMU") if codec == "pcmu" else (8, "PCMA")
        caller.send(
            "INVITE",
            1,
            body=f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {done.rtp_port} RTP/AVP {number} 101\r\na=rtpmap:{number} {name}/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
        )
        answered = caller.answered
        live.until(lambda: answered(live.loop.time()), 30)
        tag = re.search(r"^To:.*(;tag=[^;\r]+)", caller.answer, re.M)
        port = re.search(r"m=audio (\d+)", caller.answer)
        assert tag is not None
        assert port is not None
        caller.send("ACK", 1, tag[1])
        telephone = Phone(live, ("127.0.0.1", int(port[1])))
        live.remote(telephone, codec=name, send_type=number, accept_types=(number,))
        yield live, baresip, caller
        caller.send("BYE", 2, tag[1])
    finally:
        baresip.close()
        if caller is not None:
            caller.socket.close()


def pitch(samples: np.ndarray) -> float:
    """The strongest frequency."""
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * 8000 / len(samples))


def test_it_hears_our_prompt_and_our_digits_and_we_hear_it(call: tuple[LiveRig, Baresip, Caller], tmp_path: Path) -> None:
    rig, baresip, _ = call
    rig.ask(Record(id=rig.id(), stream=LEG, path=str(tmp_path / "r.wav"), limit_ms=2500))
    prompt = sine(1000, 1500)
    rig.ask(Play(id=rig.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt)))
    rig.wait(PlayEnded)
    rig.ask(SendDigits(id=rig.id(), stream=LEG, digits="1123*#0D", tone_ms=120, gap_ms=120))
    rig.wait(DigitsSent)
    rig.wait(RecordEnded)
    rig.until(lambda: sum(kind == "CALL_DTMF_END" for kind, _ in baresip.events()) >= 8)
    assert "".join(param for kind, param in baresip.events() if kind == "CALL_DTMF_START") == "1123*#0D"
    closed = rig.ask(CloseStream(id=rig.id(), stream=LEG))
    assert isinstance(closed, Done)
    assert closed.statistics is not None
    assert closed.statistics.lost == 0
    assert closed.statistics.strangers < 50, "what it sent before its answer had reached us: a second at most"
    exact = closed.statistics.skipped == 0
    recorded = read_wav(tmp_path / "r.wav")
    assert len(recorded) == 20_000
    assert abs(pitch(recorded[2000:18_000]) - 600) < 1
    heard = baresip.heard
    loud = np.flatnonzero(np.abs(heard) > 3000)
    ours = heard[loud[0] : loud[0] + 12_000]
    assert abs(pitch(ours[:11_000]) - 1000) < 1
    assert not exact or 1480 <= (np.flatnonzero(np.abs(heard[: loud[0] + 13_000]) > 3000)[-1] - loud[0]) / 8 <= 1520, (
        "no gap and nothing cut off"
    )
