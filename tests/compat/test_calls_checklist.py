"""Placing and updating calls, request by request: reference/api section 10.2."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from helpers.api_server import ApiServer
from helpers.aws import UUID, Aws, Reply
from outdial.api.inventory import make_number

TO = "+12065550150"
TOO_LONG = "x" * 4097


class Caller:
    """Creates calls with a body of one's choice."""

    def __init__(self, server: ApiServer, aws: Aws, application: str, number: str) -> None:
        self.server, self.aws, self.number = server, aws, number
        self.path = f"/sip-media-applications/{application}/calls"

    def __call__(self, path: str | None = None, headers: dict[str, str] | None = None, **members: Any) -> Reply:
        body = {"FromPhoneNumber": self.number, "ToPhoneNumber": TO, **members}
        return self.aws("POST", path or self.path, body, extra=headers)


@pytest.fixture
def call(server: ApiServer, aws: Aws, application: str, number: str) -> Caller:
    return Caller(server, aws, application, number)


@pytest.mark.service_model
def test_the_body_of_a_created_call_is_exactly_its_transaction_id(call: Caller) -> None:  # 1
    reply = call()
    assert reply.status == 201
    assert list(reply.json) == ["SipMediaApplicationCall"]
    assert list(reply.json["SipMediaApplicationCall"]) == ["TransactionId"]
    assert UUID.fullmatch(reply.json["SipMediaApplicationCall"]["TransactionId"])


@pytest.mark.service_model
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"SipHeaders": {f"X-Header-{n}": "v" for n in range(20)}}, id="2 twenty headers"),
        pytest.param({"SipHeaders": {}, "ArgumentsMap": {}}, id="4 empty maps"),
        pytest.param({"ArgumentsMap": {f"k{n}": "é😀" for n in range(20)}}, id="5 twenty arguments, any text"),
        pytest.param({"SipHeaders": None}, id="8 null is absent"),
        pytest.param(
            {"SipHeaders": {"User-to-User": "00;encoding=hex", "Diversion": "<sip:+12065550199@a.example>"}}, id="12 named headers"
        ),
        pytest.param({"ToPhoneNumber": "+12"}, id="17 two digits"),
        pytest.param({"ToPhoneNumber": "+123456789012345"}, id="18 fifteen digits"),
        pytest.param({"Foo": {"a": [1]}}, id="31 unknown members"),
    ],
)
def test_these_are_accepted(call: Caller, members: dict[str, Any]) -> None:
    reply = call(**members)
    assert reply.status == 201, reply.raw
    [placed] = call.server.control.dialled
    assert placed.sip_headers == (members.get("SipHeaders") or {})
    assert placed.arguments == members.get("ArgumentsMap")


FAILED = "1 validation error detected: Value at '{}' failed to satisfy constraint: "
NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"
PATTERN = r"Member must satisfy regular expression pattern: ^\+?[1-9]\d{1,14}$"
SIZE = "Member must have length less than or equal to 20"


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"SipHeaders": {f"X-Header-{n}": "v" for n in range(21)}}, FAILED.format("sipHeaders") + SIZE, id="3 21 headers"),
        pytest.param({"ArgumentsMap": {f"k{n}": "v" for n in range(21)}}, FAILED.format("argumentsMap") + SIZE, id="6 21 arguments"),
        pytest.param({"SipHeaders": {"X-A": None}}, "sipHeaders.X-A: expected a string, got null", id="7 null in a map"),
        pytest.param({"SipHeaders": {"X-A": 5}}, "sipHeaders.X-A: expected a string, got a number", id="9 number in a map"),
        pytest.param({"FromPhoneNumber": None}, NULL.format("fromPhoneNumber"), id="13 missing"),
        pytest.param({"ToPhoneNumber": ""}, FAILED.format("toPhoneNumber") + PATTERN, id="14 empty"),
        pytest.param({"ToPhoneNumber": "+0123"}, FAILED.format("toPhoneNumber") + PATTERN, id="15 begins with 0"),
        pytest.param({"ToPhoneNumber": "+1"}, FAILED.format("toPhoneNumber") + PATTERN, id="16 one digit"),
        pytest.param({"ToPhoneNumber": "+1234567890123456"}, FAILED.format("toPhoneNumber") + PATTERN, id="19 sixteen digits"),
        pytest.param({"ToPhoneNumber": "+1206555019\u0660"}, FAILED.format("toPhoneNumber") + PATTERN, id="21 an Arabic digit"),
        pytest.param({"ToPhoneNumber": "+12065550199\n"}, FAILED.format("toPhoneNumber") + PATTERN, id="22 a line break"),
        pytest.param({"ToPhoneNumber": 12065550199}, "toPhoneNumber: expected a string, got a number", id="23 a number"),
        pytest.param({"ToPhoneNumber": None, "toPhoneNumber": TO}, NULL.format("toPhoneNumber"), id="32 names are case-sensitive"),
    ],
)
def test_these_break_the_model(call: Caller, members: dict[str, Any], message: str) -> None:
    reply = call(**members)
    assert (reply.status, reply.error, reply.json) == (400, "BadRequestException", {"Code": "BadRequest", "Message": message})
    assert call.server.control.dialled == []


