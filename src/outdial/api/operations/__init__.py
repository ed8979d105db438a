"""The operations that are served, by name: one module a resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..context import Context
from . import applications, calls, numbers, orders

Handler = Callable[[Context], Awaitable[dict[str, Any]]]

SERVED: dict[str, Handler] = {
    "CreateSipMediaApplication": applications.create,
    "GetSipMediaApplication": applications.get,
    "ListSipMediaApplications": applications.list_all,
    "UpdateSipMediaApplication": applications.update,
    "DeleteSipMediaApplication": applications.delete,
    "CreateSipMediaApplicationCall": calls.create,
    "UpdateSipMediaApplicationCall": calls.update,
    "SearchAvailablePhoneNumbers": orders.search,
    "CreatePhoneNumberOrder": orders.create,
    "GetPhoneNumberOrder": orders.get,
    "ListPhoneNumberOrders": orders.list_all,
    "ListPhoneNumbers": numbers.list_all,
    "GetPhoneNumber": numbers.get,
    "UpdatePhoneNumber": numbers.update,
    "DeletePhoneNumber": numbers.delete,
    "RestorePhoneNumber": numbers.restore,
}

CREATES = frozenset({"CreateSipMediaApplication", "CreateSipMediaApplicationCall", "CreatePhoneNumberOrder"})
"""Operations whose repeats get the outcome of the first."""
