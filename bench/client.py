"""A lean client of the API: hand-signed requests over kept connections, so that the load costs little beside what is measured."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import hmac
import json
import uuid
from typing import Any

KEY = SECRET = "outdial"
REGION = "us-east-1"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign(method: str, path: str, query: str, host: str, body: bytes) -> dict[str, str]:
    """SigV4 headers of one request (service `chime`)."""
    at = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    day, digest = at[:8], hashlib.sha256(body).hexdigest()
    scope = f"{day}/{REGION}/chime/aws4_request"
    canonical = "\n".join([method, path, query, f"host:{host}", f"x-amz-date:{at}", "", "host;x-amz-date", digest])
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = _hmac(_hmac(_hmac(_hmac(f"AWS4{SECRET}".encode(), day), REGION), "chime"), "aws4_request")
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    return {"host": host, "x-amz-date": at, "authorization": credential, "content-type": "application/json"}


class Connection:
    """One kept connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: Any = None, query: str = "") -> tuple[int, Any]:
        """One request; gives status and decoded body."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        assert self._reader is not None
        data = b"" if body is None else json.dumps(body).encode()
        host = f"{self._host}:{self._port}"
        headers = sign(method, path, query, host, data) | {"content-length": str(len(data)), "amz-sdk-invocation-id": str(uuid.uuid4())}
        head = f"{method} {path}{'?' + query if query else ''} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self._writer.write(head.encode() + b"\r\n" + data)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = next((int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        text = await self._reader.readexactly(length)
        return status, json.loads(text) if text else None

    def close(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.close()


async def provision(connection: Connection, function: str) -> tuple[str, str]:
    """An application for a function, and a number to call from."""
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:{function}"
    body = {"AwsRegion": REGION, "Name": function, "Endpoints": [{"LambdaArn": arn}]}
    status, made = await connection.ask("POST", "/sip-media-applications", body)
    assert status == 201, made
    number = "+12065550100"
    order = {"ProductType": "SipMediaApplicationDialIn", "E164PhoneNumbers": [number]}
    status, ordered = await connection.ask("POST", "/phone-number-orders", order)
    assert status == 201, ordered
    return made["SipMediaApplication"]["SipMediaApplicationId"], number