@pytest.mark.ours
@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param(
            {"SipHeaders": {"From": "x"}},
            "Invalid SIP header(s) provided: From. Names must begin with x-, or be User-to-User or Diversion",
            id="10 a header of SIP's own",
        ),
        pytest.param(
            {"SipHeaders": {"X-A": "a\r\nX-B: c"}},
            "SipHeaders: the value of X-A contains a line break or another control character",
            id="11 an injected header",
        ),
        pytest.param(
            {"SipHeaders": {"X-A: b\r\nX-B": "c"}},
            "SipHeaders: 'X-A: b\\r\\nX-B' is not a header name of at most 256 characters (RFC 3261, token)",
            id="11 an injected name",
        ),
        pytest.param(
            {"SipHeaders": {"X-AMZN-Trace": "1"}},
            "Invalid SIP header(s) provided: X-AMZN-Trace. Names that begin with x-amzn, x-vine, x-vc, x-canary, x-voice are reserved",
            id="reserved",
        ),
        pytest.param({"SipHeaders": {"X-A": "v" * 2049}}, "SipHeaders: the value of X-A is longer than 2048 characters", id="header"),
        pytest.param({"ArgumentsMap": {"k": TOO_LONG}}, "ArgumentsMap: the value of 'k' is longer than 4096 characters", id="argument"),
        pytest.param({"ArgumentsMap": {"": "v"}}, "ArgumentsMap: a key must have 1 to 256 characters", id="an argument without a name"),
    ],
)
def test_these_are_refused_beyond_the_model(call: Caller, members: dict[str, Any], message: str) -> None:
    reply = call(**members)
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)
    assert call.server.control.dialled == []


@pytest.mark.ours
def test_a_header_of_2048_characters_is_sent(call: Caller) -> None:
    assert call(SipHeaders={"X-A": "v" * 2048}).status == 201


@pytest.mark.ours
def test_a_number_without_plus_is_an_international_one(call: Caller) -> None:  # 20
    assert call(ToPhoneNumber="12065550199", FromPhoneNumber=call.number[1:]).status == 201
    [placed] = call.server.control.dialled
    assert (placed.to, placed.from_) == ("+12065550199", call.number)


@pytest.mark.ours
@pytest.mark.parametrize("number", ["911", "112"])
def test_emergency_numbers_fit_the_pattern_and_are_refused(call: Caller, number: str) -> None:  # 24
    reply = call(ToPhoneNumber=number)
    assert (reply.status, reply.error, reply.message) == (403, "ForbiddenException", "Refused here: emergency")
    assert call.server.control.dialled == []


@pytest.mark.ours
def test_a_number_that_is_not_owned_cannot_call(call: Caller) -> None:  # 25
    reply = call(FromPhoneNumber="+12065550149")
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", "Refused here: not_owned")


@pytest.mark.ours
def test_a_number_of_no_country_allows_none(call: Caller) -> None:
    row = make_number("+8831300000", "SipMediaApplicationDialIn", "", 1)
    call.server.run(lambda: call.server.resources.numbers.put(row))
    assert call().status == 201
    assert call.server.control.dialled[0].facts.countries_owned == ("US",)


