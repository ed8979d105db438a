"""The media engine's sockets: a pair of ports for each stream, and one more socket that is connected to its peer.

Theory of operation. Sending on a connected socket saves the address's way through Python and the kernel's routing, receiving on it saves
making the address: half of a packet's cost. But a connected socket hears its peer only. So a stream's RTP port has two sockets: one that
hears everybody, and one, bound to the same port and connected to where packets go, which the kernel prefers for what comes from there.
The first binds the port for itself alone; sharing is allowed only while the second is bound.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from ..media.values import Address

Receiver = Callable[[bytes, Address, float], None]
"""`Inbound.rtp`."""


class UdpPorts:
    """Satisfies `media.ports.Sockets`."""

    def __init__(self, epoll: select.epoll, receiver: Callable[[int], Receiver]) -> None:
        """`receiver` gives what takes the packets of an RTP port."""
        self._epoll = epoll
        self._receiver = receiver
        self._open: dict[int, socket.socket] = {}
        self._aimed: dict[int, socket.socket] = {}
        self._hosts: dict[int, str] = {}
        self.anyone: dict[int, tuple[int, socket.socket]] = {}
        """By descriptor: port and socket that hears everybody."""
        self.peer: dict[int, tuple[Receiver, Callable[[int], bytes], Address]] = {}
        """By descriptor of a connected socket: who takes its packets, its `recv`, and whom it hears."""

    def open(self, host: str, rtp_port: int) -> bool:
        """Bind both ports, or neither."""
        pair: list[socket.socket] = []
        try:
            for port in (rtp_port, rtp_port + 1):
                sock = socket.socket(_family(host), socket.SOCK_DGRAM)
                pair.append(sock)
                sock.setblocking(False)
                sock.bind((host, port))
        except OSError:
            for sock in pair:
                sock.close()
            return False
        for port, sock in zip((rtp_port, rtp_port + 1), pair, strict=True):
            self._open[port] = sock
            self.anyone[sock.fileno()] = (port, sock)
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._hosts[rtp_port] = host
        return True

    def aim(self, rtp_port: int, destination: Address | None) -> Callable[[bytes], object] | None:
        """Connect a second socket to where packets go; where that fails, the first one sends."""
        self._unaim(rtp_port)
        if destination is None:
            return None
        first = self._open[rtp_port]
        sock = socket.socket(first.family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self._hosts[rtp_port], rtp_port))
            sock.connect(destination)
            self._discard(sock)
        except OSError:
            sock.close()
            return None
        finally:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self._aimed[rtp_port] = sock
        self.peer[sock.fileno()] = (self._receiver(rtp_port), sock.recv, destination)
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        return sock.send

    def send(self, port: int, data: bytes, destination: Address) -> None:
        """Send a datagram; one that cannot leave is lost, as networks lose them too."""
        try:
            self._open[port].sendto(data, destination)
        except OSError:
            pass

    def close(self, rtp_port: int) -> None:
        """Close all of a stream's sockets."""
        self._unaim(rtp_port)
        del self._hosts[rtp_port]
        for port in (rtp_port, rtp_port + 1):
            sock = self._open.pop(port)
            del self.anyone[sock.fileno()]
            self._epoll.unregister(sock.fileno())
            sock.close()

    def _unaim(self, rtp_port: int) -> None:
        sock = self._aimed.pop(rtp_port, None)
        if sock is not None:
            del self.peer[sock.fileno()]
            self._epoll.unregister(sock.fileno())
            sock.close()

    @staticmethod
    def _discard(sock: socket.socket) -> None:
        """What came between `bind` and `connect` may be from anybody."""
        try:
            while True:
                sock.recv(2048)
        except OSError:
            return


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
