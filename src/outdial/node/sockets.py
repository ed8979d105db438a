"""Binding what a node listens on; a taken port is named together with the flag that moves it."""

from __future__ import annotations

import errno
import socket

from ..config import HostPort
from ..errors import OutdialError


def bind(what: str, flag: str, where: HostPort, kind: socket.SocketKind) -> socket.socket:
    """A bound, non-blocking socket; TCP ones are not listening yet. Raises `OutdialError` (`port_taken`)."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((where.host, where.port))
    except OSError as error:
        bound.close()
        problem = "the port is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        other = HostPort(where.host, where.port + 1 if where.port < 65535 else 0)
        raise OutdialError("port_taken", what=what, address=where, problem=problem, flag=flag, other=other) from None
    bound.setblocking(False)
    return bound


def address(bound: socket.socket) -> HostPort:
    """Where a socket is bound."""
    host, port = bound.getsockname()[:2]
    return HostPort(host, port)
