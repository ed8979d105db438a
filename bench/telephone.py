"""A callee for many calls at once, in a process of its own: answers, presses a key into the prompt, talks, and notes when what arrived.

`with Telephones(folder, key_after=3.0) as phones:` starts it; `phones.uri` is where to call; `phones.close()` gives a
`Heard` for each call.
Arrivals carry the kernel's time, so that this process's own slowness does not count. SIP is answered from templates: it is no stack.
"""

from __future__ import annotations

import argparse
import heapq
import json
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

SO_TIMESTAMPNS = 35
RTP = struct.Struct("!BBHII")
EVENT = struct.Struct("!BBH")
PORT = re.compile(rb"m=audio (\d+)")
HEADERS = re.compile(rb"^(via|from|to|call-id|cseq|record-route|x-bench)\s*:[^\r\n]*\r\n", re.IGNORECASE | re.MULTILINE)
FIRST, SECOND = 8000, 2000
"""The two prompts of a call are one constant sample each: which one a packet belongs to is seen in a single byte."""


def ulaw(sample: int) -> int:
    """One positive sample in G.711 µ-law (ITU-T G.711)."""
    sample = min(sample, 32635) + 132
    exponent = sample.bit_length() - 8
    return ~(exponent << 4 | sample >> exponent + 3 & 15) & 0xFF


class Heard(msgspec.Struct, kw_only=True):
    """What one call's telephone noted; moments are wall-clock seconds, 0 where it never came."""

    mark: str
    invite_at: float
    answered_at: float = 0.0
    first_at: float = 0.0
    """First packet of the first prompt."""
    key_at: float = 0.0
    """First packet of the key."""
    silent_at: float = 0.0
    """Last packet of the first prompt."""
    second_at: float = 0.0
    voice_at: float = 0.0
    """First packet that is not silence, whatever it is."""
    packets: int = 0
    ended: bool = False


