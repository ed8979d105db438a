"""The HTTP port itself: slow clients, too many of them, and stopping."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.api_server import ApiServer
from helpers.aws import Aws, Reply
from outdial.api import asgi
from outdial.io import http


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


def connect(server: ApiServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=20)


def until_closed(client: socket.socket) -> bytes:
    data = b""
    with client:
        while part := client.recv(65536):
            data += part
    return data


def test_headers_that_do_not_end_in_time_are_cut_off(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_TIMEOUT_S", 0.05)
    client = connect(server)
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    assert until_closed(client) == b""


def test_a_connection_that_says_nothing_is_closed_after_the_keep_alive_time(server: ApiServer) -> None:
    assert http.KEEP_ALIVE_S >= 75  # reference/api 4.4
    server.run(lambda: setattr(server.http._config, "timeout_keep_alive", 0.05))
    assert until_closed(connect(server)) == b""


def test_a_kept_connection_is_bound_by_the_next_requests_head_too(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_TIMEOUT_S", 0.05)
    client = connect(server)
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"}"):
        answer += client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")
    client.sendall(b"GET /healthz HTT")
    assert until_closed(client) == b""


def test_a_body_that_does_not_come_is_a_408_and_the_end(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_TIMEOUT_S", 0.05)
    monkeypatch.setattr(asgi, "DRAIN_TIMEOUT_S", 0.05)
    client = connect(server)
    client.sendall(b"POST /sip-media-applications HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    head, _, body = until_closed(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"x-amzn-errortype: RequestTimeoutException" in head
    assert json.loads(body)["Message"] == "The body did not arrive within 0.05 seconds"


def test_a_client_that_leaves_in_the_middle_of_its_body_costs_nothing(server: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    client = connect(server)
    client.sendall(b"POST /sip-media-applications HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    server.wait_until(lambda: len(server.http.tasks) == 1)
    client.close()
    server.wait_until(lambda: len(server.http.tasks) == 0)
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def test_more_connections_than_can_be_had_are_closed(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECTIONS_MAX", 2)
    first, second = connect(server), connect(server)
    server.wait_until(lambda: server.http.connections == 2)
    third = connect(server)
    try:
        assert until_closed(third) == b""
    except ConnectionResetError:
        pass
    first.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert first.recv(65536).startswith(b"HTTP/1.1 200")
    first.close()
    second.close()
    server.wait_until(lambda: server.http.connections == 0)
    assert Aws(server.host, server.port)("GET", "/phone-numbers").status == 200


def test_stopping_lets_a_request_in_progress_end() -> None:
    replies: list[Reply] = []
    with ApiServer() as server:
        aws = Aws(server.host, server.port)
        server.run(server.control.gate.clear)
        body = {"FromPhoneNumber": "+12065550100", "ToPhoneNumber": "+12065550150"}
        thread = threading.Thread(target=lambda: replies.append(aws("POST", "/sip-media-applications/x/calls", body)))
        thread.start()
        server.wait_until(lambda: server.control.waiting == 1)

        async def stop() -> None:
            stopping = asyncio.create_task(server.http.stop())
            await asyncio.sleep(0)
            server.control.gate.set()
            await stopping

        server.run(stop)
        thread.join(20)
        assert [reply.status for reply in replies] == [400]
        with pytest.raises(ConnectionRefusedError):
            connect(server)


def test_stopping_ends_what_does_not_end_by_itself(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(http, "STOP_S", 0.05)
    with ApiServer() as server:
        server.run(server.control.gate.clear)
        client = connect(server)
        client.sendall(b"POST /sip-media-applications HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        server.wait_until(lambda: len(server.http.tasks) == 1)
    try:
        assert until_closed(client) == b""
    except ConnectionResetError:
        pass
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def test_a_second_is_the_most_that_the_date_is_late(server: ApiServer) -> None:
    """W2; the header is made when it is read, and kept for half a second."""

    async def dates() -> list[Any]:
        state = http._State(asyncio.get_running_loop())
        return [state.default_headers, state.default_headers]

    first, second = server.run(dates)
    assert first is second
    assert first[0][0] == b"date"
