"""The calling gate: each refusal with its whole message, in DESIGN 8's order, and what passes.

The kinds of number are judged by libphonenumber's tables; the numbers here are the ranges that ITU-T, the NANPA and Ofcom publish.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from helpers.call_world import FACTS, World
from outdial.calls.destinations import classify
from outdial.calls.gate import Moment, destination, judge
from outdial.config.settings import Config
from outdial.model.requests import PlaceCall, Refusal
from outdial.model.settings import CallSettings, Trunk

RELAXED = CallSettings()


def request(**changes: Any) -> PlaceCall:
    return World().request(**changes)


def refusal(moment: Moment | None = None, settings: CallSettings = RELAXED, **changes: Any) -> Refusal:
    found = judge(request(**changes), moment or Moment(), settings)
    assert found is not None
    return found


def test_a_call_that_nothing_speaks_against() -> None:
    assert judge(request(), Moment(), RELAXED) is None


WHOLE: list[tuple[str, dict[str, Any], str]] = [
    (
        "draining",
        {"moment": Moment(draining=True)},
        "This node is shutting down and takes no new calls. Try another node, or this one after its restart.",
    ),
    (
        "store",
        {"moment": Moment(store_refuses="disk is full")},
        "The database takes no writes at the moment (disk is full). Look at the disk and at who locks the file; then try again.",
    ),
    (
        "store",
        {"moment": Moment(store_refuses="")},
        "The database takes no writes at the moment. Look at the disk and at who locks the file; then try again.",
    ),
    (
        "emergency",
        {"to": "911"},
        "**** is an emergency number. Emergency and special numbers are never dialled.",
    ),
    (
        "emergency",
        {"to": "+44999"},
        "**** is an emergency number of GB. Emergency and special numbers are never dialled.",
    ),
    (
        "emergency",
        {"to": "+1411"},
        "**** is a short code of US. Emergency and special numbers are never dialled.",
    ),
    (
        "not_possible",
        {"to": "+120655501501"},
        "+12065550**** is not a possible telephone number. Give it in E.164 form, for example +12065550100.",
    ),
    (
        "not_allowed",
        {"to": "+19005550150"},
        "+1900555**** is a premium-rate number, which the allow-list of destinations leaves out. "
        "To allow it all the same, add its first digits to allow_prefixes.",
    ),
    (
        "not_allowed",
        {"to": "+41840123456"},
        "+4184012**** is a shared-cost number, which the allow-list of destinations leaves out. "
        "To allow it all the same, add its first digits to allow_prefixes.",
    ),
    (
        "not_allowed",
        {"to": "+870123456789"},
        "+87012345**** is a satellite number, which the allow-list of destinations leaves out. "
        "To allow it all the same, add its first digits to allow_prefixes.",
    ),
    (
        "not_allowed",
        {"to": "+883510012345"},
        "+88351001**** belongs to no country, which the allow-list of destinations leaves out. "
        "To allow it all the same, add its first digits to allow_prefixes.",
    ),
    (
        "not_allowed",
        {"to": "+12465550123"},
        "+1246555**** is in BB, and only US may be called. "
        "Add a number of that country with `outdial number add`, or name the country in allow_countries.",
    ),
    (
        "not_allowed",
        {"to": "+10000000000"},
        "+1000000**** is in no country that is known, and only US may be called. "
        "Add a number of that country with `outdial number add`, or name the country in allow_countries.",
    ),
    (
        "not_allowed",
        {"facts": replace(FACTS, countries_owned=())},
        "+1206555**** is in US, and no country may be called yet. "
        "Add a number of that country with `outdial number add`, or name the country in allow_countries.",
    ),
    (
        "not_owned",
        {"facts": replace(FACTS, from_owned=False)},
        "FromPhoneNumber +1206555**** is not in this account's inventory with product type SipMediaApplicationDialIn. "
        "Add it with `outdial number add`, or order one with CreatePhoneNumberOrder.",
    ),
    (
        "no_application",
        {"facts": replace(FACTS, application=None)},
        "No SIP media application has the id 4a1b9b1c-0000-4000-8000-000000000001. List them with `outdial app ls`.",
    ),
    (
        "too_many_calls",
        {"moment": Moment(calls=10), "settings": CallSettings(max_calls=10)},
        "10 calls are in progress, and max_calls is 10. Wait for one to end, or raise it.",
    ),
    (
        "too_many_calls",
        {"moment": Moment(calls=5, calls_of_key=3), "settings": CallSettings(max_calls=10, max_calls_per_key=3)},
        "3 calls of this access key are in progress, and max_calls_per_key is 3. Wait for one to end, or raise it.",
    ),
    (
        "trunk",
        {"moment": Moment(trunk_unusable_for=3.25), "settings": CallSettings(trunk=Trunk(name="pstn"))},
        "The trunk pstn could not be reached just now; it is tried again in 3.2 s. `outdial doctor` tells more.",
    ),
    (
        "no_media",
        {"moment": Moment(engine=False)},
        "The media engine is not ready. It is started again by itself; try again in a moment.",
    ),
    (
        "overloaded",
        {"moment": Moment(overload="only 3 of 5000 ports for audio are free.")},
        "This machine does not keep up: only 3 of 5000 ports for audio are free. Try again in a second, or place fewer calls.",
    ),
]


@pytest.mark.parametrize(("reason", "given", "message"), WHOLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(WHOLE)])
def test_each_refusal_says_what_and_how_to_mend_it(reason: str, given: dict[str, Any], message: str) -> None:
    found = refusal(**given)
    assert (found.reason, found.detail) == (reason, message)


def test_the_order_of_the_gate() -> None:
    """Everything is wrong at once; mending the first shows the next."""
    everything = Moment(
        draining=True, store_refuses="", calls=1, calls_of_key=1, trunk_unusable_for=1, engine=False, overload="it is slow."
    )
    settings = CallSettings(max_calls=1, max_calls_per_key=1)
    asked: dict[str, Any] = {"to": "911", "facts": replace(FACTS, from_owned=False, application=None, countries_owned=())}
    seen = []
    from dataclasses import replace as mend

    steps: list[Any] = [
        lambda m, a, s: (mend(m, draining=False), a, s),
        lambda m, a, s: (mend(m, store_refuses=None), a, s),
        lambda m, a, s: (m, {**a, "to": "+1206"}, s),
        lambda m, a, s: (m, {**a, "to": "+12065550150"}, s),
        lambda m, a, s: (m, {**a, "facts": replace(a["facts"], countries_owned=("US",))}, s),
        lambda m, a, s: (m, {**a, "facts": replace(a["facts"], from_owned=True)}, s),
        lambda m, a, s: (m, {**a, "facts": FACTS}, s),
        lambda m, a, s: (m, a, replace(s, max_calls=None)),
        lambda m, a, s: (m, a, replace(s, max_calls_per_key=None)),
        lambda m, a, s: (mend(m, trunk_unusable_for=0), a, s),
        lambda m, a, s: (mend(m, engine=True), a, s),
        lambda m, a, s: (mend(m, overload=None), a, s),
    ]
    moment = everything
    for step in steps:
        seen.append(refusal(moment, settings, **asked).reason)
        moment, asked, settings = step(moment, asked, settings)
    assert seen == [
        "draining",
        "store",
        "emergency",
        "emergency",
        "not_allowed",
        "not_owned",
        "no_application",
        "too_many_calls",
        "too_many_calls",
        "trunk",
        "no_media",
        "overloaded",
    ]
    assert judge(request(**asked), moment, settings) is None


@pytest.mark.parametrize("number", ["+12065550150", "12065550150", "+18005550123", "+13105550123"])
def test_numbers_of_a_country_that_is_owned_may_be_called(number: str) -> None:
    assert destination(number, ("US",), RELAXED) is None


@pytest.mark.parametrize(
    ("number", "region"), [("+18095550123", "DO"), ("+12465550123", "BB"), ("+16045550123", "CA"), ("+18765550123", "JM")]
)
def test_one_country_code_has_many_countries(number: str, region: str) -> None:
    found = destination(number, ("US",), RELAXED)
    assert found is not None
    assert found.reason == "not_allowed"
    assert destination(number, ("US", region), RELAXED) is None


def test_named_countries_stand_in_place_of_the_owned() -> None:
    settings = CallSettings(allowed_countries=("DE",))
    assert destination("+4930123456", ("US",), settings) is None
    assert destination("+12065550150", ("US",), settings) is not None


@pytest.mark.parametrize("number", ["+19005550150", "+883510012345", "+870123456789", "+4930123456", "+10000000000"])
def test_a_prefix_passes_whatever_kind_of_number_it_is(number: str) -> None:
    assert destination(number, (), CallSettings(allowed_prefixes=(number[:5],))) is None


@pytest.mark.parametrize("number", ["911", "+1911", "+44112", "999", "+61000"])
def test_no_setting_lets_an_emergency_number_through(number: str) -> None:
    found = destination(number, ("US", "GB", "AU"), CallSettings(allowed_prefixes=(number,), allowed_countries=("US", "GB", "AU")))
    assert found is not None
    assert found.reason == "emergency"


@pytest.mark.parametrize(
    ("number", "where"),
    [
        ("911", ""),
        ("112", ""),
        ("+112", ""),
        ("999", ""),
        ("110", ""),
        ("000", ""),
        ("+1911", " of US"),
        ("+33112", " of FR"),
        ("+49110", " of DE"),
        ("+61000", " of AU"),
        ("+86110", " of CN"),
        ("+81119", " of JP"),
        ("+91100", " of IN"),
        ("+55190", " of BR"),
    ],
)
def test_emergency_numbers_of_any_country(number: str, where: str) -> None:
    assert classify(number).special == f"an emergency number{where}"


@pytest.mark.parametrize("number", ["+1", "1", "+12", "+120655501501234", "+999999999999", "+1206555", "+0123456", ""])
def test_what_is_no_number_is_refused(number: str) -> None:
    found = destination(number, ("US",), CallSettings(allowed_prefixes=("+",)))
    assert found is not None
    assert found.reason in ("not_possible", "emergency")


def test_no_message_shows_a_whole_number() -> None:
    for _, given, message in WHOLE:
        shown = given.get("to", "+12065550150")
        assert shown not in message
        assert "+12065550100 is" not in message


@pytest.mark.parametrize(
    ("number", "country", "kind"),
    [
        ("+49900312345678", "DE", "premium-rate"),
        ("+4913712345678", "DE", "shared-cost"),
        ("+46900123456789", "SE", "premium-rate"),
        ("+358600123456789", "FI", "premium-rate"),
        ("+12069761234", "US", "premium-rate"),
    ],
)
def test_what_a_number_costs_is_not_hidden_from_the_tables(number: str, country: str, kind: str) -> None:
    """Exchanges ignore digits that are too many (E.164 allows overlap signalling), so that the call would be put through and charged;
    976 is pay-per-call in every area of North America."""
    found = destination(number, (country,), CallSettings())
    assert found is not None
    assert found.reason == "not_allowed"
    assert f"is a {kind} number" in found.detail


@pytest.mark.parametrize("number", ["+12065550150", "+4915112345678", "+442071838750", "+493012345678", "+431234567890", "+393123456789"])
def test_ordinary_numbers_are_not_taken_for_expensive_ones(number: str) -> None:
    assert destination(number, ("US", "DE", "GB", "AT", "IT"), CallSettings()) is None


def test_every_setting_that_a_refusal_names_exists() -> None:
    crowded = CallSettings(max_calls=1, max_calls_per_key=1)
    found = [
        refusal(to="+18765551234"),
        refusal(to="+19005551234"),
        refusal(Moment(calls=1), crowded),
        refusal(Moment(calls_of_key=1), crowded),
    ]
    named = {name for one in found for name in re.findall(r"\b[a-z]+_[a-z_]+", one.detail)}
    assert named == {"allow_countries", "allow_prefixes", "max_calls", "max_calls_per_key"}
    assert named <= set(Config.model_fields)
