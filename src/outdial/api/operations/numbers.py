"""The inventory: list, get, update, delete and restore phone numbers (reference/api 2.7, 2.9)."""

from __future__ import annotations

from typing import Any

import msgspec

from ...model.resources import NumberRow
from ..context import Context
from ..errors import bad_request, not_found
from ..inventory import from_id

QUEUE_MS = 7 * 24 * 3600 * 1000
"""How long a deleted number can be restored."""
STATUSES = frozenset(
    {
        "Cancelled", "PortinCancelRequested", "PortinInProgress", "AcquireInProgress", "AcquireFailed", "Unassigned", "Assigned",
        "ReleaseInProgress", "DeleteInProgress", "ReleaseFailed", "DeleteFailed",
    }
)  # fmt: skip


def described(row: NumberRow) -> dict[str, Any]:
    """A number as the API shows it."""
    return {
        "PhoneNumberId": row.e164.replace("+", "%2B"),
        "E164PhoneNumber": row.e164,
        "Country": row.country,
        "Type": row.type,
        "ProductType": row.product_type,
        "Status": status(row),
        "Capabilities": {
            "InboundCall": True,
            "OutboundCall": True,
            "InboundSMS": False,
            "OutboundSMS": False,
            "InboundMMS": False,
            "OutboundMMS": False,
        },
        "Associations": [],
        "CallingName": row.calling_name or None,
        "CallingNameStatus": "UpdateSucceeded" if row.calling_name else "Unassigned",
        "CreatedTimestamp": row.created_at,
        "UpdatedTimestamp": row.updated_at,
        "DeletionTimestamp": None if row.deleted_at is None else row.deleted_at + QUEUE_MS,
        "OrderId": row.order or None,
        "Name": row.name or None,
    }


def status(row: NumberRow) -> str:
    return "Unassigned" if row.deleted_at is None else "ReleaseInProgress"


def gone(row: NumberRow, at: int) -> bool:
    """Its time in the deletion queue is over."""
    return row.deleted_at is not None and at - row.deleted_at >= QUEUE_MS


def found(context: Context) -> NumberRow:
    """The number that the path names, those in the deletion queue too. Raises where there is none."""
    row = context.means.resources.numbers.get(from_id(context.input["PhoneNumberId"]))
    if row is None or gone(row, context.started_at):
        raise not_found("The inventory has no such phone number")
    return row


async def list_all(context: Context) -> dict[str, Any]:
    given, means = context.input, context.means
    wanted, product = given.get("Status"), given.get("ProductType")
    if wanted is not None and wanted not in STATUSES:
        raise bad_request(f"status '{wanted[:40]}' is none of {', '.join(sorted(STATUSES))}")
    if ("FilterName" in given) != ("FilterValue" in given):
        raise bad_request("filter-name and filter-value go together")

    def keep(row: NumberRow) -> bool:
        if gone(row, context.started_at) or "FilterName" in given:  # nothing can be associated with a number yet
            return False
        return (wanted is None or status(row) == wanted) and (product is None or row.product_type == product)

    purpose = f"{context.operation.name}/{context.account}/{wanted}/{product}/{given.get('FilterName')}/{given.get('FilterValue')}"
    page, token = means.pages.cut(purpose, given, means.resources.numbers.list, keep)
    return {"PhoneNumbers": [described(row) for row in page], "NextToken": token}


async def get(context: Context) -> dict[str, Any]:
    return {"PhoneNumber": described(found(context))}


async def update(context: Context) -> dict[str, Any]:
    async with context.means.writing:
        row, given = found(context), context.input
        changes = {
            ours: given[theirs]
            for theirs, ours in (("ProductType", "product_type"), ("CallingName", "calling_name"), ("Name", "name"))
            if theirs in given
        }
        if len(changes) > 1:
            raise bad_request("Only one of ProductType, CallingName and Name can be changed in a request")
        if changes:
            row = msgspec.structs.replace(row, **changes, updated_at=max(context.started_at, row.updated_at + 1))
            await context.means.resources.numbers.put(row)
        return {"PhoneNumber": described(row)}


async def delete(context: Context) -> dict[str, Any]:
    async with context.means.writing:
        row = found(context)
        if row.deleted_at is not None:
            raise not_found("The phone number is in the deletion queue already")
        await context.means.resources.numbers.put(
            msgspec.structs.replace(row, deleted_at=context.started_at, updated_at=context.started_at)
        )
        return {}


async def restore(context: Context) -> dict[str, Any]:
    async with context.means.writing:
        row = found(context)
        if row.deleted_at is None:
            raise bad_request("The phone number is not in the deletion queue: there is nothing to restore")
        row = msgspec.structs.replace(row, deleted_at=None, updated_at=context.started_at)
        await context.means.resources.numbers.put(row)
        return {"PhoneNumber": described(row)}
