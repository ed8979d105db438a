"""SIP media applications: create, get, list, update, delete (reference/api 2.9)."""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec

from ...model.ids import ApplicationId
from ...model.numbers import mask_all
from ...model.resources import ApplicationRow
from ..context import Context
from ..errors import ServiceError, bad_request, not_found

log = logging.getLogger("outdial.api")

APPLICATIONS_MAX = 100
"""`strict` limits: SIP media applications for an account and Region."""
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)


def described(row: ApplicationRow) -> dict[str, Any]:
    """An application as the API shows it."""
    return {
        "SipMediaApplicationId": row.id,
        "AwsRegion": row.region,
        "Name": row.name,
        "Endpoints": [{"LambdaArn": row.lambda_arn}],
        "CreatedTimestamp": row.created_at,
        "UpdatedTimestamp": row.updated_at,
        "SipMediaApplicationArn": f"arn:aws:chime:{row.region}:{row.account}:sma/{row.id}",
    }


def found(context: Context) -> ApplicationRow:
    """The application that the path names. Raises where there is none."""
    row = context.means.resources.applications.get(ApplicationId(context.input["SipMediaApplicationId"]))
    if row is None or row.account != context.account:
        raise not_found("No SIP media application has this id")
    return row


def lambda_arn(endpoints: list[dict[str, str]], region: str) -> str:
    """The one endpoint's function. Raises where it is missing or stands in another Region."""
    arn = endpoints[0].get("LambdaArn")
    if arn is None:
        raise bad_request("Endpoints[0].LambdaArn is missing")
    if (theirs := arn.split(":")[3]) != region:
        raise bad_request(f"Endpoints[0].LambdaArn is in {theirs}, the application is in {region}: both must be in the same Region")
    return arn


def check_tags(tags: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    """Tags as they are kept. Raises for repeated and reserved keys."""
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise bad_request("Tags: a key stands twice")
    if any(key.lower().startswith("aws:") for key in keys):
        raise bad_request("Tags: keys that begin with aws: are reserved")
    return tuple((tag["Key"], tag["Value"]) for tag in tags)


async def create(context: Context) -> dict[str, Any]:
    given, means = context.input, context.means
    region = given["AwsRegion"]
    if not _REGION.fullmatch(region):
        raise bad_request(f"AwsRegion '{region[:40]}' is not the name of a Region, for example us-east-1")
    row = ApplicationRow(
        id=ApplicationId(means.ids.uuid()),
        name=given["Name"],
        region=region,
        account=context.account,
        lambda_arn=lambda_arn(given["Endpoints"], region),
        tags=check_tags(given.get("Tags", [])),
        created_at=context.started_at,
        updated_at=context.started_at,
    )
    if means.settings.limits == "strict" and len(means.resources.applications.list(limit=APPLICATIONS_MAX)) == APPLICATIONS_MAX:
        raise ServiceError("ResourceLimitExceededException", f"An account has at most {APPLICATIONS_MAX} SIP media applications")
    output = {"SipMediaApplication": described(row)}
    await means.resources.applications.create(row, context.repeat_row(output))
    _warn(context, row)
    return output


async def get(context: Context) -> dict[str, Any]:
    return {"SipMediaApplication": described(found(context))}


async def list_all(context: Context) -> dict[str, Any]:
    means = context.means
    purpose = f"{context.operation.name}/{context.account}"
    page, token = means.pages.cut(purpose, context.input, means.resources.applications.list, lambda row: row.account == context.account)
    return {"SipMediaApplications": [described(row) for row in page], "NextToken": token}


async def update(context: Context) -> dict[str, Any]:
    async with context.means.writing:
        return await _change(context)


async def _change(context: Context) -> dict[str, Any]:
    row, given = found(context), context.input
    changed = row
    if "Name" in given:
        changed = msgspec.structs.replace(changed, name=given["Name"])
    if "Endpoints" in given:
        changed = msgspec.structs.replace(changed, lambda_arn=lambda_arn(given["Endpoints"], row.region))
    if "Name" in given or "Endpoints" in given:
        changed = msgspec.structs.replace(changed, updated_at=max(context.started_at, row.updated_at + 1))
        await context.means.resources.applications.update(changed)
        _warn(context, changed)
    return {"SipMediaApplication": described(changed)}


async def delete(context: Context) -> dict[str, Any]:
    async with context.means.writing:
        await context.means.resources.applications.delete(found(context).id)
    return {}


def _warn(context: Context, row: ApplicationRow) -> None:
    """An application may name a function that nothing serves yet; whoever runs the node should hear of it before a call fails."""
    functions = context.means.functions
    state = functions.state(functions.name_for(row.lambda_arn))
    if state.state != "served":
        log.warning("calls of the application %s will fail: %s", mask_all(row.name), state.detail)
