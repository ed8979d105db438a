"""Numbers that can be had: search the pool, order from it, look at orders (reference/api 2.9, DESIGN 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.resources import OrderedNumber, OrderRow, Position
from ..context import Context
from ..errors import ServiceError, bad_request, not_found
from ..inventory import make_number, with_plus
from ..territory import country_of, is_toll_free
from .numbers import gone

SEARCH_SIZE = 100
EXAMINED_MAX = 2000
"""Numbers of the pool that one request looks at: some 50 ms where each one's country is asked for."""
ORDER_MAX = 50
"""Numbers in one order: AWS's limit."""


def pool(context: Context, after: Position | None) -> Iterator[Position]:
    """Every number that the pool has, owned or not, as (block, number), in order, those after `after`."""
    for index, block in enumerate(context.means.settings.pool):
        first, last, digits = int(block.first[1:]), int(block.last[1:]), len(block.first) - 1
        if after is not None:
            if index < after[0]:
                continue
            if index == after[0]:
                first = int(after[1][1:]) + 1
        yield from ((index, f"+{number:0{digits}d}") for number in range(first, last + 1))


def in_pool(context: Context, e164: str) -> bool:
    return any(len(e164) == len(block.first) and block.first <= e164 <= block.last for block in context.means.settings.pool)


def owned(context: Context, e164: str) -> bool:
    """It is in the inventory (or could still be restored to it)."""
    row = context.means.resources.numbers.get(e164)
    return row is not None and not gone(row, context.started_at)


def wanted(given: dict[str, Any], e164: str) -> bool:
    """The search's filters let this number through. Those that have an area or a toll-free prefix are of the North American plan."""
    area, prefix, kind = given.get("AreaCode"), given.get("TollFreePrefix"), given.get("PhoneNumberType")
    if given.get("City") or given.get("State"):  # the pool knows no places
        return False
    if any(code and not e164.startswith(f"+1{code}") for code in (area, prefix)):
        return False
    if kind and (kind == "TollFree") != is_toll_free(e164):
        return False
    return "Country" not in given or country_of(e164) == given["Country"]


async def search(context: Context) -> dict[str, Any]:
    """A page of what can be had. A large pool is gone through a part at a time: a page may be short, and still have a token."""
    given, means = context.input, context.means
    filters = ("Country", "AreaCode", "TollFreePrefix", "PhoneNumberType", "City", "State")
    purpose = "/".join((context.operation.name, *(given.get(name, "") for name in filters)))
    at = means.pages.position(purpose, given["NextToken"]) if given.get("NextToken") else None
    size = given.get("MaxResults", SEARCH_SIZE)
    page: list[str] = []
    for examined, position in enumerate(pool(context, at)):
        if len(page) == size or examined == EXAMINED_MAX:
            assert at is not None
            return {"E164PhoneNumbers": page, "NextToken": means.pages.token(purpose, at)}
        at = position
        if not owned(context, position[1]) and wanted(given, position[1]):
            page.append(position[1])
    return {"E164PhoneNumbers": page}


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
