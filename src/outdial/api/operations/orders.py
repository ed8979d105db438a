"""Numbers that can be had: search the pool, order from it, look at orders (reference/api 2.9, DESIGN 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.resources import OrderedNumber, OrderRow
from ..context import Context
from ..errors import ServiceError, bad_request, not_found
from ..inventory import make_number, with_plus
from ..territory import country_of, is_toll_free
from .numbers import gone

SEARCH_SIZE = 100
ORDER_MAX = 50
"""Numbers in one order: AWS's limit."""


def pool(context: Context) -> Iterator[str]:
    """Every number that the pool has, owned or not, in order."""
    for block in context.means.settings.pool:
        first, last, digits = int(block.first[1:]), int(block.last[1:]), len(block.first) - 1
        yield from (f"+{number:0{digits}d}" for number in range(first, last + 1))


def in_pool(context: Context, e164: str) -> bool:
    return any(len(e164) == len(block.first) and block.first <= e164 <= block.last for block in context.means.settings.pool)


def owned(context: Context, e164: str) -> bool:
    """It is in the inventory (or could still be restored to it)."""
    row = context.means.resources.numbers.get(e164)
    return row is not None and not gone(row, context.started_at)


async def search(context: Context) -> dict[str, Any]:
    given, means = context.input, context.means
    country, area, prefix, kind = (given.get(name) for name in ("Country", "AreaCode", "TollFreePrefix", "PhoneNumberType"))
    purpose = f"{context.operation.name}/{country}/{area}/{prefix}/{kind}/{given.get('City')}/{given.get('State')}"
    after = means.pages.position(purpose, given["NextToken"])[1] if given.get("NextToken") else ""
    size = given.get("MaxResults", SEARCH_SIZE)
    page: list[str] = []
    token = None
    for e164 in pool(context):
        if e164 <= after or owned(context, e164):
            continue
        toll_free = is_toll_free(e164)
        if (area or prefix) and not (e164.startswith("+1") and e164[2:5] in (area or prefix, prefix or area)):
            continue
        if (country and country_of(e164) != country) or (kind and (kind == "TollFree") != toll_free) or (prefix and not toll_free):
            continue
        if given.get("City") or given.get("State"):  # the pool knows no places
            continue
        if len(page) == size:
            token = means.pages.token(purpose, (0, page[-1]))
            break
        page.append(e164)
    return {"E164PhoneNumbers": page, "NextToken": token}


async def create(context: Context) -> dict[str, Any]:
    async with context.means.writing:
        return await _order(context)


async def _order(context: Context) -> dict[str, Any]:
    given, means, at = context.input, context.means, context.started_at
    wanted = [with_plus(number) for number in given["E164PhoneNumbers"]]
    if not wanted:
        raise bad_request("E164PhoneNumbers is empty: name at least one number that SearchAvailablePhoneNumbers shows")
    if len(wanted) > ORDER_MAX:
        raise ServiceError("ResourceLimitExceededException", f"An order has at most {ORDER_MAX} phone numbers")
    if len(set(wanted)) < len(wanted):
        raise bad_request("E164PhoneNumbers: a number stands twice")
    order = means.ids.uuid()
    numbers = [
        make_number(e164, given["ProductType"], given.get("Name", ""), at, order)
        for e164 in wanted
        if in_pool(context, e164) and not owned(context, e164)
    ]
    acquired = {number.e164 for number in numbers}
    row = OrderRow(
        id=order,
        product_type=given["ProductType"],
        numbers=tuple(OrderedNumber(e164=e164, acquired=e164 in acquired) for e164 in wanted),
        created_at=at,
        updated_at=at,
    )
    output = {"PhoneNumberOrder": described(row)}
    await means.resources.orders.create(row, numbers, context.repeat_row(output))
    return output


def described(row: OrderRow) -> dict[str, Any]:
    """An order as the API shows it."""
    acquired = sum(number.acquired for number in row.numbers)
    status = "Successful" if acquired == len(row.numbers) else "Partial" if acquired else "Failed"
    return {
        "PhoneNumberOrderId": row.id,
        "ProductType": row.product_type,
        "Status": status,
        "OrderType": "New",
        "OrderedPhoneNumbers": [{"E164PhoneNumber": n.e164, "Status": "Acquired" if n.acquired else "Failed"} for n in row.numbers],
        "CreatedTimestamp": row.created_at,
        "UpdatedTimestamp": row.updated_at,
    }


async def get(context: Context) -> dict[str, Any]:
    row = context.means.resources.orders.get(context.input["PhoneNumberOrderId"].lower())
    if row is None:
        raise not_found("No phone number order has this id")
    return {"PhoneNumberOrder": described(row)}


async def list_all(context: Context) -> dict[str, Any]:
    means = context.means
    page, token = means.pages.cut(f"{context.operation.name}/{context.account}", context.input, means.resources.orders.list)
    return {"PhoneNumberOrders": [described(row) for row in page], "NextToken": token}
