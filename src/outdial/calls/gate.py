"""The calling gate: may this be dialled? A pure function; facts go in, a refusal or nothing comes out (DESIGN 8, in its order)."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.numbers import masked
from ..model.requests import PlaceCall, Refusal, RefusalReason
from ..model.settings import CallSettings
from .destinations import Destination, classify

NEVER_BY_DEFAULT = {
    "premium": "is a premium-rate number",
    "shared_cost": "is a shared-cost number",
    "satellite": "is a satellite number",
    "non_geographic": "belongs to no country",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What call control knows at this moment."""

    draining: bool = False
    store_refuses: str | None = None
    """Why the database refuses, or None where it does not."""
    calls: int = 0
    calls_of_key: int = 0
    trunk_unusable_for: float = 0.0
    """Seconds until the trunk is tried again, 0 where it is usable."""
    engine: bool = True
    overload: str | None = None
    """A sentence that says what does not keep up, or None."""


def judge(request: PlaceCall, moment: Moment, settings: CallSettings) -> Refusal | None:
    """The first reason against dialling, in DESIGN 8's order, or None."""
    if moment.draining:
        return _no("draining", "This node is shutting down and takes no new calls. Try another node, or this one after its restart.")
    if moment.store_refuses is not None:
        because = f" ({moment.store_refuses})" if moment.store_refuses else ""
        return _no(
            "store", f"The database takes no writes at the moment{because}. Look at the disk and at who locks the file; then try again."
        )
    refused = destination(request.to, request.facts.countries_owned, settings)
    if refused is not None:
        return refused
    facts = request.facts
    if not facts.from_owned:
        return _no(
            "not_owned",
            f"FromPhoneNumber {masked(request.from_)} is not in this account's inventory with product type SipMediaApplicationDialIn. "
            "Add it with `outdial number add`, or order one with CreatePhoneNumberOrder.",
        )
    if facts.application is None:
        return _no(
            "no_application",
            f"No SIP media application has the id {request.application}. List them with `outdial app ls`.",
        )
    return _room(moment, settings) or _machine(moment, settings)


def destination(number: str, countries_owned: tuple[str, ...], settings: CallSettings) -> Refusal | None:
    """May this number be called at all? For the API, and for every action that dials."""
    called = classify(number)
    shown = masked(number)
    if called.special:
        return _no("emergency", f"{shown} is {called.special}. Emergency and special numbers are never dialled.")
    if not called.possible:
        return _no("not_possible", f"{shown} is not a possible telephone number. Give it in E.164 form, for example +12065550100.")
    if any(number.startswith(prefix) for prefix in settings.allowed_prefixes):
        return None
    return _listed(called, shown, countries_owned, settings)


def _listed(called: Destination, shown: str, countries_owned: tuple[str, ...], settings: CallSettings) -> Refusal | None:
    if called.kind in NEVER_BY_DEFAULT:
        return _no(
            "not_allowed",
            f"{shown} {NEVER_BY_DEFAULT[called.kind]}, which the allow-list of destinations leaves out. "
            "To allow it all the same, add its first digits to allow_prefixes.",
        )
    allowed = settings.allowed_countries if settings.allowed_countries is not None else countries_owned
    if called.region is not None and called.region in allowed:
        return None
    where = f"is in {called.region}" if called.region else "is in no country that is known"
    wanted = f"only {', '.join(sorted(allowed))} may be called" if allowed else "no country may be called yet"
    return _no(
        "not_allowed",
        f"{shown} {where}, and {wanted}. Add a number of that country with `outdial number add`, or name the country in allow_countries.",
    )


def _room(moment: Moment, settings: CallSettings) -> Refusal | None:
    if settings.max_calls is not None and moment.calls >= settings.max_calls:
        return _no(
            "too_many_calls",
            f"{moment.calls} calls are in progress, and max_calls is {settings.max_calls}. Wait for one to end, or raise it.",
        )
    if settings.max_calls_per_key is not None and moment.calls_of_key >= settings.max_calls_per_key:
        return _no(
            "too_many_calls",
            f"{moment.calls_of_key} calls of this access key are in progress, and max_calls_per_key is {settings.max_calls_per_key}. "
            "Wait for one to end, or raise it.",
        )
    return None


def _machine(moment: Moment, settings: CallSettings) -> Refusal | None:
    if moment.trunk_unusable_for > 0:
        return _no(
            "trunk",
            f"The trunk {settings.trunk.name} could not be reached just now; it is tried again in {moment.trunk_unusable_for:.1f} s. "
            "`outdial doctor` tells more.",
        )
    if not moment.engine:
        return _no("no_media", "The media engine is not ready. It is started again by itself; try again in a moment.")
    if moment.overload is not None:
        return _no("overloaded", f"This machine does not keep up: {moment.overload} Try again in a second, or place fewer calls.")
    return None


def _no(reason: RefusalReason, detail: str) -> Refusal:
    return Refusal(reason=reason, detail=detail)