class _Phones:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._sip = self._socket(options.sip)
        self._rtp = self._socket(options.rtp)
        self._calls: dict[bytes, tuple[Heard, int]] = {}
        self._by_port: dict[int, Heard] = {}
        self.heard: list[Heard] = []
        self._due: list[tuple[float, int, Any]] = []
        self._count = 0
        self._bytes = {ulaw(FIRST): "first", ulaw(SECOND): "second"}

    @staticmethod
    def _socket(port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setblocking(False)
        return sock

    def run(self) -> None:
        """Until somebody closes its standard input."""
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
        for sock in (self._sip, self._rtp):
            poll.register(sock, select.POLLIN)
        print("ready", flush=True)
        while True:
            wait = max(0.0, self._due[0][0] - time.time()) if self._due else 1.0
            ready = {descriptor for descriptor, _ in poll.poll(1000 * wait)}
            if sys.stdin.fileno() in ready:
                return
            for sock, take in ((self._sip, self._message), (self._rtp, self._packet)):
                if sock.fileno() in ready:
                    self._drain(sock, take)
            while self._due and self._due[0][0] <= time.time():
                heapq.heappop(self._due)[2]()

    def _at(self, moment: float, do: Any) -> None:
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, do))

    @staticmethod
    def _drain(sock: socket.socket, take: Any) -> None:
        for _ in range(200):
            try:
                data, ancillary, _, source = sock.recvmsg(4096, 64)
            except BlockingIOError:
                return
            seconds, nanos = struct.unpack("qq", ancillary[0][2])
            take(data, source, seconds + nanos / 1e9)

    def _message(self, data: bytes, source: Any, at: float) -> None:
        if data.startswith(b"SIP/2.0"):
            return
        fields: dict[bytes, bytes] = {}
        kept = b""
        for found in HEADERS.finditer(data):
            name = found[1].lower()
            if name != b"x-bench":
                kept += found[0]
            fields.setdefault(name, found[0].partition(b":")[2].strip())
        call = fields[b"call-id"]
        if data.startswith(b"INVITE") and call not in self._calls:
            heard = Heard(mark=fields.get(b"x-bench", b"").decode(), invite_at=at)
            port = PORT.search(data)
            assert port is not None
            self._calls[call] = heard, int(port[1])
            self._by_port[int(port[1])] = heard
            self.heard.append(heard)
            tagged = re.sub(rb"(?im)^(to\s*:[^\r\n]*)", rb"\1;tag=" + str(len(self.heard)).encode(), kept)
            contact = f"Contact: <sip:callee@127.0.0.1:{self._options.sip}>\r\n".encode()
            sdp = (
                f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {self._options.rtp} RTP/AVP 0 101\r\n"
                "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
            ).encode()
            self._sip.sendto(b"SIP/2.0 180 Ringing\r\n" + tagged + contact + b"Content-Length: 0\r\n\r\n", source)
            answer = b"SIP/2.0 200 OK\r\n" + tagged + contact + b"Content-Type: application/sdp\r\n"
            heard.answered_at = time.time()
            self._sip.sendto(answer + b"Content-Length: %d\r\n\r\n" % len(sdp) + sdp, source)
            if self._options.talk:
                self._at(heard.answered_at, lambda: self._talk(heard, int(port[1]), 0))
        elif data.startswith((b"BYE", b"CANCEL")):
            self._sip.sendto(b"SIP/2.0 200 OK\r\n" + kept + b"Content-Length: 0\r\n\r\n", source)
            if call in self._calls:
                heard, number = self._calls[call]
                heard.ended = True
                if self._by_port.get(number) is heard:
                    del self._by_port[number]

    def _packet(self, data: bytes, source: Any, at: float) -> None:
        heard = self._by_port.get(source[1])
        if heard is None or len(data) < 100 or 192 <= data[1] <= 223:
            return
        heard.packets += 1
        if not heard.voice_at and data[12:92].strip(b"\xff\x7f"):
            heard.voice_at = at
        which = self._bytes.get(data[90])
        if which == "first":
            if not heard.first_at:
                heard.first_at = at
                if self._options.key_after:
                    self._at(at + self._options.key_after, lambda: self._press(heard, source, 0))
            heard.silent_at = at
        elif which == "second" and not heard.second_at:
            heard.second_at = at

    def _press(self, heard: Heard, to: Any, count: int) -> None:
        """A press of 100 ms: five packets, then the last one three times (RFC 4733 §2.5)."""
        duration = min(count + 1, 5) * 160
        header = RTP.pack(0x80, 101 | (0x80 if count == 0 else 0), 1000 + count, 160_000, 7)
        if count == 0:
            heard.key_at = time.time()
        self._rtp.sendto(header + EVENT.pack(1, 10 | (0x80 if count >= 5 else 0), duration), to)
        if count < 7 and not heard.ended:
            self._at(heard.key_at + 0.02 * (count + 1), lambda: self._press(heard, to, count + 1))

    def _talk(self, heard: Heard, port: int, count: int) -> None:
        if heard.ended:
            return
        header = RTP.pack(0x80, 0, 2000 + count & 0xFFFF, count * 160, 7)
        self._rtp.sendto(header + bytes(((37 * count + at) & 0x3F) | 0x80 for at in (0,)) * 160, ("127.0.0.1", port))
        self._at(heard.answered_at + 0.02 * (count + 1), lambda: self._talk(heard, port, count + 1))


class Telephones:
    """The process, from outside."""

    def __init__(self, folder: Path, sip: int, rtp: int, *, key_after: float = 0.0, talk: bool = False) -> None:
        self.uri = f"sip:127.0.0.1:{sip}"
        self._report = folder / "telephones.json"
        self._command = [
            *(sys.executable, "-m", "bench.telephone", "--sip", str(sip), "--rtp", str(rtp), "--key-after", str(key_after)),
            *("--report", str(self._report), *(("--talk",) if talk else ())),
        ]
        self.heard: list[Heard] = []

    def __enter__(self) -> Telephones:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def close(self) -> list[Heard]:
        """End it and give what it noted."""
        if self._process.poll() is None:
            self._process.communicate()
            self.heard = msgspec.json.decode(self._report.read_bytes(), type=list[Heard])
        return self.heard

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sip", type=int)
    parser.add_argument("--rtp", type=int)
    parser.add_argument("--key-after", type=float)
    parser.add_argument("--talk", action="store_true")
    parser.add_argument("--report")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    phones = _Phones(options)
    phones.run()
    Path(options.report).write_text(json.dumps([msgspec.to_builtins(one) for one in phones.heard]))


if __name__ == "__main__":
    main()
