"""Phone numbers, orders and the pool: reference/api section 10.4."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from helpers.api_server import ApiServer
from helpers.aws import UUID, Aws
from outdial.api.context import ApiSettings, NumberPool

N1, N2 = "+12065550100", "+12065550101"
FREE = [f"+120655501{n:02d}" for n in range(50)]


def order(aws: Aws, *numbers: str, product: str = "SipMediaApplicationDialIn", **members: Any) -> dict[str, Any]:
    reply = aws("POST", "/phone-number-orders", {"ProductType": product, "E164PhoneNumbers": list(numbers), **members})
    assert reply.status == 201, reply.raw
    made = reply.json["PhoneNumberOrder"]
    assert isinstance(made, dict)
    return made


@pytest.mark.service_model
def test_an_order_acquires_its_numbers(voice: Any) -> None:  # 90
    answer = voice.create_phone_number_order(ProductType="SipMediaApplicationDialIn", E164PhoneNumbers=[N1, N2], Name="front desk")
    made = answer["PhoneNumberOrder"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert UUID.fullmatch(made["PhoneNumberOrderId"])
    assert (made["OrderType"], made["Status"], made["ProductType"]) == ("New", "Successful", "SipMediaApplicationDialIn")
    assert made["OrderedPhoneNumbers"] == [{"E164PhoneNumber": N1, "Status": "Acquired"}, {"E164PhoneNumber": N2, "Status": "Acquired"}]
    assert voice.get_phone_number_order(PhoneNumberOrderId=made["PhoneNumberOrderId"])["PhoneNumberOrder"] == made
    assert voice.list_phone_number_orders()["PhoneNumberOrders"] == [made]
    owned = voice.list_phone_numbers()["PhoneNumbers"]
    assert [(n["E164PhoneNumber"], n["Name"], n["OrderId"]) for n in owned] == [
        (N1, "front desk", made["PhoneNumberOrderId"]),
        (N2, "front desk", made["PhoneNumberOrderId"]),
    ]


@pytest.mark.service_model
def test_an_unknown_product_is_refused(aws: Aws) -> None:  # 91: the legacy namespace had it
    reply = aws("POST", "/phone-number-orders", {"ProductType": "BusinessCalling", "E164PhoneNumbers": [N1]})
    assert (reply.status, reply.error, reply.message) == (
        400,
        "BadRequestException",
        "1 validation error detected: Value 'BusinessCalling' at 'productType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [VoiceConnector, SipMediaApplicationDialIn]",
    )


@pytest.mark.ours
def test_what_cannot_be_had_fails_by_number(aws: Aws) -> None:
    order(aws, N1)
    partial = order(aws, N1, N2, "+442079460000")
    assert partial["Status"] == "Partial"
    assert [n["Status"] for n in partial["OrderedPhoneNumbers"]] == ["Failed", "Acquired", "Failed"]
    assert order(aws, N1)["Status"] == "Failed"


@pytest.mark.ours
@pytest.mark.parametrize(
    ("numbers", "error", "message"),
    [
        ([], "BadRequestException", "E164PhoneNumbers is empty: name at least one number that SearchAvailablePhoneNumbers shows"),
        ([N1, N1[1:]], "BadRequestException", "E164PhoneNumbers: a number stands twice"),
        ([f"+1206555{n:04d}" for n in range(51)], "ResourceLimitExceededException", "An order has at most 50 phone numbers"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(aws: Aws, numbers: list[str], error: str, message: str) -> None:
    reply = aws("POST", "/phone-number-orders", {"ProductType": "VoiceConnector", "E164PhoneNumbers": numbers})
    assert (reply.status, reply.error, reply.message) == (400, error, message)


@pytest.mark.ours
def test_an_unknown_order_is_not_found(aws: Aws) -> None:
    reply = aws("GET", "/phone-number-orders/6d5b2d3c-0000-4000-8000-000000000000")
    assert (reply.status, reply.error, reply.message) == (404, "NotFoundException", "No phone number order has this id")


@pytest.mark.service_model
def test_an_order_id_must_be_a_guid(aws: Aws) -> None:
    reply = aws("GET", "/phone-number-orders/x")
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert reply.message.startswith("1 validation error detected: Value 'x' at 'phoneNumberOrderId' failed")


@pytest.mark.ours
def test_a_repeated_order_is_one_order(aws: Aws) -> None:
    body = {"ProductType": "SipMediaApplicationDialIn", "E164PhoneNumbers": [N1]}
    first, second = (aws("POST", "/phone-number-orders", body, extra={"amz-sdk-invocation-id": "one"}) for _ in range(2))
    assert first.raw == second.raw
    assert len(aws("GET", "/phone-number-orders").json["PhoneNumberOrders"]) == 1


@pytest.mark.ours
@pytest.mark.parametrize("spelled", ["%2B12065550100", "%252B12065550100", "%252b12065550100", "12065550100"])
def test_a_number_is_found_however_its_id_is_spelled(aws: Aws, spelled: str) -> None:  # 75 to 77, trap 9
    order(aws, N1)
    reply = aws("GET", f"/phone-numbers/{spelled}")
    number = reply.json["PhoneNumber"]
    assert reply.status == 200
    assert (number["PhoneNumberId"], number["E164PhoneNumber"]) == ("%2B12065550100", N1)
    assert (number["Country"], number["Type"], number["Status"], number["Associations"]) == ("US", "Local", "Unassigned", [])


@pytest.mark.service_model
def test_boto3_finds_a_number_by_the_id_that_it_was_given(voice: Any, number: str) -> None:
    [listed] = voice.list_phone_numbers()["PhoneNumbers"]
    for spelled in (number, listed["PhoneNumberId"]):
        assert voice.get_phone_number(PhoneNumberId=spelled)["PhoneNumber"] == listed


@pytest.mark.service_model
def test_an_unknown_number_is_not_found(aws: Aws) -> None:  # 78
    reply = aws("GET", "/phone-numbers/%2B19995550100")
    assert (reply.status, reply.error, reply.message) == (404, "NotFoundException", "The inventory has no such phone number")


@pytest.mark.ours
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/phone-numbers/%zz", "phoneNumberId: a percent sign is not followed by two hexadecimal digits"),
        ("/phone-numbers/%2", "phoneNumberId: a percent sign is not followed by two hexadecimal digits"),
        ("/phone-numbers/%ff", "phoneNumberId: its escapes are no UTF-8"),
    ],
)
def test_a_malformed_escape_is_a_bad_request(aws: Aws, path: str, message: str) -> None:  # 79
    reply = aws("GET", path)
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Name": "a b"}, 200), ({"Name": " a"}, 400), ({"CallingName": "x"}, 400), ({"CallingName": ""}, 200),
        ({"CallingName": "A"}, 400),
        ({"ProductType": "VoiceConnector"}, 200), ({}, 200), ({"Name": "a", "CallingName": "Ab"}, 400),
    ],
)  # fmt: skip
def test_one_attribute_changes_at_a_time(aws: Aws, change: dict[str, str], status: int) -> None:  # 80, 81
    order(aws, N1)
    reply = aws("POST", "/phone-numbers/%2B12065550100", change)
    assert reply.status == status
    if status == 400:
        assert reply.error == "BadRequestException"
    else:
        shown = reply.json["PhoneNumber"]
        assert {name: shown.get(name, "") for name in change} == change
        assert aws("GET", "/phone-numbers/%2B12065550100").json == reply.json


@pytest.mark.service_model
def test_a_deleted_number_waits_and_can_be_restored(aws: Aws) -> None:  # 82 to 84
    order(aws, N1)
    path = "/phone-numbers/%2B12065550100"
    refused = aws("POST", f"{path}?operation=restore")
    assert (refused.status, refused.message) == (400, "The phone number is not in the deletion queue: there is nothing to restore")
    assert aws("DELETE", path).status == 204
    waiting = aws("GET", path).json["PhoneNumber"]
    assert waiting["Status"] == "ReleaseInProgress"
    assert waiting["DeletionTimestamp"] > waiting["UpdatedTimestamp"]
    again = aws("DELETE", path)
    assert (again.status, again.message) == (404, "The phone number is in the deletion queue already")
    restored = aws("POST", f"{path}?operation=restore")
    assert (restored.status, restored.json["PhoneNumber"]["Status"]) == (200, "Unassigned")
    assert "DeletionTimestamp" not in restored.json["PhoneNumber"]


@pytest.mark.service_model
def test_after_seven_days_in_the_queue_a_number_is_gone(server: ApiServer, aws: Aws) -> None:
    order(aws, N1)
    assert aws("DELETE", "/phone-numbers/%2B12065550100").status == 204
    week = timedelta(days=7)
    server.wall.shift_ms = round(week.total_seconds() * 1000)
    assert aws("GET", "/phone-numbers/%2B12065550100", age=-week).status == 404
    assert aws("GET", "/phone-numbers", age=-week).json == {"PhoneNumbers": []}
    assert N1 in aws("GET", "/search?type=phone-numbers", age=-week).json["E164PhoneNumbers"]


@pytest.mark.service_model
@pytest.mark.parametrize("query", ["type=phone-numbers&area-code=206&max-results=500", "max-results=500&area-code=206&type=phone-numbers"])
def test_the_pool_is_searched_by_area_code(aws: Aws, query: str) -> None:  # 88
    reply = aws("GET", f"/search?{query}")
    assert (reply.status, reply.json) == (200, {"E164PhoneNumbers": FREE})


@pytest.mark.ours
def test_owned_numbers_are_not_for_the_having(aws: Aws) -> None:
    order(aws, N1)
    assert aws("GET", "/search?type=phone-numbers&max-results=1").json["E164PhoneNumbers"] == [N2]


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("country=US", 50), ("country=GB", 0), ("area-code=425", 0), ("phone-number-type=Local", 50), ("phone-number-type=TollFree", 0),
        ("toll-free-prefix=800", 0), ("city=Seattle", 0), ("state=WA", 0),
    ],
)  # fmt: skip
def test_each_filter_narrows_the_search(aws: Aws, query: str, found: int) -> None:
    assert len(aws("GET", f"/search?type=phone-numbers&{query}").json["E164PhoneNumbers"]) == found


@pytest.mark.service_model
@pytest.mark.parametrize("query", ["max-results=501", "max-results=0", "toll-free-prefix=900", "country=us", "phone-number-type=Mobile"])
def test_a_search_beyond_its_limits_is_refused(aws: Aws, query: str) -> None:  # 88
    reply = aws("GET", f"/search?type=phone-numbers&{query}")
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert "validation error" in reply.message


@pytest.mark.ours
def test_pages_of_a_search_do_not_overlap(voice: Any) -> None:
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = voice.search_available_phone_numbers(MaxResults=20, **token)
        found += page["E164PhoneNumbers"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == FREE


@pytest.mark.ours
def test_a_large_pool_is_searched_a_part_at_a_time() -> None:
    blocks = (NumberPool(first="+12060000000", last="+12060004999"), NumberPool(first="+442079460000", last="+442079460002"))
    with ApiServer(ApiSettings(pool=blocks)) as server:
        aws = Aws(server.host, server.port)
        pages, token = [], ""
        while True:
            answer = aws("GET", f"/search?type=phone-numbers&country=GB{token}").json
            pages.append(answer["E164PhoneNumbers"])
            if "NextToken" not in answer:
                break
            token = f"&next-token={answer['NextToken']}"
        assert pages == [[], [], ["+442079460000", "+442079460001", "+442079460002"]]


@pytest.mark.service_model
def test_numbers_are_listed_by_product_and_status(aws: Aws) -> None:
    order(aws, N1)
    order(aws, N2, product="VoiceConnector")
    assert aws("DELETE", "/phone-numbers/%2B12065550100").status == 204

    def listed(query: str) -> list[str]:
        return [n["E164PhoneNumber"] for n in aws("GET", f"/phone-numbers?{query}").json["PhoneNumbers"]]

    assert listed("product-type=VoiceConnector") == [N2]
    assert listed("product-type=SipMediaApplicationDialIn") == [N1]
    assert listed("status=Unassigned") == [N2]
    assert listed("status=ReleaseInProgress") == [N1]
    assert listed("filter-name=SipRuleId&filter-value=x") == []


@pytest.mark.ours
def test_a_status_that_does_not_exist_is_refused(aws: Aws) -> None:
    reply = aws("GET", "/phone-numbers?status=Lost")
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert reply.message.startswith("status 'Lost' is none of AcquireFailed, AcquireInProgress")
