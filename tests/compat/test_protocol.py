"""HTTP and JSON as they arrive, routing, limits, errors through botocore: reference/api sections 10.7 and 11."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Any

import boto3
import pytest
from botocore.client import Config

from helpers.api_server import ApiServer
from helpers.aws import Aws, signed_headers
from helpers.losing_proxy import LosingProxy
from outdial.api.context import ApiSettings

LIST = "/sip-media-applications"
ARN = "arn:aws:lambda:us-east-1:111122223333:function:reminder"
BODY = {"AwsRegion": "us-east-1", "Name": "reminders", "Endpoints": [{"LambdaArn": ARN}]}


@pytest.mark.ours
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "The body must be a JSON object"),
        (b"null", "The body must be a JSON object"),
        (b'"x"', "The body must be a JSON object"),
        (b"{", "The body is not valid JSON: Input data was truncated"),
        (b"{}x", "The body is not valid JSON: JSON is malformed: trailing characters (byte 3)"),
        (b'{"Name": "\xff"}', "The body is not valid UTF-8"),
        (b"\xef\xbb\xbf{}", "The body is not valid JSON: JSON is malformed: invalid character (byte 0)"),
        (b'{"Name": NaN}', "The body is not valid JSON: JSON is malformed: invalid character (byte 9)"),
        (b'{"Name": ' + b"[" * 60_000, "The body nests too deep"),
    ],
)
def test_a_body_that_is_no_json_object_is_a_bad_request(aws: Aws, body: bytes, message: str) -> None:  # 126
    reply = aws("POST", LIST, body)
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)


@pytest.mark.service_model
def test_no_body_is_an_empty_object(aws: Aws) -> None:  # 127
    reply = aws("POST", LIST)
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert reply.message.startswith("3 validation errors detected: Value null at 'awsRegion' failed")


@pytest.mark.ours
@pytest.mark.parametrize("content_type", [None, "application/json; charset=utf-8", "application/x-amz-json-1.1"])
def test_these_content_types_are_json(aws: Aws, content_type: str | None) -> None:  # 128
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert aws("POST", LIST, json.dumps(BODY).encode(), headers=headers).status == 201


@pytest.mark.ours
def test_a_body_of_another_type_is_refused(aws: Aws) -> None:
    reply = aws("POST", LIST, b"<a/>", headers={"Content-Type": "application/xml"})
    assert (reply.status, reply.message) == (400, "Content-Type 'application/xml' is not supported: send application/json")


@pytest.mark.ours
def test_a_compressed_body_is_refused(aws: Aws) -> None:
    reply = aws("POST", LIST, gzip.compress(json.dumps(BODY).encode()), headers={"Content-Encoding": "gzip"})
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert reply.message == "Content-Encoding 'gzip' is not supported: send the body as it is"


@pytest.mark.guide("Common errors")
@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024, 10_000_000])
def test_a_large_body_is_refused_and_the_answer_arrives(aws: Aws, size: int) -> None:  # 129
    reply = aws("POST", LIST, b'{"Name": "' + b"x" * size + b'"}')
    assert (reply.status, reply.error) == (413, "RequestEntityTooLargeException")
    assert reply.message == "The body is larger than 65536 bytes"
    assert reply.headers["connection"] == "close"


@pytest.mark.guide("Common errors")
def test_a_large_chunked_body_is_refused_too(aws: Aws) -> None:
    chunk = b"%x\r\n" % 100_000 + b"x" * 100_000 + b"\r\n"
    reply = aws("POST", LIST, {}, extra={"Transfer-Encoding": "chunked"}, sent=chunk * 20 + b"0\r\n\r\n")
    assert (reply.status, reply.error) == (413, "RequestEntityTooLargeException")


@pytest.mark.ours
def test_a_chunked_body_is_as_one_with_a_length(aws: Aws) -> None:  # 130
    raw = json.dumps(BODY).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (raw[:10], raw[10:])) + b"0\r\n\r\n"
    assert aws("POST", LIST, raw, extra={"Transfer-Encoding": "chunked"}, sent=chunks).status == 201


class Wire:
    """One connection, bytes in, bytes out."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.socket = socket.create_connection((aws.host, aws.port), timeout=20)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def request(self, path: str = LIST, extra: str = "") -> bytes:
        headers = signed_headers(method="GET", url=self.aws.url + path, body=b"", headers={})
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.aws.host}:{self.aws.port}", *(f"{n}: {v}" for n, v in headers.items())]
        return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", 0)))


