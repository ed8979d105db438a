"""A hand-made client of the AWS API: it sends any bytes, and signs them with botocore's signer, so that nothing is checked beforehand."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODES = {
    "BadRequest", "Conflict", "Forbidden", "NotFound", "PreconditionFailed", "ResourceLimitExceeded", "ServiceFailure", "AccessDenied",
    "ServiceUnavailable", "Throttled", "Throttling", "Unauthorized", "Unprocessable", "VoiceConnectorGroupAssociationsExist",
    "PhoneNumberAssociationsExist", "Gone",
}  # fmt: skip
"""The service model's `ErrorCode`."""
UNMODELLED = re.compile(
    "MissingAuthenticationToken|IncompleteSignature|UnrecognizedClient|InvalidSignature|UnknownOperation|RequestEntityTooLarge|RequestTimeout"
)


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.raw)
        assert isinstance(value, dict)
        return value

    @property
    def error(self) -> str:
        """The exception's name, empty where the request succeeded."""
        return self.headers.get("x-amzn-errortype", "")

    @property
    def message(self) -> str:
        return str(self.json["Message"])


def signed_headers(
    *,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    key: str = "outdial",
    secret: str = "outdial",
    token: str | None = None,
    region: str = "us-east-1",
    service: str = "chime",
    age: timedelta = timedelta(),
) -> dict[str, str]:
    """Headers as botocore signs them, as if its clock were `age` behind."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    moment = datetime.now(UTC) - age
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(Credentials(key, secret, token), service, region).add_auth(request)
    return dict(request.headers.items())


class Aws:
    """Sends one request after the other; every reply is checked for what every reply must have (reference/api W1 to W4)."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.url = f"http://{host}:{port}"
        self.seen: set[str] = set()

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str] | None = None,
        drop: tuple[str, ...] = (),
        sent: bytes | None = None,
        target: str | None = None,
        **signing: Any,
    ) -> Reply:
        """Send and check. `headers` are signed, `extra` are added afterwards and `drop` taken away; `sent` and `target` replace the body
        and the path that were signed."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if raw and headers is None else dict(headers or {})
        signed = signed_headers(method=method, url=self.url + path, body=raw, headers=given, **signing)
        for name in drop:
            signed.pop(name)
        return self.send(method, target or path, {**signed, **(extra or {})}, raw if sent is None else sent)

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name, value)
            if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            reply = Reply(status=answer.status, headers={k.lower(): v for k, v in answer.getheaders()}, raw=answer.read())
        finally:
            connection.close()
        self.check(reply)
        return reply

    def check(self, reply: Reply) -> None:
        """W1: a fresh request id; W2: the right Date; W3: JSON with its length, or nothing at all; W4: an error that can be read."""
        request_id = reply.headers["x-amzn-requestid"]
        assert UUID.fullmatch(request_id)
        assert request_id not in self.seen
        self.seen.add(request_id)
        assert abs((parsedate_to_datetime(reply.headers["date"]) - datetime.now(UTC)).total_seconds()) <= 2
        if reply.status == 204:
            assert reply.raw == b""
            assert "content-type" not in reply.headers
            return
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["content-length"] == str(len(reply.raw))
        assert isinstance(reply.json, dict)
        if reply.status >= 400:
            assert "#" not in reply.error
            assert ":" not in reply.error
            assert reply.message.strip()
            assert "Traceback" not in reply.message
            assert reply.json.get("Code") in CODES or (UNMODELLED.match(reply.error) and "Code" not in reply.json)
