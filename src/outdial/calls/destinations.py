"""What kind of number is it, and where? Judged by libphonenumber's tables (PyPI `phonenumberslite`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

Kind = Literal["ordinary", "premium", "shared_cost", "satellite", "non_geographic"]

SATELLITE_CODES = frozenset({870, 881})
"""Inmarsat, and the global mobile satellite system (ITU-T E.164, list of assigned codes)."""
PAID: dict[int, Kind] = {PhoneNumberType.PREMIUM_RATE: "premium", PhoneNumberType.SHARED_COST: "shared_cost"}
_PAY_PER_CALL = re.compile(r"\d{3}976\d{4}", re.ASCII)
"""Exchange 976 of every area of the North American plan is pay-per-call (47 CFR 64.1501); the tables know it as the area's."""
SHORT = 6
"""Emergency and special numbers are looked for among numbers of at most so many digits; the few longer short codes of the tables are
carriers' prefixes in front of ordinary numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What the tables say of a number."""

    possible: bool
    region: str | None = None
    """ISO 3166 alpha-2, or None: of no known country."""
    kind: Kind = "ordinary"
    special: str = ""
    """Not empty: an emergency or special number, in these words."""


@lru_cache(maxsize=8192)
def classify(number: str) -> Destination:
    """Judge a number in E.164 form, with or without its plus sign."""
    digits = number.removeprefix("+")
    try:
        parsed = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return Destination(possible=False, special=_special_anywhere(digits))
    code = parsed.country_code or 0
    regions = phonenumbers.region_codes_for_country_code(code)
    after_code = digits.removeprefix(str(code))
    if special := _special(after_code, regions, phonenumbers.is_valid_number(parsed)) or _special_anywhere(digits):
        return Destination(possible=False, special=special)
    if not phonenumbers.is_possible_number(parsed):
        return Destination(possible=False)
    return Destination(possible=True, region=_region(parsed), kind=_kind(parsed, code, regions))


def _region(parsed: phonenumbers.PhoneNumber) -> str | None:
    found = phonenumbers.region_code_for_number(parsed)
    return None if found in (None, "001") else str(found)


def _kind(parsed: phonenumbers.PhoneNumber, code: int, regions: tuple[str, ...]) -> Kind:
    if code in SATELLITE_CODES:
        return "satellite"
    if "001" in regions:
        return "non_geographic"
    if code == 1 and _PAY_PER_CALL.fullmatch(str(parsed.national_number)):
        return "premium"
    return _paid(parsed) or "ordinary"


def _paid(parsed: phonenumbers.PhoneNumber) -> Kind | None:
    """Premium or shared cost. Exchanges ignore digits that are one too many, so a number of no known type is also tried without its last
    ones: `+49 900 3123456 7` rings, and costs, what `+49 900 3123456` does."""
    found = phonenumbers.number_type(parsed)
    shorter = phonenumbers.PhoneNumber()
    shorter.merge_from(parsed)
    while found == PhoneNumberType.UNKNOWN and (shorter.national_number or 0) > 999:
        shorter.national_number = (shorter.national_number or 0) // 10
        found = phonenumbers.number_type(shorter)
    return PAID.get(found)


def _special(digits: str, regions: Iterable[str], is_a_telephone: bool) -> str:
    """What a country knows these digits as; a short code that is somebody's ordinary number is none."""
    if len(digits) > SHORT:
        return ""
    for region in regions:
        if shortnumberinfo.is_emergency_number(digits, region):
            return f"an emergency number of {region}"
    if is_a_telephone or not digits:
        return ""
    for region in regions:
        code = phonenumbers.country_code_for_region(region)
        if shortnumberinfo.is_valid_short_number_for_region(
            phonenumbers.PhoneNumber(country_code=code, national_number=int(digits)), region
        ):
            return f"a short code of {region}"
    return ""


def _special_anywhere(digits: str) -> str:
    """Digits that are an emergency number or a short code of any country, dialled without a country's code."""
    if len(digits) > SHORT:
        return ""
    if any(shortnumberinfo.is_emergency_number(digits, region) for region in phonenumbers.SUPPORTED_REGIONS):
        return "an emergency number"
    found = any(_special(digits, (region,), False) for region in phonenumbers.SUPPORTED_REGIONS)
    return "a short code" if found else ""