@pytest.mark.ours
def test_a_connection_is_kept_for_many_requests_and_pipelined_ones_are_answered_in_order(aws: Aws) -> None:  # 131
    with Wire(aws) as wire:
        for _ in range(100):
            wire.socket.sendall(wire.request())
            status, headers, _ = wire.answer()
            assert status == 200
            assert headers.get("connection") != "close"
        wire.socket.sendall(wire.request() + wire.request("/phone-numbers"))
        assert [json.loads(wire.answer()[2]) for _ in range(2)] == [{"SipMediaApplications": []}, {"PhoneNumbers": []}]


@pytest.mark.ours
def test_a_refusal_leaves_the_connection_usable(aws: Aws) -> None:
    with Wire(aws) as wire:
        wire.socket.sendall(b"POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + wire.request())
        assert wire.answer()[0] == 404
        assert wire.answer()[0] == 200


@pytest.mark.ours
def test_expect_100_continue_is_answered(aws: Aws) -> None:  # 132
    raw = json.dumps(BODY).encode()
    headers = signed_headers(method="POST", url=aws.url + LIST, body=raw, headers={"Content-Type": "application/json"})
    with Wire(aws) as wire:
        lines = [f"POST {LIST} HTTP/1.1", f"Host: {aws.host}:{aws.port}", *(f"{n}: {v}" for n, v in headers.items())]
        lines += [f"Content-Length: {len(raw)}", "Expect: 100-continue", "", ""]
        wire.socket.sendall("\r\n".join(lines).encode())
        assert wire.answer()[0] == 100
        wire.socket.sendall(raw)
        assert wire.answer()[0] == 201


@pytest.mark.ours
@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n"])
def test_what_is_no_http_is_told_so(aws: Aws, sent: bytes) -> None:
    with Wire(aws) as wire:
        wire.socket.sendall(sent)
        status, headers, body = wire.answer()
        assert (status, headers["x-amzn-errortype"], headers["connection"]) == (400, "BadRequestException", "close")
        assert json.loads(body) == {"Code": "BadRequest", "Message": "This is not a valid HTTP/1.1 request"}


@pytest.mark.ours
def test_headers_without_end_are_cut_off(aws: Aws) -> None:
    with Wire(aws) as wire:
        wire.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 40_000)
        status, _, body = wire.answer()
        assert (status, json.loads(body)["Message"]) == (400, "The request line and headers are longer than 32768 bytes")


@pytest.mark.ours
def test_a_request_line_that_is_too_long_is_refused(aws: Aws) -> None:
    reply = aws("GET", f"{LIST}?next-token={'x' * 8192}")
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", "The request line is longer than 8192 bytes")


