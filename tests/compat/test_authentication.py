"""Who may ask: reference/api sections 5, 6.6 and 10.6. Requests are signed by botocore's own signer."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from helpers.api_server import ApiServer
from helpers.aws import Aws, Reply
from outdial.api.context import ApiSettings
from outdial.model.ids import KeyId
from outdial.model.resources import KeyRow

LIST = "/sip-media-applications"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details."
)
UNKNOWN = "The security token included in the request is invalid."


def told(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.error, reply.message


@pytest.mark.guide("Common errors")
def test_an_unsigned_request_is_refused_whatever_its_body(aws: Aws) -> None:  # 105, 125
    for body in (b"", b"{"):
        reply = aws.send("POST", LIST, {}, body)
        assert told(reply) == (403, "MissingAuthenticationTokenException", "Missing Authentication Token")


INCOMPLETE = " ".join(f"Authorization header requires '{name}' parameter." for name in ("Signature", "SignedHeaders"))
SCOPE = "20250102/us-east-1/chime/aws4_request"
HEX = "0" * 64


@pytest.mark.ours
@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("AWS4-HMAC-SHA256 Credential=x", INCOMPLETE),
        ("AWS outdial:abc", "Unsupported algorithm 'AWS': sign with AWS4-HMAC-SHA256."),
        ("Bearer abc", "Unsupported algorithm 'Bearer': sign with AWS4-HMAC-SHA256."),
        ("AWS4-ECDSA-P256-SHA256 Credential=x", "Unsupported algorithm 'AWS4-ECDSA-P256-SHA256': sign with AWS4-HMAC-SHA256."),
        (
            f"AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=host, Signature={HEX}",
            "Credential must have the form KEY/DATE/REGION/chime/aws4_request.",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential=k/{SCOPE}, SignedHeaders=host, Signature=abc",
            "Signature must be 64 hexadecimal digits, in lower case.",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential=k/{SCOPE}, SignedHeaders=host, Signature={HEX}",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ),
    ],
)
def test_a_header_that_cannot_be_read_is_incomplete(aws: Aws, authorization: str, message: str) -> None:  # 106
    reply = aws.send("GET", LIST, {"Authorization": authorization})
    assert told(reply) == (403, "IncompleteSignatureException", message)


@pytest.mark.ours
@pytest.mark.parametrize("stamp", ["2025-01-02T03:04:05Z", "20251302T030405Z", "now"])
def test_a_date_that_is_none_is_incomplete(aws: Aws, stamp: str) -> None:
    reply = aws("GET", LIST, extra={"X-Amz-Date": stamp}, drop=("X-Amz-Date",))
    assert told(reply) == (403, "IncompleteSignatureException", "X-Amz-Date must have the form YYYYMMDDTHHMMSSZ.")


@pytest.mark.guide("Common errors")
def test_an_unknown_or_inactive_key_is_refused(server: ApiServer, aws: Aws) -> None:  # 107
    row = KeyRow(id=KeyId("ODOFF"), secret="s", account="000000000000", active=False, created_at=1)
    server.run(lambda: server.resources.keys.create(row))
    for key in ("AKIDUNKNOWN", "ODOFF", "", "a/b"):
        assert told(aws("GET", LIST, key=key, secret="s")) == (403, "UnrecognizedClientException", UNKNOWN)


@pytest.mark.ours
def test_a_key_that_was_made_works_and_stops_working_when_it_is_deleted(server: ApiServer, aws: Aws) -> None:
    row = KeyRow(id=KeyId("ODNEW"), secret="s3cret/+=", account="000000000000", created_at=1)
    server.run(lambda: server.resources.keys.create(row))
    assert aws("GET", LIST, key="ODNEW", secret="s3cret/+=").status == 200
    server.run(lambda: server.resources.keys.delete(row.id))
    assert aws("GET", LIST, key="ODNEW", secret="s3cret/+=").error == "UnrecognizedClientException"


@pytest.mark.observed("public issue threads")
def test_a_wrong_secret_is_a_wrong_signature(voice: Any, server: ApiServer) -> None:  # 108
    wrong = boto3.client(
        "chime-sdk-voice",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="outdial",
        aws_secret_access_key="wrong",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as caught:
        wrong.list_sip_media_applications()
    assert caught.value.response["Error"] == {"Code": "InvalidSignatureException", "Message": MISMATCH}
    wrong.close()


@pytest.mark.guide("Signature Version 4")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"sent": b'{"Name": "c"}'}, id="109 another body"),
        pytest.param({"target": f"{LIST}?max-results=1"}, id="110 another query"),
        pytest.param({"target": f"{LIST}/x"}, id="another path"),
        pytest.param({"extra": {"Content-Type": "application/json; charset=utf-8"}, "drop": ("Content-Type",)}, id="112 another header"),
    ],
)
def test_what_was_changed_after_signing_is_refused(aws: Aws, change: dict[str, Any]) -> None:
    method = "PUT" if change.get("target") == f"{LIST}/x" else "POST"
    reply = aws(method, LIST, {"Name": "b"}, **change)
    assert told(reply) == (403, "InvalidSignatureException", MISMATCH)


@pytest.mark.guide("Signature Version 4")
def test_a_signed_header_that_is_gone_is_named(aws: Aws) -> None:  # 112
    reply = aws("GET", LIST, headers={"X-Foo": "1"}, drop=("X-Foo",))
    assert told(reply) == (403, "InvalidSignatureException", "The signed header 'x-foo' is missing from the request.")


@pytest.mark.guide("Signature Version 4")
def test_a_payload_hash_that_was_sent_must_be_the_bodys(aws: Aws) -> None:  # 109
    right = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert aws("GET", LIST, headers={"x-amz-content-sha256": right}).status == 200
    reply = aws("POST", LIST, {"Name": "b"}, headers={"x-amz-content-sha256": right})
    assert told(reply) == (403, "InvalidSignatureException", "The value of x-amz-content-sha256 does not match the request's body.")
    reply = aws("GET", LIST, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    assert reply.message.startswith("x-amz-content-sha256 'UNSIGNED-PAYLOAD' is not supported")


@pytest.mark.guide("Signature Version 4")
def test_what_a_proxy_adds_does_not_matter(aws: Aws) -> None:  # 111
    assert aws("GET", LIST, extra={"X-Foo": "added", "X-Forwarded-For": "192.0.2.1"}).status == 200


@pytest.mark.guide("Signature Version 4")
@pytest.mark.parametrize(("minutes", "accepted"), [(14, True), (-14, True), (16, False), (-16, False)])
def test_a_clock_may_be_fifteen_minutes_off(aws: Aws, minutes: int, accepted: bool) -> None:  # 113
    reply = aws("GET", LIST, age=timedelta(minutes=minutes))
    assert (reply.status == 200) is accepted
    if not accepted:
        assert (reply.status, reply.error) == (403, "InvalidSignatureException")
        assert reply.message.startswith("Signature expired: " if minutes > 0 else "Signature not yet current: ")
        assert "15 min.)" in reply.message


@pytest.mark.guide("Signature Version 4")
def test_the_scope_must_be_this_service_and_this_day(aws: Aws) -> None:  # 114
    reply = aws("GET", LIST, service="execute-api")
    assert told(reply) == (403, "InvalidSignatureException", "Credential should be scoped to correct service: 'chime'.")
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    reply = aws("GET", LIST, age=timedelta(days=1), extra={"X-Amz-Date": now}, drop=("X-Amz-Date",))
    assert (reply.status, reply.error) == (403, "InvalidSignatureException")
    assert reply.message.startswith("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ")


@pytest.mark.ours
@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "local"])
def test_any_region_is_accepted(aws: Aws, region: str) -> None:  # 115
    assert aws("GET", LIST, region=region).status == 200


@pytest.mark.guide("Signature Version 4")
@pytest.mark.parametrize("label", ["a b", "é☎", "a/b", "a%2Fb", "!*'()", "..", ".", "a~b-c_d.e", "%2B1", " "])
def test_ids_of_any_text_verify(voice: Any, label: str) -> None:  # 117, 30
    with pytest.raises((voice.exceptions.NotFoundException, voice.exceptions.BadRequestException)):
        voice.get_sip_media_application(SipMediaApplicationId=label)


@pytest.mark.guide("Signature Version 4")
@pytest.mark.parametrize("query", ["next-token=" + quote("a b+c/é=~*'", safe="-_.~"), "b=2&a=1&a=0", "flag", "flag=&x=1"])
def test_queries_of_any_text_verify(aws: Aws, query: str) -> None:
    reply = aws("GET", f"{LIST}?{query}")
    assert reply.error in ("", "BadRequestException")


@pytest.mark.guide("Signature Version 4")
def test_blanks_in_a_signed_header_do_not_matter(aws: Aws) -> None:
    assert aws("GET", LIST, headers={"X-Foo": "a   b\t c"}).status == 200


@pytest.mark.guide("Signature Version 4")
def test_a_host_without_its_port_is_another_host(aws: Aws) -> None:  # 118
    assert aws("GET", LIST, extra={"Host": f"{aws.host}:{aws.port}"}).status == 200
    assert told(aws("GET", LIST, extra={"Host": aws.host})) == (403, "InvalidSignatureException", MISMATCH)


@pytest.mark.ours
def test_a_permanent_key_carries_no_session_token(aws: Aws) -> None:  # 119
    assert told(aws("GET", LIST, token="FwoGZXIvYXdzEXAMPLE")) == (403, "UnrecognizedClientException", UNKNOWN)


@pytest.mark.ours
def test_presigned_requests_are_refused_by_name(aws: Aws) -> None:  # 120: header form only
    request = AWSRequest("GET", aws.url + LIST)
    SigV4QueryAuth(Credentials("outdial", "outdial"), "chime", "us-east-1").add_auth(request)
    target = request.url.removeprefix(aws.url)
    message = "Presigned requests are not supported: sign in the Authorization header."
    assert told(aws.send("GET", target, {})) == (403, "IncompleteSignatureException", message)
    both = aws("GET", target)
    assert told(both) == (
        403,
        "IncompleteSignatureException",
        "The request is signed both in its query and in its Authorization header.",
    )


@pytest.mark.ours
def test_development_credentials_are_for_loopback_only() -> None:
    with ApiServer(ApiSettings(loopback=False)) as server:
        assert told(Aws(server.host, server.port)("GET", LIST)) == (403, "UnrecognizedClientException", UNKNOWN)


@pytest.mark.ours
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        pytest.param(
            {"Host": "rebound.example"},
            "This listener is for this machine only, and 'rebound.example' is none of its loopback names.",
            id="another name",
        ),
        pytest.param({"Origin": "https://page.example"}, "A page of another origin may not use this.", id="another origin"),
    ],
)
def test_a_web_page_cannot_use_the_development_credentials(aws: Aws, headers: dict[str, str], message: str) -> None:
    assert told(aws("GET", LIST, headers=headers)) == (403, "ForbiddenException", message)


@pytest.mark.ours
def test_strangers_are_not_told_where_objects_are() -> None:
    settings = ApiSettings(loopback=False, objects="in folders, /srv/outdial/buckets/BUCKET/KEY")
    with ApiServer(settings) as server:
        scope = "k/20250102/us-east-1/s3/aws4_request"
        connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        connection.request("GET", "/prompts/hello.wav", headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 400
        assert b"objects are where the operator of this node keeps them" in body
        assert b"/srv" not in body


@pytest.mark.ours
def test_somebody_who_takes_this_for_s3_is_told(server: ApiServer) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="outdial",
        aws_secret_access_key="outdial",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    message = (
        "This is Outdial's API, not S3: objects are in the folder buckets/BUCKET/KEY of the data folder. "
        "Point only AWS_ENDPOINT_URL_CHIME_SDK_VOICE (and AWS_ENDPOINT_URL_CHIME) here, not AWS_ENDPOINT_URL."
    )
    asks: tuple[Callable[[], Any], ...] = (
        lambda: s3.list_buckets(),
        lambda: s3.get_object(Bucket="prompts", Key="hello.wav"),
        lambda: s3.put_object(Bucket="prompts", Key="hello.wav", Body=b"x" * 10_000_000),
    )
    for ask in asks:
        with pytest.raises(ClientError) as caught:
            ask()
        assert caught.value.response["Error"]["Code"] == "InvalidRequest"
        assert caught.value.response["Error"]["Message"] == message
    s3.close()
