"""boto3 as a user would, over a real socket, with nothing changed but the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from helpers.api_server import ApiServer

ARN = "arn:aws:lambda:us-east-1:111122223333:function:reminder"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def voice(server: ApiServer) -> Iterator[Any]:
    client = boto3.client(
        "chime-sdk-voice",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="outdial",
        aws_secret_access_key="outdial",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


@pytest.fixture
def application(voice: Any) -> str:
    made = voice.create_sip_media_application(AwsRegion="us-east-1", Name="reminders", Endpoints=[{"LambdaArn": ARN}])
    return str(made["SipMediaApplication"]["SipMediaApplicationId"])


@pytest.fixture
def number(voice: Any) -> str:
    e164 = voice.search_available_phone_numbers(MaxResults=1)["E164PhoneNumbers"][0]
    voice.create_phone_number_order(ProductType="SipMediaApplicationDialIn", E164PhoneNumbers=[e164])
    return str(e164)
