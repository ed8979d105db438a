"""Digest answers against the worked examples of RFC 7616 and RFC 2617, which nobody here computed."""

from __future__ import annotations

import pytest

from outdial.sip.digest import Answers, Challenge, Credentials, authorization, parse_challenge
from outdial.sip.errors import RemoteProtocolError
from outdial.sip.message import Response, build_index

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    challenge = parse_challenge(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{NONCE}", opaque="{OPAQUE}"'
    )
    assert challenge is not None
    value = authorization(
        challenge,
        Credentials(username="Mufasa", password="Circle of Life"),
        method="GET",
        uri="/dir/index.html",
        count=1,
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert f'response="{response}"' in value
    assert f'opaque="{OPAQUE}"' in value
    assert "nc=00000001" in value
    assert "qop=auth," in value


def test_the_example_of_rfc_2617_section_3_5() -> None:
    challenge = Challenge(
        realm="testrealm@host.com",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        algorithm="",
        opaque="5ccc069c403ebaf9f0171e9517f40e41",
        qop=True,
        stale=False,
    )
    value = authorization(
        challenge,
        Credentials(username="Mufasa", password="Circle Of Life"),
        method="GET",
        uri="/dir/index.html",
        count=1,
        cnonce="0a4f113b",
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in value


@pytest.mark.parametrize(
    "text",
    [
        'Basic realm="x"',
        'Digest realm="x", nonce="n", algorithm=MD5-sess',
        'Digest realm="x", nonce="n", qop="auth-int"',
        'Digest realm="x", nonce="n", algorithm=SHA-512-256',
    ],
)
def test_what_cannot_be_answered_is_passed_over(text: str) -> None:
    assert parse_challenge(text) is None


@pytest.mark.parametrize("text", ['Digest nonce="n"', 'Digest realm="x"', "Digest realm", 'Digest realm="never closes'])
def test_what_is_no_challenge_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_challenge(text)


def challenged(*values: str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    headers = tuple((name, value) for value in values)
    return Response(status=status, headers=headers, index=build_index(headers))


def test_the_strongest_is_chosen_and_a_second_refusal_is_final() -> None:
    answers = Answers((Credentials(username="alice", password="secret"),))
    both = challenged('Digest realm="x", nonce="1", algorithm=MD5', 'Digest realm="x", nonce="1", algorithm=SHA-256')
    assert answers.learn(both)
    [(name, value)] = answers.headers("INVITE", "sip:x", "c")
    assert name == "Authorization"
    assert "algorithm=SHA-256" in value
    assert not answers.learn(challenged('Digest realm="x", nonce="2"'))


def test_a_stale_nonce_is_answered_again_and_counts_start_anew() -> None:
    answers = Answers((Credentials(username="alice", password="secret"),))
    answers.learn(challenged('Digest realm="x", nonce="1", qop="auth"', status=407))
    assert "nc=00000001" in answers.headers("INVITE", "sip:x", "c")[0][1]
    assert "nc=00000002" in answers.headers("BYE", "sip:x", "c")[0][1]
    assert answers.learn(challenged('Digest realm="x", nonce="2", qop="auth", stale=TRUE', status=407))
    name, value = answers.headers("INVITE", "sip:x", "c")[0]
    assert name == "Proxy-Authorization"
    assert "nc=00000001" in value
    assert 'nonce="2"' in value


def test_credentials_of_another_realm_are_not_given_away() -> None:
    answers = Answers((Credentials(username="alice", password="secret", realm="trunk.example.com"),))
    assert not answers.learn(challenged('Digest realm="evil.example.com", nonce="1"'))
    assert answers.headers("INVITE", "sip:x", "c") == ()


def test_a_password_does_not_show() -> None:
    assert "secret" not in repr(Credentials(username="alice", password="secret"))
