"""The API over a real socket: boto3 as a user would, and a hand-made client where boto3 would not send it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from helpers.api_server import ApiServer
from helpers.aws import Aws
from outdial.model.ids import KeyId
from outdial.model.resources import KeyRow

ARN = "arn:aws:lambda:us-east-1:111122223333:function:reminder"
TRUTHS = ("service_model", "guide", "observed", "ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test here says where its truth comes from: once."""
    for item in items:
        if "compat" in item.path.parts:
            found = [mark.name for mark in item.iter_markers() if mark.name in TRUTHS]
            assert len(found) == 1, f"{item.nodeid} has {found or 'no marker'}: exactly one of {', '.join(TRUTHS)}"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def aws(server: ApiServer) -> Aws:
    return Aws(server.host, server.port)


def client(server: ApiServer, *, region: str = "us-east-1", attempts: int = 1, key: str = "outdial", secret: str = "outdial") -> Any:
    return boto3.client(
        "chime-sdk-voice",
        endpoint_url=server.url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": attempts}),
    )


@pytest.fixture
def voice(server: ApiServer) -> Iterator[Any]:
    made = client(server)
    yield made
    made.close()


@pytest.fixture
def application(voice: Any) -> str:
    made = voice.create_sip_media_application(AwsRegion="us-east-1", Name="reminders", Endpoints=[{"LambdaArn": ARN}])
    return str(made["SipMediaApplication"]["SipMediaApplicationId"])


@pytest.fixture
def number(voice: Any) -> str:
    e164 = voice.search_available_phone_numbers(MaxResults=1)["E164PhoneNumbers"][0]
    voice.create_phone_number_order(ProductType="SipMediaApplicationDialIn", E164PhoneNumbers=[e164])
    return str(e164)


@pytest.fixture
def other_account(server: ApiServer) -> dict[str, Any]:
    """A key of another account."""
    row = KeyRow(id=KeyId("ODOTHER"), secret="other-secret", account="444455556666", created_at=1)
    server.run(lambda: server.resources.keys.create(row))
    return {"key": row.id, "secret": row.secret}