@pytest.mark.guide("Common errors")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/sip-rules"), ("PATCH", LIST), ("GET", "/nope"), ("GET", "/"), ("GET", "/search"), ("POST", "/tags?operation=foo"),
        ("POST", "/phone-numbers/x?operation=foo"), ("OPTIONS", LIST), ("GET", f"{LIST}/a/b/c"), ("HEAD", LIST),
    ],
)  # fmt: skip
def test_what_is_no_operation_is_unknown(aws: Aws, method: str, path: str) -> None:  # 74, 82, 89, 133
    if method == "HEAD":
        headers = signed_headers(method=method, url=aws.url + path, body=b"", headers={})
        with Wire(aws) as wire:
            lines = [f"HEAD {path} HTTP/1.1", f"Host: {aws.host}:{aws.port}", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
            wire.socket.sendall("\r\n".join(lines).encode())
            assert wire.file.readline().split()[1] == b"404"
        return
    reply = aws(method, path)
    assert (reply.status, reply.error) == (404, "UnknownOperationException")
    assert reply.message == f"No operation stands at {method} {path.partition('?')[0]}"


@pytest.mark.ours
@pytest.mark.parametrize("path", [f"{LIST}/", "/phone-numbers/", "/phone-number-orders/"])
def test_a_trailing_slash_is_an_empty_id_and_never_the_list(aws: Aws, path: str) -> None:  # 69, trap 16
    reply = aws("GET", path)
    assert (reply.status, reply.error) == (400, "BadRequestException")


@pytest.mark.ours
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/sip-rules", "CreateSipRule"),
        ("GET", "/sip-rules/", "GetSipRule"),
        ("POST", "/voice-connectors", "CreateVoiceConnector"),
        ("POST", "/voice-connectors/x/proxy-sessions", "CreateProxySession"),
        ("GET", "/tags?arn=x", "ListTagsForResource"),
        ("POST", "/phone-numbers?operation=batch-delete", "BatchDeletePhoneNumber"),
        ("POST", "/accounts", "CreateAccount"),
        ("POST", "/meetings?operation=create-attendees", "CreateMeetingWithAttendees"),
    ],
)
def test_an_operation_that_is_not_served_is_refused_by_name(aws: Aws, method: str, path: str, name: str) -> None:  # 143
    reply = aws(method, path)
    assert (reply.status, reply.error, reply.message) == (403, "ForbiddenException", f"{name} is not supported by this server yet.")


@pytest.mark.service_model
def test_alexa_skills_are_gone(voice: Any) -> None:  # 143
    with pytest.raises(voice.exceptions.GoneException) as caught:
        voice.get_sip_media_application_alexa_skill_configuration(SipMediaApplicationId="x")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    assert caught.value.response["Error"]["Message"].startswith("GetSipMediaApplicationAlexaSkillConfiguration: Alexa skills")


@pytest.mark.ours
def test_an_operation_that_is_not_served_is_refused_only_to_who_signed(aws: Aws) -> None:
    assert aws.send("POST", "/sip-rules", {}).error == "MissingAuthenticationTokenException"


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("reason", "exception"),
    [
        ("trunk", "ServiceUnavailableException"), ("too_many_calls", "ResourceLimitExceededException"), ("emergency", "ForbiddenException"),
        ("not_owned", "BadRequestException"), ("no_call", "NotFoundException"), ("too_many_events", "ThrottledClientException"),
    ],
)  # fmt: skip
def test_errors_are_typed_exceptions(server: ApiServer, voice: Any, application: str, number: str, reason: Any, exception: str) -> None:
    server.control.refusing = reason  # 134, trap 2
    with pytest.raises(getattr(voice.exceptions, exception)) as caught:
        voice.create_sip_media_application_call(SipMediaApplicationId=application, FromPhoneNumber=number, ToPhoneNumber="+12065550150")
    assert caught.value.response["Error"] == {"Code": exception, "Message": f"Refused here: {reason}"}


def retrying(url: str, mode: Any) -> Any:
    return boto3.client(
        "chime-sdk-voice",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="outdial",
        aws_secret_access_key="outdial",
        config=Config(retries={"mode": mode, "total_max_attempts": 3}),
    )


@pytest.mark.service_model
@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_a_client_that_tries_again_gets_one_call(server: ApiServer, application: str, number: str, mode: Any) -> None:  # 139
    client = retrying(server.url, mode)
    server.control.refuse_first = 2
    answer = client.create_sip_media_application_call(
        SipMediaApplicationId=application, FromPhoneNumber=number, ToPhoneNumber="+12065550150"
    )
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(server.control.dialled) == 1
    client.close()


@pytest.mark.ours
def test_a_response_that_was_lost_is_given_again(server: ApiServer, application: str, number: str) -> None:  # 140, trap 1
    with LosingProxy(server.host, server.port, lose=1) as proxy:
        client = retrying(proxy.url, "standard")
        answer = client.create_sip_media_application_call(
            SipMediaApplicationId=application, FromPhoneNumber=number, ToPhoneNumber="+12065550150"
        )
        client.close()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(server.control.dialled) == 1
    assert answer["SipMediaApplicationCall"]["TransactionId"] in server.control.live