@pytest.mark.ours
def test_a_number_in_the_deletion_queue_cannot_call(call: Caller, aws: Aws) -> None:
    assert aws("DELETE", f"/phone-numbers/%2B{call.number[1:]}").status == 204
    assert call().message == "Refused here: not_owned"


@pytest.mark.ours
@pytest.mark.parametrize("unknown", ["6d5b2d3c-0000-4000-8000-000000000000", "..", "not-a-guid", "a%2Fb"])
def test_an_unknown_application_is_a_bad_request(call: Caller, unknown: str) -> None:  # 26, 30: NotFound is not modelled
    reply = call(path=f"/sip-media-applications/{unknown}/calls")
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", "Refused here: no_application")


@pytest.mark.ours
def test_an_application_of_another_account_is_as_an_unknown_one(call: Caller, other_account: dict[str, Any]) -> None:  # 27
    body = {"FromPhoneNumber": call.number, "ToPhoneNumber": TO}
    reply = call.aws("POST", call.path, body, **other_account)
    assert (reply.status, reply.message) == (400, "Refused here: no_application")


@pytest.mark.service_model
@pytest.mark.parametrize("path", ["/sip-media-applications/%20/calls", "/sip-media-applications//calls"])
def test_a_blank_application_id_is_a_bad_request(call: Caller, path: str) -> None:  # 28, 29
    reply = call(path=path)
    assert (reply.status, reply.error) == (400, "BadRequestException")
    assert reply.message.endswith(
        r"at 'sipMediaApplicationId' failed to satisfy constraint: Member must satisfy regular expression pattern: .*\S.*"
    )


@pytest.mark.ours
def test_a_repeat_gets_the_first_outcome_and_dials_once(call: Caller) -> None:  # 33
    first = call(headers={"amz-sdk-invocation-id": "one", "amz-sdk-request": "attempt=1"})
    second = call(headers={"amz-sdk-invocation-id": "one", "amz-sdk-request": "attempt=2; max=3"})
    assert (first.status, second.status) == (201, 201)
    assert first.raw == second.raw
    assert len(call.server.control.dialled) == 1


@pytest.mark.ours
@pytest.mark.parametrize("other", [{"ToPhoneNumber": "+12065550151"}, {"headers": {"amz-sdk-invocation-id": "two"}}, {"headers": {}}])
def test_another_body_or_another_invocation_is_another_call(call: Caller, other: dict[str, Any]) -> None:  # 34
    first = call(headers={"amz-sdk-invocation-id": "one"})
    second = call(**{"headers": {"amz-sdk-invocation-id": "one"}, **other})
    assert first.json != second.json
    assert len(call.server.control.dialled) == 2


