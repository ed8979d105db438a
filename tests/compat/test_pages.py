"""Pagination: reference/api section 10.5."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from helpers.aws import Aws

ARN = "arn:aws:lambda:us-east-1:111122223333:function:reminder"
LIST = "/sip-media-applications"


@pytest.fixture
def five(aws: Aws) -> list[str]:
    """Ids of five applications, in the order that they were made."""
    bodies = ({"AwsRegion": "us-east-1", "Name": f"number {n}", "Endpoints": [{"LambdaArn": ARN}]} for n in range(5))
    return [aws("POST", LIST, body).json["SipMediaApplication"]["SipMediaApplicationId"] for body in bodies]


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["SipMediaApplicationId"] for one in answer["SipMediaApplications"]]


@pytest.mark.service_model
@pytest.mark.parametrize("size", ["1", "100"])
def test_these_page_sizes_are_accepted(aws: Aws, size: str) -> None:  # 99
    assert aws("GET", f"{LIST}?max-results={size}").status == 200


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("0", "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: "
              "Member must have value greater than or equal to 1"),
        ("101", "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 100"),
        ("abc", "max-results: expected a whole number, got 'abc'"), ("1.0", "max-results: expected a whole number, got '1.0'"),
        ("", "max-results: expected a whole number, got ''"), ("1&max-results=2", "max-results is given twice in the query"),
    ],
)  # fmt: skip
def test_these_page_sizes_are_not(aws: Aws, size: str, message: str) -> None:  # 99
    reply = aws("GET", f"{LIST}?max-results={size}")
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)


@pytest.mark.service_model
def test_tokens_lead_through_the_whole_list(voice: Any, five: list[str]) -> None:  # 100
    sizes: list[int] = []
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = voice.list_sip_media_applications(MaxResults=2, **token)
        sizes.append(len(answer["SipMediaApplications"]))
        found += ids(answer)
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert sizes == [2, 2, 1]
    assert sorted(found) == sorted(five)


@pytest.mark.service_model
def test_botocores_paginator_ends(voice: Any, five: list[str]) -> None:  # 101
    pages = list(voice.get_paginator("list_sip_media_applications").paginate(PaginationConfig={"PageSize": 2}))
    assert sorted(application for page in pages for application in ids(page)) == sorted(five)


@pytest.mark.ours
def test_a_token_is_good_for_its_own_list_only(aws: Aws, five: list[str], other_account: dict[str, Any]) -> None:  # 102
    token = aws("GET", f"{LIST}?max-results=2").json["NextToken"]
    assert len(token) < 200
    refused = [
        aws("GET", f"{LIST}?next-token={token}", **other_account),
        aws("GET", f"/phone-numbers?next-token={token}"),
        aws("GET", f"{LIST}?next-token={token[:-1]}"),
        aws("GET", f"{LIST}?next-token={'x' * 7_000}"),
        aws("GET", f"{LIST}?next-token={quote('é+/=', safe='')}"),
    ]
    for reply in refused:
        assert (reply.status, reply.error) == (400, "BadRequestException")
        assert reply.message == "NextToken is not one that this list gave out. Start again without a token."


@pytest.mark.ours
def test_a_list_that_grows_between_pages_loses_and_doubles_nothing(aws: Aws, five: list[str]) -> None:  # 103
    first = aws("GET", f"{LIST}?max-results=3").json
    aws("POST", LIST, {"AwsRegion": "us-east-1", "Name": "late", "Endpoints": [{"LambdaArn": ARN}]})
    second = aws("GET", f"{LIST}?max-results=3&next-token={quote(first['NextToken'])}").json
    assert "NextToken" not in second
    together = ids(first) + ids(second)
    assert len(together) == len(set(together)) == 6
    assert set(five) < set(together)
