"""Placing and updating calls: the request with the store's facts goes to call control, its answer becomes ours (DESIGN 8)."""

from __future__ import annotations

from typing import Any

from ...model.ids import ApplicationId, CallId, Token
from ...model.requests import Application, Facts, PlaceCall, Refusal, RefusalReason, Refused, UpdateCall
from .. import sip_headers
from ..context import Context
from ..errors import ServiceError, bad_request
from ..inventory import with_plus
from ..territory import NOWHERE

KEY_MAX = 256
VALUE_MAX = 4096

REFUSALS: dict[RefusalReason, str] = {
    "draining": "ServiceUnavailableException",
    "store": "ServiceUnavailableException",
    "trunk": "ServiceUnavailableException",
    "overloaded": "ServiceUnavailableException",
    "no_media": "ServiceUnavailableException",
    "timeout": "ServiceUnavailableException",
    "not_possible": "ForbiddenException",
    "emergency": "ForbiddenException",
    "not_allowed": "ForbiddenException",
    "not_owned": "BadRequestException",
    "no_application": "BadRequestException",
    "too_many_calls": "ResourceLimitExceededException",
    "no_call": "NotFoundException",
    "too_many_events": "ThrottledClientException",
}


def refused(refusal: Refusal) -> ServiceError:
    """The exception of a refusal."""
    return ServiceError(REFUSALS[refusal.reason], refusal.detail)


def check_arguments(member: str, arguments: dict[str, str]) -> None:
    """Bound what the model leaves open. Raises for the first that is too long."""
    for name, value in arguments.items():
        if not 1 <= len(name) <= KEY_MAX:
            raise bad_request(f"{member}: a key must have 1 to {KEY_MAX} characters")
        if len(value) > VALUE_MAX:
            raise bad_request(f"{member}: the value of '{name[:60]}' is longer than {VALUE_MAX} characters")


def facts(context: Context, application: ApplicationId, from_: str) -> Facts:
    """What the store knows that the calling gate asks for."""
    resources = context.means.resources
    number = resources.numbers.get(from_)
    row = resources.applications.get(application)
    return Facts(
        from_owned=number is not None and number.deleted_at is None and number.product_type == "SipMediaApplicationDialIn",
        countries_owned=tuple(country for country in resources.owned_countries() if country != NOWHERE),
        application=None
        if row is None or row.account != context.account
        else Application(
            id=row.id,
            name=row.name,
            lambda_arn=row.lambda_arn,
            function=context.means.functions.name_for(row.lambda_arn),
            region=row.region,
            account=row.account,
        ),
    )


async def create(context: Context) -> dict[str, Any]:
    given = context.input
    headers, arguments = given.get("SipHeaders", {}), given.get("ArgumentsMap")
    sip_headers.check(headers)
    check_arguments("ArgumentsMap", arguments or {})
    application, from_ = ApplicationId(given["SipMediaApplicationId"]), with_plus(given["FromPhoneNumber"])
    answer = await context.means.control.place(
        PlaceCall(
            token=Token(context.means.ids.number()),
            key=context.key,
            from_=from_,
            to=with_plus(given["ToPhoneNumber"]),
            application=application,
            sip_headers=headers,
            arguments=arguments,
            repeat=context.repeat,
            facts=facts(context, application, from_),
            started_at=context.started_at,
        )
    )
    if isinstance(answer, Refused):
        raise refused(answer.refusal)
    return {"SipMediaApplicationCall": {"TransactionId": answer.call}}


async def update(context: Context) -> dict[str, Any]:
    given = context.input
    check_arguments("Arguments", given["Arguments"])
    answer = await context.means.control.update(
        UpdateCall(
            token=Token(context.means.ids.number()),
            call=CallId(given["TransactionId"]),
            application=ApplicationId(given["SipMediaApplicationId"]),
            arguments=given["Arguments"],
        )
    )
    if isinstance(answer, Refused):
        raise refused(answer.refusal)
    return {"SipMediaApplicationCall": {"TransactionId": answer.call}}
