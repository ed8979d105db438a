"""Small parts: rates, page tokens, SIP header rules, keys, numbers, routes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.api import sip_headers
from outdial.api.errors import ServiceError
from outdial.api.inventory import from_id, make_number
from outdial.api.keys import make_key
from outdial.api.pages import Pages
from outdial.api.rates import STRICT, Rates
from outdial.api.routes import Router, route, split_query
from outdial.io.ids import SeededIds
from outdial.model.resources import Position

CREATE = "CreateSipMediaApplicationCall"


def passes(rates: Rates, now: float, account: str = "a", region: str = "r", operation: str = CREATE) -> bool:
    try:
        rates.take(account, region, operation, now)
    except ServiceError:
        return False
    return True


def test_a_bucket_fills_with_time_and_holds_one_second() -> None:
    rates = Rates(STRICT)
    assert [passes(rates, at) for at in (0.0, 0.5, 0.999, 1.0, 1.5, 2.0, 60.0, 60.1)] == [
        True,
        False,
        False,
        True,
        False,
        True,
        True,
        False,
    ]


def test_buckets_are_apart() -> None:
    rates = Rates(STRICT)
    assert passes(rates, 0.0)
    assert passes(rates, 0.0, account="b")
    assert passes(rates, 0.0, region="s")
    assert [passes(rates, 0.0, operation="UpdateSipMediaApplicationCall") for _ in range(6)] == [True] * 5 + [False]
    assert all(passes(rates, 0.0, operation="ListPhoneNumbers") for _ in range(100))


def test_regions_without_end_cost_no_memory_without_end() -> None:
    rates = Rates(STRICT)
    for n in range(30_000):
        rates.take("a", f"region-{n}", CREATE, n * 0.001)
    assert len(rates._buckets) <= 11_100


@given(st.text(max_size=30), st.tuples(st.integers(0, 2**50), st.text(st.characters(codec="utf-8"), max_size=40)))
def test_a_token_leads_back(purpose: str, position: Position) -> None:
    purpose = purpose.encode("utf-8", "replace").decode()
    pages = Pages(b"secret")
    token = pages.token(purpose, position)
    assert pages.position(purpose, token) == position
    assert token.replace("-", "").replace("_", "").isalnum()
    for other in (Pages(b"other"), pages):
        with pytest.raises(ServiceError):
            other.position(purpose + "x" if other is pages else purpose, token)


@given(st.text(max_size=60))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ServiceError):
        Pages(b"secret").position("list", text)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": ""}, {"x-a": "v"}, {"User-to-User": "00"}, {"USER-TO-USER": "00"}, {"diversion": "<sip:a@b.example>"}, {"X-A": "Grüße 😀"},
        {"X-" + "a" * 254: "v"}, {f"X-{n:0>254}": "v" * 2048 for n in range(20)}, {"X-Chime-Join-Token": "t"}, {"x-a.b!%*_+`'~": "v"},
    ],
)  # fmt: skip
def test_headers_that_may_be_sent(headers: dict[str, str]) -> None:
    sip_headers.check(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"": "v"}, {"X-": "v"}, {"From": "v"}, {"Via": "v"}, {"XA": "v"}, {"X A": "v"},
        {"X-A:": "v"}, {"X-Ä": "v"}, {"X-" + "a" * 255: "v"},
        {"X-VoiceConnector-ID": "v"}, {"x-amzn": "v"}, {"x-AMZN-trace": "v"}, {"X-Vine": "v"}, {"X-VC-A": "v"}, {"X-Canary": "v"},
        {"X-A": "a\rb"}, {"X-A": "a\nb"}, {"X-A": "a\x00b"}, {"X-A": "a\tb"}, {"X-A": "a\x7fb"}, {"X-A": "a\x85b"}, {"X-A": "a\u2028b"},
        {"X-A": "v" * 2049}, {f"X-{n}": "é" * 2048 for n in range(20)}, {"X-A\r\nVia": "v"}, {"P-Asserted-Identity": "v"}, {"Route": "v"},
    ],
)  # fmt: skip
def test_headers_that_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(ServiceError) as caught:
        sip_headers.check(headers)
    assert caught.value.name == "BadRequestException"


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3))
def test_whatever_passes_is_one_line_each(headers: dict[str, str]) -> None:
    try:
        sip_headers.check(headers)
    except ServiceError:
        return
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    assert len(lines.splitlines()) == len(headers)


def test_keys_are_new_each_time() -> None:
    ids = SeededIds(1)
    one, two = make_key(ids, "000000000000", "ci", 1), make_key(ids, "000000000000", "ci", 1)
    assert one.id != two.id
    assert one.secret != two.secret
    assert (len(one.id), len(one.secret)) == (20, 40)
    assert one.secret not in repr(one)
    with pytest.raises(ValueError, match="longer than 256"):
        make_key(ids, "000000000000", "x" * 257, 1)


@pytest.mark.parametrize(
    ("number", "country", "kind"),
    [
        ("+12065550100", "US", "Local"), ("+16135550100", "CA", "Local"), ("+442079460000", "GB", "Local"),
        ("+18005550100", "US", "TollFree"),
        ("+8831300000", "ZZ", "Local"), ("+19995550100", "ZZ", "Local"), ("+18765550100", "JM", "Local"),
    ],
)  # fmt: skip
def test_a_number_tells_its_country(number: str, country: str, kind: str) -> None:
    row = make_number(number, "SipMediaApplicationDialIn", "", 1)
    assert (row.e164, row.country, row.type) == (number, country, kind)


@pytest.mark.parametrize(
    ("number", "product", "name", "message"),
    [
        ("+0123", "VoiceConnector", "", "'****' is not a number in international form"),
        ("+12065550100", "Other", "", "'Other' is no product type: SipMediaApplicationDialIn or VoiceConnector"),
        ("+12065550100", "VoiceConnector", "a/b", "The name may have letters, digits, spaces between words"),
    ],
)
def test_a_number_that_cannot_be_had_is_refused(number: str, product: str, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("*", r"\*")):
        make_number(number, product, name, 1)


def test_a_name_that_would_take_for_ever_to_judge_does_not() -> None:
    with pytest.raises(ValueError, match="The name may have"):
        make_number("+12065550100", "VoiceConnector", "a " * 127 + "/", 1)


@pytest.mark.parametrize("spelled", ["+12065550100", "%2B12065550100", "%2b12065550100", "12065550100"])
def test_an_id_is_read_however_it_is_spelled(spelled: str) -> None:
    assert from_id(spelled) == "+12065550100"


ROUTER = Router(
    [
        route("List", "GET", "/a"),
        route("Get", "GET", "/a/{id}"),
        route("Special", "GET", "/a/special"),
        route("Update", "POST", "/a/{id}"),
        route("Restore", "POST", "/a/{id}?operation=restore"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "query", "found"),
    [
        ("GET", "/a", "", ("List", ())), ("GET", "/a/", "", ("Get", ("",))), ("GET", "/a/x%2Fy", "", ("Get", ("x%2Fy",))),
        ("GET", "/a/special", "", ("Special", ())), ("GET", "//a", "", None), ("GET", "/a/b/c", "", None), ("PUT", "/a", "", None),
        ("POST", "/a/x", "", ("Update", ("x",))), ("POST", "/a/x", "y=1", ("Update", ("x",))),
        ("POST", "/a/x", "y=1&operation=restore", ("Restore", ("x",))), ("POST", "/a/x", "operation=foo", None),
        ("POST", "/a/x", "operation=", None), ("POST", "/a/..", "", ("Update", ("..",))),
    ],
)  # fmt: skip
def test_routes(method: str, path: str, query: str, found: tuple[str, tuple[str, ...]] | None) -> None:
    match = ROUTER.find(method, path, split_query(query))
    assert (None if match is None else (match[0].operation, match[1])) == found
