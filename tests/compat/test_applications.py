"""SIP media applications: reference/api section 10.3."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.api_server import ApiServer
from helpers.aws import UUID, Aws

ARN = "arn:aws:lambda:us-east-1:111122223333:function:reminder"
BODY = {"AwsRegion": "us-east-1", "Name": "reminders", "Endpoints": [{"LambdaArn": ARN}]}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FAILED = "1 validation error detected: Value{} at '{}' failed to satisfy constraint: {}"
NAME = "Member must satisfy regular expression pattern: [a-zA-Z0-9 _.-]+"


@pytest.mark.service_model
def test_a_created_application_has_all_its_members(aws: Aws) -> None:  # 47, trap 3
    reply = aws("POST", "/sip-media-applications", BODY)
    made = reply.json["SipMediaApplication"]
    assert reply.status == 201
    assert UUID.fullmatch(made["SipMediaApplicationId"])
    assert made["SipMediaApplicationArn"] == f"arn:aws:chime:us-east-1:000000000000:sma/{made['SipMediaApplicationId']}"
    assert STAMP.fullmatch(made["CreatedTimestamp"])
    assert STAMP.fullmatch(made["UpdatedTimestamp"])
    assert {name: made[name] for name in BODY} == BODY


@pytest.mark.service_model
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"Name": "n" * 256}, id="48 name of 256"),
        pytest.param({"Endpoints": [{"LambdaArn": f"{ARN}:alias"}]}, id="51 alias"),
        pytest.param({"Endpoints": [{"LambdaArn": f"{ARN}:$LATEST"}]}, id="51 $LATEST"),
        pytest.param({"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(50)]}, id="53 fifty tags"),
        pytest.param({"Tags": [{"Key": "k" * 128, "Value": ""}]}, id="54 key of 128, empty value"),
    ],
)
def test_these_are_accepted(server: ApiServer, aws: Aws, change: dict[str, Any]) -> None:
    reply = aws("POST", "/sip-media-applications", {**BODY, **change})
    assert reply.status == 201, reply.raw
    row = server.resources.application(reply.json["SipMediaApplication"]["SipMediaApplicationId"])
    assert row.tags == tuple((tag["Key"], tag["Value"]) for tag in change.get("Tags", []))


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"Name": "n" * 257},
            FAILED.format(f" '{'n' * 100}'", "name", "Member must have length less than or equal to 256"),
            id="48 name of 257",
        ),
        pytest.param({"Name": "a/b"}, FAILED.format(" 'a/b'", "name", NAME), id="49 slash"),
        pytest.param({"Name": "é"}, FAILED.format(" 'é'", "name", NAME), id="49 not ASCII"),
        pytest.param(
            {"Endpoints": []}, FAILED.format("", "endpoints", "Member must have length greater than or equal to 1"), id="50 no endpoint"
        ),
        pytest.param(
            {"Endpoints": [{"LambdaArn": ARN}] * 2},
            FAILED.format("", "endpoints", "Member must have length less than or equal to 1"),
            id="50 two endpoints",
        ),
        pytest.param(
            {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)]},
            FAILED.format("", "tags", "Member must have length less than or equal to 50"),
            id="53 fifty-one tags",
        ),
        pytest.param({"Tags": []}, FAILED.format("", "tags", "Member must have length greater than or equal to 1"), id="53 no tags"),
        pytest.param(
            {"Tags": [{"Key": "k" * 129, "Value": ""}]},
            FAILED.format("", "tags.1.member.key", "Member must have length less than or equal to 128"),
            id="54 key of 129",
        ),
        pytest.param(
            {"Tags": [{"Key": "k"}]},
            FAILED.format(" null", "tags.1.member.value", "Member must not be null"),
            id="54 tag without value",
        ),
    ],
)
def test_these_break_the_model(aws: Aws, change: dict[str, Any], message: str) -> None:
    reply = aws("POST", "/sip-media-applications", {**BODY, **change})
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)


@pytest.mark.service_model
def test_each_broken_limit_is_named(aws: Aws) -> None:
    reply = aws("POST", "/sip-media-applications", {"Name": ""})
    assert reply.message == (
        "4 validation errors detected: Value null at 'awsRegion' failed to satisfy constraint: Member must not be null; "
        "Value null at 'endpoints' failed to satisfy constraint: Member must not be null; "
        "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; "
        f"Value '' at 'name' failed to satisfy constraint: {NAME}"
    )


@pytest.mark.service_model
def test_a_function_of_another_service_is_no_endpoint(aws: Aws) -> None:  # 52
    reply = aws("POST", "/sip-media-applications", {**BODY, "Endpoints": [{"LambdaArn": "arn:aws:sns:us-east-1:111122223333:topic"}]})
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert "Value at 'endpoints.1.member.lambdaArn' failed to satisfy constraint: Member must satisfy regular expression" in reply.message


@pytest.mark.ours
@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"Endpoints": [{}]}, "Endpoints[0].LambdaArn is missing", id="50 an empty endpoint"),
        pytest.param({"Tags": [{"Key": "k", "Value": "v"}] * 2}, "Tags: a key stands twice", id="53 twice"),
        pytest.param({"Tags": [{"Key": "aws:k", "Value": "v"}]}, "Tags: keys that begin with aws: are reserved", id="reserved"),
        pytest.param({"AwsRegion": "here"}, "AwsRegion 'here' is not the name of a Region, for example us-east-1", id="no Region"),
    ],
)
def test_these_are_refused_beyond_the_model(aws: Aws, change: dict[str, Any], message: str) -> None:
    reply = aws("POST", "/sip-media-applications", {**BODY, **change})
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)


@pytest.mark.service_model
def test_the_function_must_be_in_the_applications_region(aws: Aws) -> None:
    reply = aws("POST", "/sip-media-applications", {**BODY, "AwsRegion": "eu-west-1"})
    assert (reply.status, reply.message) == (
        400,
        "Endpoints[0].LambdaArn is in us-east-1, the application is in eu-west-1: both must be in the same Region",
    )


@pytest.mark.ours
def test_a_new_application_can_be_read_at_once(aws: Aws) -> None:  # 55
    made = aws("POST", "/sip-media-applications", BODY).json
    read = aws("GET", f"/sip-media-applications/{made['SipMediaApplication']['SipMediaApplicationId']}")
    assert (read.status, read.json) == (200, made)


@pytest.mark.service_model
def test_an_update_changes_what_it_names(aws: Aws) -> None:  # 56, 57
    made = aws("POST", "/sip-media-applications", BODY).json["SipMediaApplication"]
    path = f"/sip-media-applications/{made['SipMediaApplicationId']}"
    renamed = aws("PUT", path, {"Name": "other"})
    assert renamed.status == 200
    assert renamed.json["SipMediaApplication"] == {
        **made,
        "Name": "other",
        "UpdatedTimestamp": renamed.json["SipMediaApplication"]["UpdatedTimestamp"],
    }
    assert renamed.json["SipMediaApplication"]["UpdatedTimestamp"] > made["UpdatedTimestamp"]
    assert aws("PUT", path, {}).json == renamed.json
    moved = aws("PUT", path, {"Endpoints": [{"LambdaArn": f"{ARN}:v2"}]}).json["SipMediaApplication"]
    assert (moved["Name"], moved["Endpoints"]) == ("other", [{"LambdaArn": f"{ARN}:v2"}])
    assert aws("GET", path).json["SipMediaApplication"] == moved


@pytest.mark.service_model
def test_a_deleted_application_is_gone(voice: Any, application: str) -> None:  # 59
    assert voice.delete_sip_media_application(SipMediaApplicationId=application)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for again in (voice.get_sip_media_application, voice.delete_sip_media_application):
        with pytest.raises(voice.exceptions.NotFoundException) as caught:
            again(SipMediaApplicationId=application)
        assert caught.value.response["Error"] == {"Code": "NotFoundException", "Message": "No SIP media application has this id"}


@pytest.mark.ours
def test_another_accounts_application_is_not_found(aws: Aws, application: str, other_account: dict[str, Any]) -> None:  # 124
    path = f"/sip-media-applications/{application}"
    for reply in (aws("GET", path, **other_account), aws("DELETE", path, **other_account), aws("PUT", path, {}, **other_account)):
        assert (reply.status, reply.error, reply.message) == (404, "NotFoundException", "No SIP media application has this id")
    assert aws("GET", "/sip-media-applications", **other_account).json == {"SipMediaApplications": []}


@pytest.mark.ours
def test_a_repeated_create_makes_one_application(aws: Aws) -> None:
    invocation = {"amz-sdk-invocation-id": "one"}
    first = aws("POST", "/sip-media-applications", BODY, extra=invocation)
    second = aws("POST", "/sip-media-applications", BODY, extra=invocation)
    assert (first.status, first.raw) == (second.status, second.raw)
    assert len(aws("GET", "/sip-media-applications").json["SipMediaApplications"]) == 1


@pytest.mark.ours
def test_names_need_not_be_unique(aws: Aws) -> None:
    first, second = (aws("POST", "/sip-media-applications", BODY).json["SipMediaApplication"] for _ in range(2))
    assert first["SipMediaApplicationId"] != second["SipMediaApplicationId"]


@pytest.mark.ours
def test_a_database_that_refuses_is_a_503_and_nothing_is_made(server: ApiServer, voice: Any) -> None:
    server.resources.switch.refusing = True
    with pytest.raises(ClientError) as caught:
        voice.create_sip_media_application(AwsRegion="us-east-1", Name="reminders", Endpoints=[{"LambdaArn": ARN}])
    assert caught.value.response["Error"] == {"Code": "ServiceUnavailableException", "Message": "The database is locked"}
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    server.resources.switch.refusing = False
    assert voice.list_sip_media_applications()["SipMediaApplications"] == []
