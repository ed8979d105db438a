"""Whatever is sent, the answer is an answer: nothing but `ServiceError` comes out of reading a request."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.api import sigv4, wire
from outdial.api.errors import ServiceError
from outdial.api.operations import SERVED
from outdial.api.shapes import reader

WORDS = [
    "FromPhoneNumber", "ToPhoneNumber", "SipHeaders", "ArgumentsMap", "Arguments", "AwsRegion", "Name", "Endpoints", "LambdaArn", "Tags",
    "Key", "Value", "ProductType", "E164PhoneNumbers", "CallingName", "SipMediaApplicationId", "+12065550100", "X-A",
]  # fmt: skip
TEXT = st.one_of(st.sampled_from(WORDS), st.text(max_size=8))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
RAW = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20)


@given(
    name=st.sampled_from(sorted(SERVED)),
    label=RAW,
    query=st.one_of(RAW, st.sampled_from(["max-results=", "max-results=9999999999", "status=%ff", "next-token&next-token"])),
    body=st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode())),
)
def test_reading_a_request(name: str, label: str, query: str, body: bytes) -> None:
    operation = wire.MODEL[name]
    try:
        read = operation.parse((label,) * len(operation.route.labels), query, body, "application/json")
    except ServiceError as error:
        refused = error
    else:
        assert set(read) <= set(operation.members)
        return
    assert refused.name == "BadRequestException"
    assert len(refused.body()) < 10_000


PARTS = [
    "AWS4-HMAC-SHA256", " ", ",", "Credential=", "SignedHeaders=", "Signature=", "host", ";", "x-amz-date", "k/", "20250102", "/us-east-1/",
    "chime", "s3", "/aws4_request", "0" * 64, "=", "é", "date",
]  # fmt: skip
PIECES = st.lists(st.sampled_from(PARTS), max_size=16).map("".join)
DATES = st.one_of(
    RAW, st.sampled_from(["20250102T030405Z", "00000000T000000Z", "99999999T999999Z", "Thu, 02 Jan 2025 03:04:05 GMT", "Thu, 99"])
)


@given(authorization=PIECES, date=st.dictionaries(st.sampled_from(["date", "x-amz-date"]), DATES), query=RAW)
def test_reading_a_signature(authorization: str, date: dict[str, str], query: str) -> None:
    headers = {"authorization": authorization, "host": "h", **date}
    empty = hashlib.sha256(b"").hexdigest()
    sigv4.meant_for(authorization, query)
    with pytest.raises(ServiceError) as caught:
        sigv4.verify(
            method="GET", path="/", query=query, headers=headers, payload_hash=empty, secret_of=lambda key: "s", at=1_735_787_045.0
        )
    assert caught.value.status == 403


def test_ten_thousand_mistakes_are_told_in_short() -> None:
    body = json.dumps({"ProductType": "VoiceConnector", "E164PhoneNumbers": ["x"] * 10_000}).encode()
    with pytest.raises(ServiceError) as caught:
        wire.MODEL["CreatePhoneNumberOrder"].parse((), "", body, "application/json")
    assert caught.value.message.startswith("10000 validation errors detected: Value at 'e164PhoneNumbers.1.member' failed")
    assert caught.value.message.endswith("; and 9990 more")
    assert caught.value.message.count("failed to satisfy") == 10


@given(JSON)
def test_a_number_is_an_integer_of_32_bits_or_refused(value: Any) -> None:
    try:
        read = reader("Port")(value, "port", [])
    except ServiceError:
        return
    assert type(read) is int
    assert -(2**31) <= read < 2**31
