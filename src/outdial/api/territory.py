"""What a number says about itself: its country and whether the called party pays. phonenumberslite is imported on first use."""

from __future__ import annotations

from functools import cache
from typing import Any

NOWHERE = "ZZ"
"""ISO 3166's code for no country."""


@cache
def _phonenumbers() -> Any:
    import phonenumbers

    return phonenumbers


def country_of(e164: str) -> str:
    """ISO 3166 alpha-2 of the number itself (+1 has 25 of them); `ZZ` for one that belongs to no country."""
    library = _phonenumbers()
    try:
        parsed = library.parse(e164, None)
    except library.NumberParseException:
        return NOWHERE
    region: str | None = library.region_code_for_number(parsed)
    return region if region and region.isalpha() else NOWHERE


def is_toll_free(e164: str) -> bool:
    library = _phonenumbers()
    try:
        return bool(library.number_type(library.parse(e164, None)) == library.PhoneNumberType.TOLL_FREE)
    except library.NumberParseException:
        return False