@pytest.mark.guide("Amazon Chime SDK endpoints and quotas")
def test_with_strict_limits_creates_come_once_a_second() -> None:  # 37, trap 4
    with ApiServer(ApiSettings(limits="strict")) as server:
        aws = Aws(server.host, server.port)
        path = f"{LIST}/x/calls"
        body = {"FromPhoneNumber": "+12065550100", "ToPhoneNumber": "+12065550150"}
        assert aws("POST", path, body).error == "BadRequestException"
        reply = aws("POST", path, body)
        assert (reply.status, reply.error, reply.json["Code"]) == (429, "ThrottledClientException", "Throttled")
        assert reply.message == "CreateSipMediaApplicationCall is limited to 1 a second. Slow down, or run with relaxed limits."
        assert (reply.headers["retry-after"], reply.headers["x-amz-retry-after"]) == ("1", "1000")
        assert aws("POST", path, body, region="eu-west-1").error == "BadRequestException"  # a bucket for each Region
        assert [aws("POST", f"{path}/t", {"Arguments": {}}).status for _ in range(6)] == [404] * 5 + [429]


@pytest.mark.ours
def test_a_repeat_does_not_count_against_the_rate() -> None:
    with ApiServer(ApiSettings(limits="strict")) as server:
        aws = Aws(server.host, server.port)
        number = aws("GET", "/search?type=phone-numbers&max-results=1").json["E164PhoneNumbers"][0]
        aws("POST", "/phone-number-orders", {"ProductType": "SipMediaApplicationDialIn", "E164PhoneNumbers": [number]})
        made = aws("POST", LIST, BODY).json["SipMediaApplication"]["SipMediaApplicationId"]

        def call(invocation: str) -> int:
            body = {"FromPhoneNumber": number, "ToPhoneNumber": "+12065550150"}
            return aws("POST", f"{LIST}/{made}/calls", body, extra={"amz-sdk-invocation-id": invocation}).status

        assert [call("one"), call("one"), call("one"), call("two"), call("one")] == [201, 201, 201, 429, 201]
        assert len(server.control.dialled) == 1


@pytest.mark.ours
def test_with_relaxed_limits_nothing_is_throttled(aws: Aws) -> None:
    body = {"FromPhoneNumber": "+12065550100", "ToPhoneNumber": "+12065550150"}
    assert {aws("POST", f"{LIST}/x/calls", body).status for _ in range(20)} == {400}


@pytest.mark.ours
def test_what_is_told_about_a_request_has_no_bare_number(server: ApiServer, aws: Aws) -> None:  # 144
    body = {"FromPhoneNumber": "+12065550100", "ToPhoneNumber": "+12065550150"}
    assert aws("POST", f"{LIST}/x/calls", body).status == 400
    assert aws("GET", "/nope/+12065550100").status == 404
    assert aws("GET", LIST).status == 200
    server.wait_until(lambda: len(server.watched) == 3)
    seen = [(one.operation, one.method, one.status, one.error, one.message) for one in server.watched]
    assert seen == [
        ("CreateSipMediaApplicationCall", "POST", 400, "BadRequestException", "Refused here: not_owned"),
        ("", "GET", 404, "UnknownOperationException", "No operation stands at GET /nope/+1206555****"),
        ("ListSipMediaApplications", "GET", 200, "", ""),
    ]
    assert all(0 <= one.seconds < 20 for one in server.watched)


@pytest.mark.ours
def test_our_own_fault_is_a_500_without_its_details(server: ApiServer, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(server.resources.applications, "list", broken)
    reply = aws("GET", LIST)
    assert (reply.status, reply.error, reply.json["Code"]) == (500, "ServiceFailureException", "ServiceFailure")
    assert reply.message == "An error of this server; its log has the request's id."
