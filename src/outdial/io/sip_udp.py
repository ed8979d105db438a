"""One UDP socket for a SIP endpoint: datagrams in, `Transmit` out, ICMP errors as `TransportFailed`.

The socket is read and written directly: asyncio's datagram transport loses the datagram that is being sent when the error of an earlier
one is pending, and does not say which destination an ICMP error is about. With IP_RECVERR the kernel's error queue does.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable

from ..sip.values import Address, Datagram, Transmit, TransportFailed

OnItem = Callable[[Datagram | TransportFailed], None]

_BATCH = 64
"""Datagrams read in one turn of the loop, so that a storm leaves time for the rest."""
_SIZE = 65536
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_BUFFER = 4 * 1024 * 1024


class SipUdp:
    """A bound socket on a loop. Its `put` is a port of the pump; what arrives goes to `on_item`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_item: OnItem, sock: socket.socket) -> None:
        """Take over a bound datagram socket."""
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        self._v6 = sock.family == socket.AF_INET6
        if self._v6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        host, port = sock.getsockname()[:2]
        self.local = Address(host=host, port=port)
        self._sock = sock
        self._loop = loop
        self._on_item = on_item
        loop.add_reader(sock.fileno(), self._readable)

    def put(self, item: Transmit, now: float) -> None:
        """Send one datagram; a failure comes back as `TransportFailed` in a later turn of the loop."""
        destination = (item.destination.host, item.destination.port)
        for _ in range(3):
            try:
                self._sock.sendto(item.data, destination)
                return
            except BlockingIOError:
                return  # the buffer is full: lost like any other datagram, timers send it again
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    return  # it says nothing of the destination: others' messages get there
                # The error may be the one pending of an earlier datagram; the queue says of which, and the next try sends.
                if not self._read_errors():
                    failed = TransportFailed(destination=item.destination, detail=error.strerror or str(error))
                    self._loop.call_soon(self._report, failed)
                    return

    def close(self) -> None:
        """Stop reading and close the socket."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()

    def _report(self, item: TransportFailed) -> None:
        if self._sock.fileno() >= 0:
            self._on_item(item)

    def _readable(self) -> None:
        for _ in range(_BATCH):
            try:
                data, source = self._sock.recvfrom(_SIZE)
            except BlockingIOError:
                break
            except OSError:
                self._read_errors()
                continue
            self._on_item(Datagram(data=data, source=Address(host=source[0], port=source[1]), local=self.local))
            if self._sock.fileno() < 0:
                return
        self._read_errors()

    def _listen_again(self) -> None:
        """libuv, below uvloop, stops listening on a socket for good once it has seen an error pending there."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._loop.add_reader(self._sock.fileno(), self._readable)

    def _read_errors(self) -> bool:
        """Empty the error queue; whether there was anything in it."""
        found = False
        for _ in range(_BATCH):
            try:
                _, control, _, where = self._sock.recvmsg(512, 512, _MSG_ERRQUEUE)
            except OSError:
                break
            if not found:
                self._loop.call_soon(self._listen_again)
            found = True
            code = next((_EXTENDED_ERROR.unpack_from(data)[0] for _, _, data in control if len(data) >= _EXTENDED_ERROR.size), errno.EIO)
            if where and code != errno.EMSGSIZE:  # a router's: the kernel has learnt it, and cuts what is sent again
                failed = TransportFailed(destination=Address(host=where[0], port=where[1]), detail=os.strerror(code))
                self._loop.call_soon(self._report, failed)
        return found


def bind(host: str, port: int) -> socket.socket:
    """A bound UDP socket, IPv4 or IPv6. Raises `OSError` (EADDRINUSE where somebody else has the port)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            # Else IPv4 peers would appear as ::ffff:192.0.2.1, which no Via or SDP of theirs says.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
