"""Signatures: the reference's vector, and botocore's signer as the judge of any request."""

from __future__ import annotations

import calendar
import hashlib
from datetime import datetime
from unittest import mock
from urllib.parse import quote, urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from outdial.api import sigv4
from outdial.api.errors import ServiceError

AT = datetime(2025, 1, 2, 3, 4, 5)
EPOCH = float(calendar.timegm(AT.timetuple()))
BODY = b'{"FromPhoneNumber": "+12065550100", "ToPhoneNumber": "+12065550101"}'
PATH = "/sip-media-applications/a%20b/calls"
HEADERS = {"content-type": "application/json", "host": "127.0.0.1:8080", "x-amz-date": "20250102T030405Z"}
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def test_the_references_vector() -> None:  # reference/api 5.5, checklist 116
    payload = hashlib.sha256(BODY).hexdigest()
    assert payload == "b72156f16149af8e6a4e4989736b17b57d8aea4927fddd8e343b4c47824b1805"
    assert sigv4.canonical_path(PATH) == "/sip-media-applications/a%2520b/calls"
    canonical = sigv4.canonical_request("POST", PATH, "", HEADERS, ("content-type", "host", "x-amz-date"), payload)
    assert hashlib.sha256(canonical.encode()).hexdigest() == "4a4021f08db60467331468c463fae2737c07e0865ef0c80acbbf2089fb26693f"
    key = sigv4.signing_key(SECRET, "20250102", "us-east-1", "chime")
    assert key.hex() == "75b776905264936a514d8e285c615bea3ff47238504151b54e4d790e8eb26a43"
    value = sigv4.signature(SECRET, "20250102T030405Z", "20250102/us-east-1/chime/aws4_request", canonical)
    assert value == "10780a2825e15c31591d73c4d9495b0821c4c498a8a3c91773bc8e5e71d6b022"


def signed_by_botocore(method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    with mock.patch("botocore.auth.get_current_datetime", return_value=AT):
        SigV4Auth(Credentials("outdial", SECRET), "chime", "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()} | {"host": "127.0.0.1:8080"}


LABELS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
QUERIES = st.lists(st.tuples(st.sampled_from(["max-results", "next-token", "a", "b"]), LABELS), max_size=4)
VALUES = st.text(st.sampled_from("ab \t~é,;="), max_size=10).map(lambda text: text.encode().decode("latin-1"))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    labels=st.lists(LABELS, max_size=4),
    query=QUERIES,
    body=st.binary(max_size=40),
)
def test_whatever_botocore_signs_is_verified(method: str, labels: list[str], query: list[tuple[str, str]], body: bytes) -> None:
    path = "/" + "/".join(quote(label, safe="-._~") for label in labels)
    raw_query = urlencode(query, quote_via=quote, safe="-_.~")
    headers = signed_by_botocore(method, f"http://127.0.0.1:8080{path}{'?' if query else ''}{raw_query}", body, {"X-Foo": "a  b"})
    found = sigv4.verify(
        method=method,
        path=path,
        query=raw_query,
        headers=headers,
        payload_hash=hashlib.sha256(body).hexdigest(),
        secret_of={"outdial": SECRET}.get,
        at=EPOCH,
    )
    assert (found.key, found.region) == ("outdial", "us-east-1")


@given(st.sampled_from(["method", "path", "query", "body", "date", "secret"]))
def test_whatever_differs_is_refused(what: str) -> None:
    headers = signed_by_botocore("POST", "http://127.0.0.1:8080/a/b?x=1", b"body", {})
    changed = {"x-amz-date": "20250102T030406Z"} if what == "date" else {}
    with pytest.raises(ServiceError) as caught:
        sigv4.verify(
            method="PUT" if what == "method" else "POST",
            path="/a/c" if what == "path" else "/a/b",
            query="x=2" if what == "query" else "x=1",
            headers=headers | changed,
            payload_hash=hashlib.sha256(b"other" if what == "body" else b"body").hexdigest(),
            secret_of={"outdial": "other" if what == "secret" else SECRET}.get,
            at=EPOCH,
        )
    assert caught.value.name == "InvalidSignatureException"


def test_what_we_sign_ourselves_verifies() -> None:
    body = b'{"label": "ci"}'
    sent = sigv4.sign(method="POST", path="/_outdial/v1/keys", query="a=b%20c", host="h:1", body=body, key="k", secret="s", at=EPOCH)
    headers = {name.lower(): value for name, value in sent.items()}
    found = sigv4.verify(
        method="POST",
        path="/_outdial/v1/keys",
        query="a=b%20c",
        headers=headers,
        payload_hash=hashlib.sha256(body).hexdigest(),
        secret_of={"k": "s"}.get,
        at=EPOCH,
    )
    assert found.key == "k"


def test_a_date_header_stands_in_for_x_amz_date() -> None:
    """Only the Date header: RFC 1123, signed (reference/api 5.2)."""
    headers = {"host": "h", "date": "Thu, 02 Jan 2025 03:04:05 GMT"}
    empty = hashlib.sha256(b"").hexdigest()
    canonical = sigv4.canonical_request("GET", "/", "", headers, ("date", "host"), empty)
    value = sigv4.signature("s", "20250102T030405Z", "20250102/us-east-1/chime/aws4_request", canonical)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=k/20250102/us-east-1/chime/aws4_request,SignedHeaders=date;host,Signature={value}"
    )
    found = sigv4.verify(method="GET", path="/", query="", headers=headers, payload_hash=empty, secret_of={"k": "s"}.get, at=EPOCH)
    assert found.key == "k"


@pytest.mark.parametrize(
    ("signed", "message"),
    [("x-amz-date", "'Host' must be a signed header."), ("host", "'X-Amz-Date' must be a signed header.")],
)
def test_host_and_date_must_be_signed(signed: str, message: str) -> None:
    headers = {"host": "h", "x-amz-date": "20250102T030405Z"}
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=k/20250102/us-east-1/chime/aws4_request, SignedHeaders={signed}, Signature={'0' * 64}"
    )
    with pytest.raises(ServiceError) as caught:
        sigv4.verify(method="GET", path="/", query="", headers=headers, payload_hash="", secret_of={"k": "s"}.get, at=EPOCH)
    assert (caught.value.name, caught.value.message) == ("InvalidSignatureException", message)


@pytest.mark.parametrize(
    ("authorization", "query", "service"),
    [
        ("AWS4-HMAC-SHA256 Credential=k/20250102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0", "", "s3"),
        ("AWS4-HMAC-SHA256 Credential=k/20250102/us-east-1/chime/aws4_request, SignedHeaders=host, Signature=0", "", "chime"),
        ("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20250102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0", "s3"),
        ("Basic x", "", ""),
    ],
)
def test_the_service_is_read_before_anything_is_verified(authorization: str, query: str, service: str) -> None:
    assert sigv4.meant_for(authorization, query) == service


def test_an_unknown_key_costs_the_whole_computation() -> None:
    """Its time does not tell that it is unknown: the signature is computed all the same."""
    headers = signed_by_botocore("GET", "http://127.0.0.1:8080/", b"", {})
    with mock.patch.object(sigv4, "signature", wraps=sigv4.signature) as computed, pytest.raises(ServiceError) as caught:
        sigv4.verify(method="GET", path="/", query="", headers=headers, payload_hash="", secret_of=lambda key: None, at=EPOCH)
    assert caught.value.name == "UnrecognizedClientException"
    assert computed.call_count == 1
