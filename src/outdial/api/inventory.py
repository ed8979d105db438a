"""Numbers as they come into the inventory."""

from __future__ import annotations

import re
from typing import get_args

from ..model.numbers import masked
from ..model.resources import NumberRow, ProductType
from .territory import country_of, is_toll_free

_E164 = re.compile(r"\+?[1-9]\d{1,14}", re.ASCII)
_NAME = re.compile(r"|[a-zA-Z0-9,._-]+(\s+[a-zA-Z0-9,._-]+)*", re.ASCII)
NAME_MAX = 256


def with_plus(number: str) -> str:
    """A number without its plus sign is taken for an international one."""
    return number if number.startswith("+") else f"+{number}"


def from_id(phone_number_id: str) -> str:
    """The number that a PhoneNumberId means: `+1…`, `%2B1…`, `%2b1…` and a bare `1…` are the same (reference/api 2.7)."""
    return with_plus(phone_number_id[3:] if phone_number_id[:3].upper() == "%2B" else phone_number_id)


def make_number(number: str, product_type: str, name: str, at: int, order: str = "") -> NumberRow:
    """A number that is owned from `at` (epoch milliseconds) on. Raises `ValueError` with a sentence that says what is wrong."""
    if not _E164.fullmatch(number):
        raise ValueError(
            f"'{masked(number[:20])}' is not a number in international form: a plus sign and 2 to 15 digits, for example +12065550100"
        )
    if product_type not in get_args(ProductType):
        raise ValueError(f"'{product_type[:40]}' is no product type: {' or '.join(get_args(ProductType))}")
    if not _NAME.fullmatch(name) or len(name) > NAME_MAX:
        raise ValueError("The name may have letters, digits, spaces between words, and , . _ -")
    e164 = with_plus(number)
    return NumberRow(
        e164=e164,
        product_type=product_type,  # type: ignore[arg-type]
        type="TollFree" if is_toll_free(e164) else "Local",
        country=country_of(e164),
        order=order,
        name=name,
        created_at=at,
        updated_at=at,
    )
