"""Tables, readers and writers, judged by botocore's own parser and by the model itself."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore
import botocore.loaders
import botocore.model
import botocore.parsers
import pytest

from helpers.scripts import script
from outdial.api import _shapes, shapes, wire
from outdial.api.errors import CODES, STATUSES, ServiceError
from outdial.api.operations import CREATES, SERVED


@pytest.fixture(scope="module")
def model() -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("chime-sdk-voice", "service-2"), "chime-sdk-voice")


def test_the_tables_are_what_the_script_writes() -> None:
    """From the release that they name; from another one at least everything that is served stands where it stood."""
    make = script("make_shapes")
    if botocore.__version__ == _shapes.BOTOCORE:
        assert make.text(None) == make.TARGET.read_text()
        return
    newer: dict[str, Any] = {}
    exec(make.text(None), newer)
    for name in SERVED:
        ours, theirs = _shapes.OPERATIONS[name], newer["OPERATIONS"][name]
        assert {key: theirs[key] for key in ("method", "uri", "status", "input", "output")} == {
            key: ours[key] for key in ("method", "uri", "status", "input", "output")
        }
        assert set(newer["SHAPES"][theirs["input"]].get("required", ())) == set(_shapes.SHAPES[ours["input"]].get("required", ()))


def test_every_operation_of_the_model_has_its_place(model: botocore.model.ServiceModel) -> None:
    assert len(model.operation_names) == 96
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        raw = re.sub(r"\{\w+\}", "x", path)
        fixed = [tuple(pair.split("=")) for pair in query.split("&") if pair]
        found = wire.find(http["method"], raw, fixed)
        assert found is not None
        assert found[0] == name


def test_every_error_of_the_model_has_its_status_and_code(model: botocore.model.ServiceModel) -> None:
    codes = set(model.shape_for("ErrorCode").enum)
    assert set(CODES) == {shape.name for shape in model.error_shapes}
    for shape in model.error_shapes:
        assert STATUSES[shape.name] == shape.metadata["error"]["httpStatusCode"]
        assert CODES[shape.name] in codes
        body = json.loads(ServiceError(shape.name, "what").body())
        assert body == {"Code": CODES[shape.name], "Message": "what"}


def test_what_creates_is_served() -> None:
    assert set(SERVED) > CREATES


def test_every_pattern_of_the_model_compiles() -> None:  # trap 13: one of them is no regular expression
    for name, raw in _shapes.SHAPES.items():
        if raw["type"] == "string":
            shapes.reader(name)


OUTPUT: dict[str, Any] = {
    "PhoneNumbers": [
        {
            "PhoneNumberId": "%2B12065550100",
            "E164PhoneNumber": "+12065550100",
            "Capabilities": {"InboundCall": True, "OutboundSMS": False},
            "Associations": [],
            "CreatedTimestamp": 1_614_834_367_123,
            "DeletionTimestamp": None,
        }
    ],
    "NextToken": None,
}


def test_output_is_what_botocore_reads(model: botocore.model.ServiceModel) -> None:
    body = wire.MODEL["ListPhoneNumbers"].serialise(OUTPUT)
    assert json.loads(body)["PhoneNumbers"][0]["CreatedTimestamp"] == "2021-03-04T05:06:07.123Z"
    assert b"null" not in body
    parser = botocore.parsers.create_parser("rest-json")
    response = {"status_code": 200, "headers": {"content-type": "application/json"}, "body": body}
    parsed = parser.parse(response, model.operation_model("ListPhoneNumbers").output_shape)
    [number] = parsed["PhoneNumbers"]
    assert number["CreatedTimestamp"].timestamp() == 1_614_834_367.123
    assert number["Capabilities"] == {"InboundCall": True, "OutboundSMS": False}
    assert number["Associations"] == []
    assert "DeletionTimestamp" not in number
    assert "NextToken" not in parsed


@pytest.mark.parametrize("at", [0, 1, 999, 1000, 951_782_400_000, 4_102_444_799_999])
def test_times_have_three_decimals_and_a_zone(at: int) -> None:
    text = shapes.iso(at)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    from datetime import datetime

    assert round(datetime.fromisoformat(text).timestamp() * 1000) == at


def test_a_member_that_the_model_does_not_know_is_a_bug() -> None:
    with pytest.raises(KeyError):
        wire.MODEL["GetSipMediaApplication"].serialise({"SipMediaApplication": {"Nmae": "x"}})


def read(shape: str, value: Any) -> tuple[Any, list[str]]:
    found: list[str] = []
    return shapes.reader(shape)(value, "member", found), found


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        ("Port", True, "member: expected a whole number, got a boolean"),
        ("Port", "7", "member: expected a whole number, got a string"),
        ("Port", 1.0, "member: expected a whole number, got a number"),
        ("Port", 2**31, "member: 2147483648 is outside of 32 bits"),
        ("Boolean", "true", "member: expected a boolean, got a string"),
        ("Boolean", 1, "member: expected a boolean, got a number"),
        ("TagList", {}, "member: expected a list, got an object"),
        ("TagList", [None], "member.1.member: expected an object, got null"),
        ("SipHeadersMap", [], "member: expected an object, got a list"),
        ("E164PhoneNumberList", [5], "member.1.member: expected a string, got a number"),
    ],
)
def test_types_are_strict(shape: str, value: Any, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        read(shape, value)
    assert (caught.value.name, caught.value.message) == ("BadRequestException", message)


@pytest.mark.parametrize(("shape", "low", "high"), [("Port", 0, 65535), ("ResultMax", 1, 100), ("PhoneNumberMaxResults", 1, 500)])
def test_numbers_have_their_limits(shape: str, low: int, high: int) -> None:
    assert read(shape, low) == (low, [])
    assert read(shape, high) == (high, [])
    assert read(shape, low - 1)[1] == [
        f"Value '{low - 1}' at 'member' failed to satisfy constraint: Member must have value greater than or equal to {low}"
    ]
    assert read(shape, high + 1)[1] == [
        f"Value '{high + 1}' at 'member' failed to satisfy constraint: Member must have value less than or equal to {high}"
    ]


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        ("E164PhoneNumber", ["+12", "12", "+123456789012345"], ["", "+1", "+0123", "+1234567890123456", "+12\n", "1٠", " +12", "+12 "]),
        ("NonEmptyString", ["x", " x\n", "\nx"], ["", " ", "\n\t"]),
        ("ClientRequestId", ["ab", "a" * 64, "-_"], ["a", "a" * 65, "a b"]),
        ("PhoneNumberName", ["", "a b", "a.b_c-d,e"], [" a", "a ", "é"]),
        ("Alpha2CountryCode", ["US"], ["us", "USA", "U"]),
        (
            "GuidString",
            ["6D5b2d3c-0000-4000-8000-000000000000"],
            ["6d5b2d3c000040008000000000000000", "x6d5b2d3c-0000-4000-8000-000000000000"],
        ),
    ],
)
def test_patterns_match_the_whole_string_in_ascii(shape: str, good: list[str], bad: list[str]) -> None:  # trap 13
    for text in good:
        assert read(shape, text) == (text, [])
    for text in bad:
        assert len(read(shape, text)[1]) == 1, text


def test_what_the_model_marks_sensitive_is_not_repeated() -> None:
    """A refused number, ARN or tag must not get into somebody's log by way of our message."""
    _, found = read("E164PhoneNumber", "+0123")
    assert found == [r"Value at 'member' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\+?[1-9]\d{1,14}$"]


def test_length_counts_characters() -> None:
    assert read("TagValue", "😀" * 256) == ("😀" * 256, [])
    assert len(read("TagValue", "😀" * 257)[1]) == 1