@pytest.mark.ours
def test_copies_at_once_are_one_call(call: Caller) -> None:  # 35
    server = call.server
    server.run(server.control.gate.clear)
    before = server.arrived
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(call(headers={"amz-sdk-invocation-id": "one"}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    server.wait_for_requests(before + 4)
    server.run(server.control.gate.set)
    for thread in threads:
        thread.join(20)
    assert [reply.status for reply in replies] == [201] * 4
    assert len({reply.raw for reply in replies}) == 1
    assert len(server.control.dialled) == 1


@pytest.mark.ours
def test_a_refusal_is_judged_afresh(call: Caller) -> None:
    call.server.control.refusing = "trunk"
    assert call(headers={"amz-sdk-invocation-id": "one"}).status == 503
    call.server.control.refusing = None
    assert call(headers={"amz-sdk-invocation-id": "one"}).status == 201
    assert call(headers={"amz-sdk-invocation-id": "one"}).status == 201
    assert len(call.server.control.dialled) == 1


@pytest.mark.ours
@pytest.mark.parametrize(
    ("reason", "status", "name"),
    [
        ("too_many_calls", 400, "ResourceLimitExceededException"),  # 36
        ("draining", 503, "ServiceUnavailableException"),
        ("store", 503, "ServiceUnavailableException"),
        ("trunk", 503, "ServiceUnavailableException"),  # 38
        ("overloaded", 503, "ServiceUnavailableException"),
        ("no_media", 503, "ServiceUnavailableException"),
        ("timeout", 503, "ServiceUnavailableException"),
        ("not_possible", 403, "ForbiddenException"),
        ("not_allowed", 403, "ForbiddenException"),
    ],
)
def test_each_refusal_has_its_error(call: Caller, reason: Any, status: int, name: str) -> None:
    call.server.control.refusing = reason
    reply = call()
    assert (reply.status, reply.error, reply.message) == (status, name, f"Refused here: {reason}")
    waits = (reply.headers.get("retry-after"), reply.headers.get("x-amz-retry-after"))
    assert waits == (("1", "1000") if status == 503 else (None, None))


@pytest.mark.ours
def test_a_function_that_nothing_serves_is_no_reason_to_refuse(call: Caller) -> None:  # 39
    assert call().status == 201


def update(call: Caller, transaction: str, body: Any, path: str | None = None) -> Reply:
    return call.aws("POST", f"{path or call.path}/{transaction}", body)


@pytest.mark.service_model
@pytest.mark.parametrize("arguments", [{"k": "v"}, {}, {f"k{n}": "v" for n in range(20)}])  # 40, 42
def test_an_update_answers_202(call: Caller, arguments: dict[str, str]) -> None:
    transaction = call().json["SipMediaApplicationCall"]["TransactionId"]
    reply = update(call, transaction, {"Arguments": arguments})
    assert (reply.status, reply.json) == (202, {"SipMediaApplicationCall": {"TransactionId": transaction}})
    assert call.server.control.updates[0].arguments == arguments


@pytest.mark.service_model
@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({}, NULL.format("arguments"), id="41 missing"),
        pytest.param({"Arguments": {f"k{n}": "v" for n in range(21)}}, FAILED.format("arguments") + SIZE, id="43 twenty-one"),
    ],
)
def test_a_wrong_update_is_a_bad_request(call: Caller, body: Any, message: str) -> None:
    transaction = call().json["SipMediaApplicationCall"]["TransactionId"]
    reply = update(call, transaction, body)
    assert (reply.status, reply.error, reply.message) == (400, "BadRequestException", message)


@pytest.mark.ours
@pytest.mark.parametrize("transaction", ["6d5b2d3c-0000-4000-8000-000000000000", "not-a-guid"])
def test_an_unknown_call_is_not_found(call: Caller, transaction: str) -> None:  # 44
    reply = update(call, transaction, {"Arguments": {}})
    assert (reply.status, reply.error, reply.message) == (404, "NotFoundException", "Refused here: no_call")


@pytest.mark.ours
def test_a_call_that_has_ended_or_is_another_applications_is_not_found(call: Caller) -> None:  # 45, 46
    transaction = call().json["SipMediaApplicationCall"]["TransactionId"]
    other = update(call, transaction, {"Arguments": {}}, path="/sip-media-applications/6d5b2d3c-0000-4000-8000-000000000000/calls")
    assert (other.status, other.error) == (404, "NotFoundException")
    call.server.control.live.clear()
    ended = update(call, transaction, {"Arguments": {}})
    assert (ended.status, ended.error) == (404, "NotFoundException")


@pytest.mark.ours
def test_too_many_waiting_updates_are_throttled(call: Caller) -> None:
    transaction = call().json["SipMediaApplicationCall"]["TransactionId"]
    call.server.control.refusing = "too_many_events"
    reply = update(call, transaction, {"Arguments": {}})
    assert (reply.status, reply.error, reply.headers["retry-after"]) == (429, "ThrottledClientException", "1")


@pytest.mark.ours
def test_text_reaches_the_handler_as_it_was_sent(call: Caller) -> None:  # 5
    raw = json.dumps({"FromPhoneNumber": call.number, "ToPhoneNumber": TO, "ArgumentsMap": {"ü": "é😀\u2028"}}, ensure_ascii=False)
    assert call.aws("POST", call.path, raw.encode()).status == 201
    assert call.server.control.dialled[0].arguments == {"ü": "é😀\u2028"}
