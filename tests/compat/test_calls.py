"""CreateSipMediaApplicationCall and UpdateSipMediaApplicationCall, as boto3 sees them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from helpers.api_server import ApiServer

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.service_model
def test_a_created_call_answers_201_with_a_transaction_id(server: ApiServer, voice: Any, application: str, number: str) -> None:
    answer = voice.create_sip_media_application_call(
        SipMediaApplicationId=application, FromPhoneNumber=number, ToPhoneNumber="+12065550150", ArgumentsMap={"who": "é😀"}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert UUID.fullmatch(answer["SipMediaApplicationCall"]["TransactionId"])
    [placed] = server.control.dialled
    assert (placed.from_, placed.to, placed.arguments) == (number, "+12065550150", {"who": "é😀"})
    assert placed.facts.from_owned
    assert placed.facts.countries_owned == ("US",)
    assert placed.facts.application is not None
    assert placed.facts.application.function == "reminder"


@pytest.mark.service_model
def test_an_update_answers_202_with_the_same_transaction_id(server: ApiServer, voice: Any, application: str, number: str) -> None:
    call = voice.create_sip_media_application_call(SipMediaApplicationId=application, FromPhoneNumber=number, ToPhoneNumber="+12065550150")
    transaction = call["SipMediaApplicationCall"]["TransactionId"]
    answer = voice.update_sip_media_application_call(
        SipMediaApplicationId=application, TransactionId=transaction, Arguments={"action": "hang up"}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["SipMediaApplicationCall"]["TransactionId"] == transaction
    assert [update.arguments for update in server.control.updates] == [{"action": "hang up"}]
