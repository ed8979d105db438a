"""A network between a node and its peers: one trunk address for many callees, whose messages and audio are lost as a test says.

`network.connect(number, peer.address)` says who answers that number. SIP goes through the network in both directions (the peer's Contact
and Via are written anew on their way), so that exactly the first 200 can be lost, or a BYE be held until ours has passed it. Where audio is
lost too, the ports of both descriptions are the network's, and each packet is lost with the given probability, by a seed.
"""

from __future__ import annotations

import random
import re
import select
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

Way = Literal["to peer", "to node"]
Address = tuple[str, int]
_NAMED = re.compile(rb"(?im)^((?:contact|m|via|v)[ \t]*:.*?)(127\.0\.0\.1:\d+)")
_AUDIO = re.compile(rb"(?m)^m=audio (\d+)")


@dataclass(kw_only=True)
class Lost:
    """The first so many messages that begin so and have this method in CSeq do not get through."""

    way: Way
    start: str
    method: str
    count: int = 1


@dataclass(kw_only=True)
class Held:
    """Messages to the node that begin so wait until one to the peer has begun so."""

    start: str
    until: str
    kept: list[bytes] = field(default_factory=list)


@dataclass(kw_only=True)
class _Line:
    peer: Address
    rules: list[Lost | Held]
    loss: float
    chance: dict[Way, random.Random]
    node: Address | None = None
    audio: dict[Way, socket.socket] = field(default_factory=dict)
    """Where each side sends its audio: the socket that the other side is told of."""
    target: dict[Way, Address] = field(default_factory=dict)


class Between:
    """`with Between() as network:`; the node's trunk is `network.uri`."""

    def __init__(self) -> None:
        self._sip = _socket()
        self._wake, self._woken = socket.socketpair()
        self._lines: dict[str, _Line] = {}
        self._calls: dict[bytes, _Line] = {}
        self._audio: dict[socket.socket, tuple[_Line, Way]] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.lost: list[bytes] = []
        """Messages that did not get through."""
        self.packets: dict[str, tuple[int, int]] = {"to peer": (0, 0), "to node": (0, 0)}
        """Audio packets that got through and that were lost."""
        self.uri = f"sip:127.0.0.1:{self._sip.getsockname()[1]}"

    def connect(self, number: str, peer: Address, *rules: Lost | Held, loss: float = 0.0, seed: int = 1) -> None:
        """Who answers a number; what is lost on the way. `loss` is the probability for each packet of audio."""
        chance: dict[Way, random.Random] = {"to peer": random.Random(seed), "to node": random.Random(seed + 1_000_000)}
        self._lines[number] = _Line(peer=peer, rules=list(rules), loss=loss, chance=chance)

    def __enter__(self) -> Between:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._wake.send(b"x")
        self._thread.join(10)
        for one in (self._sip, self._wake, self._woken, *self._audio):
            one.close()

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._sip, self._woken, *self._audio], [], [])
            if self._woken in ready:
                return
            for one in ready:
                try:
                    data, source = one.recvfrom(65536)
                except OSError:
                    continue  # nobody was at the port that a packet went to
                if one is self._sip:
                    self._message(data, source)
                else:
                    self._packet(one, data)

    def _message(self, data: bytes, source: Address) -> None:
        found = re.search(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*(\S+)", data)
        called = re.search(rb"(?im)^(?:to|t)[ \t]*:.*?(\+?\d+)@", data)
        if found is None or called is None:
            return
        line = self._calls.get(found[1]) or self._lines.get("+" + called[1].decode().removeprefix("+"))
        if line is None:
            return
        self._calls[found[1]] = line
        way: Way = "to node" if source == line.peer else "to peer"
        if way == "to peer":
            line.node = line.node or source
        method = (re.search(rb"(?im)^cseq[ \t]*:[ \t]*\d+[ \t]+(\w+)", data) or [b"", b""])[1].decode()
        if line.loss:
            data = self._through(line, way, data)
        here, there = _written(self._sip.getsockname()), _written(line.peer)
        old, new = (there, here) if way == "to node" else (here, there)
        data = _NAMED.sub(lambda at: at[1] + (new if at[2] == old else at[2]), data)
        for rule in line.rules:
            if isinstance(rule, Lost):
                if rule.count and rule.way == way and rule.method == method and data.startswith(rule.start.encode()):
                    rule.count -= 1
                    self.lost.append(data)
                    return
            elif way == "to node" and rule.until and data.startswith(rule.start.encode()):
                rule.kept.append(data)
                return
            elif way == "to peer" and rule.until and data.startswith(rule.until.encode()):
                rule.until = ""
                self._send(line, way, data)
                for one in rule.kept:
                    self._send(line, "to node", one)
                return
        self._send(line, way, data)

    def _send(self, line: _Line, way: Way, data: bytes) -> None:
        target = line.peer if way == "to peer" else line.node
        if target is not None:
            self._sip.sendto(data, target)

    def _through(self, line: _Line, way: Way, data: bytes) -> bytes:
        """The message with a port of ours for its audio."""
        head, _, body = data.partition(b"\r\n\r\n")
        port = _AUDIO.search(body)
        if port is None:
            return data
        back: Way = "to node" if way == "to peer" else "to peer"
        line.target[back] = ("127.0.0.1", int(port[1]))
        if way not in line.audio:
            line.audio[way] = _socket()
            self._audio[line.audio[way]] = (line, back)
        body = _AUDIO.sub(b"m=audio %d" % line.audio[way].getsockname()[1], body)
        head = re.sub(rb"(?im)^(content-length|l)[ \t]*:[ \t]*\d+", b"Content-Length: %d" % len(body), head)
        return head + b"\r\n\r\n" + body

    def _packet(self, heard_at: socket.socket, data: bytes) -> None:
        line, way = self._audio[heard_at]
        through, lost = self.packets[way]
        from_ = line.audio.get(way)
        if way not in line.target or from_ is None or line.chance[way].random() < line.loss:
            self.packets[way] = (through, lost + 1)
            return
        self.packets[way] = (through + 1, lost)
        from_.sendto(data, line.target[way])


def _socket() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    one.bind(("127.0.0.1", 0))
    return one


def _written(address: Address) -> bytes:
    return f"{address[0]}:{address[1]}".encode()
