"""Whether the addresses that a node would listen on can be had, for `doctor`."""

from __future__ import annotations

import errno
import socket

from ..config import Config, HostPort

_PROBLEMS = {
    errno.EADDRINUSE: "the port is taken by another process",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "this user may not listen there",
}


def listeners(config: Config) -> list[tuple[str, HostPort, socket.SocketKind, str]]:
    """Everything that a node with this configuration listens on: what, where, how, and the flag that moves it."""
    found = [("HTTP", config.http, socket.SOCK_STREAM, "--http"), ("SIP", config.sip, socket.SOCK_DGRAM, "--sip")]
    if config.builtin_carrier:
        found.append(("The built-in carrier", config.carrier, socket.SOCK_DGRAM, "--carrier"))
    return found


def why_not(address: HostPort, kind: socket.SocketKind) -> str | None:
    """Why an address cannot be listened on, or None where it can."""
    try:
        family, _, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=kind)[0]
        with socket.socket(family, kind, protocol) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            if kind is socket.SOCK_STREAM:
                probe.listen(1)
    except socket.gaierror:
        return f"{address.host} is no address of this machine"
    except OSError as error:
        return _PROBLEMS.get(error.errno or 0) or error.strerror or str(error)
    return None
