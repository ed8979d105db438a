"""HTTP functions against a real server: Lambda Invoke as emulators offer it (reference/processes 2.3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from helpers.handler_node import HandlerNode, invoke, run
from outdial.io.handler_http import HttpFunctions, invocation_address
from outdial.model.ids import FunctionName
from outdial.model.invocations import BadReply, InvocationFailed, Replied
from outdial.model.workers import FunctionSpec, HttpInvoke

OK = b'{"SchemaVersion":"1.0","Actions":[{"Type":"Hangup"}]}'
Answer = Callable[[str, dict[str, str], bytes], Awaitable[bytes]]


def response(status: int, body: bytes, **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status} x",
        f"content-length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Emulator:
    """A function behind Lambda's Invoke, as small as it gets."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((head[0], headers, body))
                writer.write(await self._answer(head[0], headers, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def emulator(answer: Answer) -> AsyncIterator[Emulator]:
    found = Emulator(answer)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()


class HttpNode(HandlerNode):
    def more_ports(self, loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
        self.http = HttpFunctions(lambda event: self._live.give("invocations", event, "http"), loop)
        return {"http": self.http.put}

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        await self.http.close()


def web(address: str, name: str = "web") -> FunctionSpec:
    return FunctionSpec(name=FunctionName(name), kind="http", target=address)


def always(status: int, body: bytes, **headers: str) -> Answer:
    async def answer(line: str, request: dict[str, str], event: bytes) -> bytes:
        return response(status, body, **headers)

    return answer


def test_where_an_address_has_no_path_it_is_lambdas_invoke() -> None:
    assert invocation_address(web("http://127.0.0.1:9000")) == "http://127.0.0.1:9000/2015-03-31/functions/web/invocations"
    assert invocation_address(web("http://127.0.0.1:9000/", "a:live")) == "http://127.0.0.1:9000/2015-03-31/functions/a/invocations"
    given = "https://example.com/2015-03-31/functions/function/invocations"
    assert invocation_address(web(given)) == given


def test_an_event_is_posted_as_the_body_and_connections_are_kept() -> None:
    async def main() -> None:
        async with emulator(always(200, OK)) as lambda_, HttpNode(web(lambda_.address)) as node:
            for sequence in range(1, 6):
                asked = invoke("web", call=1, sequence=sequence)
                found = await node.ask(asked)
                assert isinstance(found, Replied)
                assert [action.type for action in found.actions] == ["Hangup"]
            line, headers, body = lambda_.requests[0]
            assert line == "POST /2015-03-31/functions/web/invocations HTTP/1.1"
            assert headers["content-type"] == "application/json"
            assert headers["x-amz-invocation-type"] == "RequestResponse"
            assert json.loads(body)["InvocationEventType"] == "CALL_ANSWERED"
            assert lambda_.connections == 1

    run(main)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (always(200, b'{"errorMessage":"no","errorType":"KeyError"}', x_amz_function_error="Unhandled"), "KeyError: no"),
        (always(404, b'{"Message":"Function not found"}'), "answered 404"),
        (always(429, b""), "answered 429"),
        (always(500, b""), "answered 500"),
        (always(307, b"", location="http://127.0.0.1:1/"), "answered 307"),
    ],
)
def test_errors_are_given_once_more_and_redirects_are_not_followed(answer: Answer, words: str) -> None:
    async def main() -> None:
        async with emulator(answer) as lambda_, HttpNode(web(lambda_.address)) as node:
            found = await node.ask(invoke("web"))
            assert isinstance(found, InvocationFailed)
            assert words in found.detail
            assert len(lambda_.requests) == 2
            assert lambda_.requests[0][2] == lambda_.requests[1][2]

    run(main)


def test_an_error_and_then_an_answer() -> None:
    async def main() -> None:
        answers = [response(500, b""), response(200, OK)]

        async def answer(line: str, request: dict[str, str], event: bytes) -> bytes:
            return answers.pop(0)

        async with emulator(answer) as lambda_, HttpNode(web(lambda_.address)) as node:
            assert isinstance(await node.ask(invoke("web")), Replied)

    run(main)


def test_a_refused_connection_is_an_error() -> None:
    async def main() -> None:
        async with emulator(always(200, OK)) as lambda_:
            address = lambda_.address
        async with HttpNode(web(address)) as node:
            found = await node.ask(invoke("web"))
            assert isinstance(found, InvocationFailed)
            assert "did not answer" in found.detail

    run(main)


def test_a_connection_that_breaks_is_an_error() -> None:
    async def answer(line: str, request: dict[str, str], event: bytes) -> bytes:
        raise ConnectionError

    async def main() -> None:
        async with emulator(answer) as lambda_, HttpNode(web(lambda_.address)) as node:
            found = await node.ask(invoke("web"))
            assert isinstance(found, InvocationFailed)
            assert len(lambda_.requests) == 2

    run(main)


def test_an_answer_over_6_mb_is_cut_off_and_bad() -> None:
    async def main() -> None:
        async with emulator(always(200, b'"' + b"x" * (7 * 1024 * 1024) + b'"')) as lambda_, HttpNode(web(lambda_.address)) as node:
            assert isinstance(await node.ask(invoke("web")), BadReply)

    run(main)


def test_a_function_that_never_answers_times_out_while_others_go_on() -> None:
    async def answer(line: str, request: dict[str, str], event: bytes) -> bytes:
        if json.loads(event)["CallDetails"].get("TransactionAttributes"):
            await asyncio.Event().wait()
        return response(200, OK)

    async def main() -> None:
        async with emulator(answer) as lambda_, HttpNode(web(lambda_.address), handler_timeout_s=1.0) as node:
            hanging = node.begin(invoke("web", attributes={"hang": True}))
            while not hanging.done():
                assert isinstance(await node.ask(invoke("web")), Replied)
            found = await hanging
            assert isinstance(found, InvocationFailed)
            assert found.reason == "timeout"

    run(main)


@pytest.mark.parametrize("body", [b"", b"null"])
def test_an_empty_answer_fails(body: bytes) -> None:
    async def main() -> None:
        async with emulator(always(200, body)) as lambda_, HttpNode(web(lambda_.address)) as node:
            found = await node.ask(invoke("web"))
            assert isinstance(found, InvocationFailed)
            assert found.detail == "Response is blank or empty"
            assert len(lambda_.requests) == 1

    run(main)


def test_a_proxy_gets_the_request() -> None:
    async def main() -> None:
        async with emulator(always(200, OK)) as proxy:
            loop = asyncio.get_running_loop()
            answered: asyncio.Queue[Any] = asyncio.Queue()
            http = HttpFunctions(answered.put_nowait, loop, proxy=proxy.address)
            spec = web("http://lambda.example.com:9000")
            http.put(HttpInvoke(id=1, spec=spec, text="{}", timeout_s=5, call=invoke("web").call, sequence=1), 0.0)
            reply = await asyncio.wait_for(answered.get(), 10)
            assert reply.status == 200
            assert proxy.requests[0][0] == "POST http://lambda.example.com:9000/2015-03-31/functions/web/invocations HTTP/1.1"
            await http.close()

    run(main)
