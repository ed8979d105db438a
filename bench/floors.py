"""What this machine can do at this moment, bare: beside these every figure is read."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .client import Connection
from .measure import cpu_of, free_port, python_loop

_ASGI = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
"""


def asgi_request(requests: int = 2000) -> float:
    """CPU microseconds of one request to an application that looks at nothing, sixteen connections at a time."""
    port = free_port(socket.SOCK_STREAM)
    with subprocess.Popen([sys.executable, "-c", _ASGI, str(port)]) as server:
        try:
            return asyncio.run(_ask(server.pid, port, requests))
        finally:
            server.terminate()


async def _ask(pid: int, port: int, requests: int) -> float:
    end = time.monotonic() + 20
    while True:
        first = Connection("127.0.0.1", port)
        try:
            await first.ask("POST", "/", {})
            break
        except OSError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.05)
    connections = [first, *(Connection("127.0.0.1", port) for _ in range(15))]

    async def some(connection: Connection, count: int) -> None:
        for _ in range(count):
            await connection.ask("POST", "/", {"FromPhoneNumber": "+12065550100"})

    await asyncio.gather(*(some(one, 20) for one in connections))
    before = cpu_of(pid)
    await asyncio.gather(*(some(one, requests // 16) for one in connections))
    spent = cpu_of(pid) - before
    for one in connections:
        one.close()
    return 1e6 * spent / (requests // 16 * 16)


def udp_packet(packets: int = 20_000) -> float:
    """CPU microseconds to send one datagram and receive one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
        two.bind(("127.0.0.1", 0))
        one.connect(two.getsockname())
        begun = time.thread_time()
        for _ in range(packets):
            one.send(b"x" * 172)
            two.recv(2048)
        return 1e6 * (time.thread_time() - begun) / packets


def committed_row(rows: int = 2000) -> float:
    """CPU microseconds of one committed row."""
    with tempfile.TemporaryDirectory() as name:
        connection = sqlite3.connect(Path(name) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT)")
        begun = time.thread_time()
        for _ in range(rows):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO row (text) VALUES (?)", ("x" * 300,))
            connection.execute("COMMIT")
        spent = time.thread_time() - begun
        connection.close()
    return 1e6 * spent / rows


def floors() -> dict[str, dict[str, float]]:
    """All of them."""
    return {
        "floors": {
            "asgi_us": asgi_request(),
            "udp_us": udp_packet(),
            "row_us": committed_row(),
            "python_us": python_loop(),
        }
    }
