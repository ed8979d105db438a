"""The services beside telephony that published handlers use, written small: DynamoDB's items, a GraphQL address, meetings, messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class AwsStub:
    """`item` is what DynamoDB and GraphQL find under any key, `asked` what was asked for, in order."""

    def __init__(self) -> None:
        self.item: dict[str, Any] | None = None
        self.note: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def answer(self, path: str, target: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON of one answer."""
        self.asked.append((target or path, body))
        if target.endswith(".GetItem"):
            return {} if self.item is None else {"Item": self.item}
        if path.endswith("/attendees"):
            return {"Attendee": {"AttendeeId": "a", "JoinToken": "t", "ExternalUserId": body.get("ExternalUserId", "")}}
        if path == "/graphql":
            return {"data": {"getNotebyTransactionId": self.note, "updateNote": self.note}}
        return {}

    @property
    def statuses(self) -> list[str]:
        """What the GraphQL address was told, in order."""
        return [body["variables"]["note"]["status"] for path, body in self.asked if path == "/graphql" and "note" in body["variables"]]


@contextmanager
def aws_stub() -> Iterator[AwsStub]:
    """One that listens; `url` is its address."""
    stub = AwsStub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = json.dumps(stub.answer(self.path, self.headers.get("X-Amz-Target", ""), json.loads(raw or b"{}"))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0" if "X-Amz-Target" in self.headers else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_PUT = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
