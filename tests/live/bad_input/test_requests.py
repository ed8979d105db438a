"""Requests that are refused, by a whole node: the exception, the whole message, and that nothing was dialled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.aws import Aws
from helpers.bad_node import BadNode
from helpers.live_node import FROM
from helpers.steady import STAYS

PATTERN = "Member must satisfy regular expression pattern: ^\\+?[1-9]\\d{1,14}$"
MALFORMED = f"1 validation error detected: Value at 'toPhoneNumber' failed to satisfy constraint: {PATTERN}"
NEVER = "Emergency and special numbers are never dialled."
LEFT_OUT = "which the allow-list of destinations leaves out. To allow it all the same, add its first digits to allow_prefixes."
MEND = "Add a number of that country with `outdial number add`, or name the country in allow_countries."


@pytest.fixture
def aws(node: BadNode) -> Aws:
    """A client that checks nothing before it sends."""
    host, port = node.http.removeprefix("http://").split(":")
    return Aws(host, int(port))


@pytest.fixture(autouse=True)
def nothing_dialled(node: BadNode, beside: None) -> Iterator[None]:
    """A request that is refused makes no call."""
    before = node.count()
    yield
    assert node.count() == before


def create(node: BadNode, aws: Aws, *, application: str | None = None, **members: Any) -> tuple[int, str, str]:
    body = {"FromPhoneNumber": FROM, "ToPhoneNumber": STAYS, **members}
    reply = aws("POST", f"/sip-media-applications/{application or node.application}/calls", body)
    return reply.status, reply.error, reply.message


def refused(node: BadNode, to: str = STAYS, **members: Any) -> tuple[int, str, str]:
    """What boto3 raises: status, exception, message."""
    with pytest.raises(ClientError) as caught:
        node.place(to, **members)
    error = caught.value.response["Error"]
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], str(error["Code"]), str(error["Message"])


@pytest.mark.parametrize("number", ["", "1-206-555", "+0123", "+1234567890123456", "+1206555018x", "+12065550180\r\nX: y"])
def test_a_number_that_is_malformed(node: BadNode, aws: Aws, number: str) -> None:
    assert create(node, aws, ToPhoneNumber=number) == (400, "BadRequestException", MALFORMED)


def test_a_number_that_cannot_exist(node: BadNode) -> None:
    message = "+120655**** is not a possible telephone number. Give it in E.164 form, for example +12065550100."
    assert refused(node, "+1206555018") == (403, "ForbiddenException", message)


def test_a_number_that_is_not_owned(node: BadNode) -> None:
    message = (
        "FromPhoneNumber +1206555**** is not in this account's inventory with product type SipMediaApplicationDialIn. "
        "Add it with `outdial number add`, or order one with CreatePhoneNumberOrder."
    )
    assert refused(node, from_="+12065550149") == (400, "BadRequestException", message)


@pytest.mark.parametrize(
    ("number", "where"),
    [
        ("911", ""),
        ("+1911", " of US"),
        ("112", ""),
        ("999", ""),
        ("+44999", " of GB"),
        ("+44112", " of GB"),
        ("+49110", " of DE"),
        ("+49112", " of DE"),
        ("+33112", " of FR"),
        ("+61000", " of AU"),
        ("+81119", " of JP"),
        ("+91100", " of IN"),
    ],
)
def test_an_emergency_number_whatever_the_allow_list(node: BadNode, number: str, where: str) -> None:
    """`allow_prefixes` of this node names +1911, +44999 and +49110; `allow_countries` Germany and the United States."""
    assert refused(node, number) == (403, "ForbiddenException", f"**** is an emergency number{where}. {NEVER}")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("+442079460000", f"+44207946**** is in GB, and only DE, US may be called. {MEND}"),
        ("+18765550100", f"+1876555**** is in JM, and only DE, US may be called. {MEND}"),
        ("+8823456789", f"+882345**** belongs to no country, {LEFT_OUT}"),
        ("+491805123456", f"+49180512**** is a shared-cost number, {LEFT_OUT}"),
    ],
)
def test_a_number_outside_the_allow_list(node: BadNode, number: str, message: str) -> None:
    assert refused(node, number) == (403, "ForbiddenException", message)


TWENTY = "1 validation error detected: Value at 'sipHeaders' failed to satisfy constraint: Member must have length less than or equal to 20"
RESERVED = "Names that begin with x-amzn, x-vine, x-vc, x-canary, x-voice are reserved"
OTHERS = "Names must begin with x-, or be User-to-User or Diversion"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({f"X-{n}": "v" for n in range(21)}, TWENTY),
        ({"X-A": "a\r\nX-B: c"}, "SipHeaders: the value of X-A contains a line break or another control character"),
        ({"X-A": "a\rb"}, "SipHeaders: the value of X-A contains a line break or another control character"),
        ({"X-A": "a\nb"}, "SipHeaders: the value of X-A contains a line break or another control character"),
        ({"X-A\r\nX-B": "c"}, "SipHeaders: 'X-A\\r\\nX-B' is not a header name of at most 256 characters (RFC 3261, token)"),
        ({"X-Amzn-Trace": "1"}, f"Invalid SIP header(s) provided: X-Amzn-Trace. {RESERVED}"),
        ({"From": "x"}, f"Invalid SIP header(s) provided: From. {OTHERS}"),
        ({"Content-Length": "0"}, f"Invalid SIP header(s) provided: Content-Length. {OTHERS}"),
    ],
)
def test_headers_that_may_not_go_out(node: BadNode, headers: dict[str, str], message: str) -> None:
    assert refused(node, SipHeaders=headers) == (400, "BadRequestException", message)


def test_an_application_that_is_not_there(node: BadNode) -> None:
    unknown = "11111111-1111-4111-8111-111111111111"
    message = f"No SIP media application has the id {unknown}. List them with `outdial app ls`."
    assert refused(node, application=unknown) == (400, "BadRequestException", message)


def test_a_wrong_signature(node: BadNode, aws: Aws) -> None:
    reply = aws("POST", f"/sip-media-applications/{node.application}/calls", {}, secret="wrong")
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )
    assert (reply.status, reply.error, reply.message) == (403, "InvalidSignatureException", message)


STAMP = r"\d{8}T\d{6}Z"


@pytest.mark.parametrize(
    ("minutes", "message"),
    [
        (16, rf"Signature expired: {STAMP} is now earlier than {STAMP} \({STAMP} - 15 min\.\)"),
        (-16, rf"Signature not yet current: {STAMP} is still later than {STAMP} \({STAMP} \+ 15 min\.\)"),
    ],
)
def test_a_skewed_clock(node: BadNode, aws: Aws, minutes: int, message: str) -> None:
    reply = aws("POST", f"/sip-media-applications/{node.application}/calls", {}, age=timedelta(minutes=minutes))
    assert (reply.status, reply.error) == (403, "InvalidSignatureException")
    assert re.fullmatch(message, reply.message)


def test_a_body_that_is_not_json(node: BadNode, aws: Aws) -> None:
    reply = aws("POST", f"/sip-media-applications/{node.application}/calls", b'{"FromPhoneNumber": ')
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert reply.message == "The body is not valid JSON: Input data was truncated"


def test_a_body_of_10_mb(node: BadNode, aws: Aws) -> None:
    body = {"FromPhoneNumber": FROM, "ToPhoneNumber": STAYS, "ArgumentsMap": {"k": "x" * 10_000_000}}
    reply = aws("POST", f"/sip-media-applications/{node.application}/calls", body)
    assert (reply.status, reply.error) == (413, "RequestEntityTooLargeException")
    assert reply.message == "The body is larger than 65536 bytes"


def test_a_request_that_is_signed_for_s3(node: BadNode) -> None:
    s3 = boto3.client("s3", endpoint_url=node.http, region_name="us-east-1", aws_access_key_id="outdial", aws_secret_access_key="outdial")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="sounds", Key="hello.wav", Body=b"RIFF")
    assert caught.value.response["Error"] == {
        "Code": "InvalidRequest",
        "Message": f"This is Outdial's API, not S3: objects are in folders, {node.data}/buckets/BUCKET/KEY. "
        "Point only AWS_ENDPOINT_URL_CHIME_SDK_VOICE (and AWS_ENDPOINT_URL_CHIME) here, not AWS_ENDPOINT_URL.",
    }
    s3.close()
