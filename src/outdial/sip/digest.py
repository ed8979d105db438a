"""Digest authentication as a client: RFC 7616 in RFC 8760's use of it, MD5 and SHA-256, with and without qop=auth."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import RemoteProtocolError
from .grammar import is_token, quote, split_outside, unquote
from .message import Response
from .values import Headers

ALGORITHMS = {"sha-256": hashlib.sha256, "md5": hashlib.md5}
"""By strength, the best first."""
_ANSWERS = {"www-authenticate": "Authorization", "proxy-authenticate": "Proxy-Authorization"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A name and password; for one realm, or for any."""

    username: str
    password: str = field(repr=False)
    realm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a server asks for."""

    realm: str
    nonce: str
    algorithm: str
    """As it came; empty where it was left out, which means MD5."""
    opaque: str | None
    qop: bool
    """Whether `auth` is offered."""
    stale: bool


def parse_challenge(text: str) -> Challenge | None:
    """Read a WWW-Authenticate or Proxy-Authenticate value; None where we cannot answer it (another scheme or algorithm, `auth-int` alone).

    Raises `RemoteProtocolError`.
    """
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    found: dict[str, str] = {}
    for piece in split_outside(rest, ","):
        name, equals, value = piece.partition("=")
        name = name.strip().lower()
        if not equals or not is_token(name):
            raise RemoteProtocolError("a challenge is not a list of name=value")
        found.setdefault(name, unquote(value.strip()))
    if "realm" not in found or "nonce" not in found:
        raise RemoteProtocolError("a challenge without realm or nonce")
    algorithm = found.get("algorithm", "")
    qop = [word.strip().lower() for word in found.get("qop", "").split(",") if word.strip()]
    if (algorithm.lower() or "md5") not in ALGORITHMS or (qop and "auth" not in qop):
        return None
    return Challenge(
        realm=found["realm"],
        nonce=found["nonce"],
        algorithm=algorithm,
        opaque=found.get("opaque"),
        qop=bool(qop),
        stale=found.get("stale", "").lower() == "true",
    )


def authorization(challenge: Challenge, credentials: Credentials, *, method: str, uri: str, count: int, cnonce: str) -> str:
    """The value of Authorization or Proxy-Authorization for one request (RFC 7616 §3.4)."""
    digest = ALGORITHMS[challenge.algorithm.lower() or "md5"]

    def hashed(text: str) -> str:
        return digest(text.encode("utf-8", "surrogateescape")).hexdigest()

    a1 = hashed(f"{credentials.username}:{challenge.realm}:{credentials.password}")
    a2 = hashed(f"{method}:{uri}")
    nc = f"{count:08x}"
    if challenge.qop:
        answer = hashed(f"{a1}:{challenge.nonce}:{nc}:{cnonce}:auth:{a2}")
    else:
        answer = hashed(f"{a1}:{challenge.nonce}:{a2}")
    out = (
        f"Digest username={quote(credentials.username)}, realm={quote(challenge.realm)}, nonce={quote(challenge.nonce)}, "
        f'uri="{uri}", response="{answer}"'
    )
    if challenge.algorithm:
        out += f", algorithm={challenge.algorithm}"
    if challenge.opaque is not None:
        out += f", opaque={quote(challenge.opaque)}"
    if challenge.qop:
        out += f', qop=auth, nc={nc}, cnonce="{cnonce}"'
    return out


class Answers:
    """What one session answers to challenges: the last challenge of each realm, and how often its nonce was used."""

    def __init__(self, credentials: Sequence[Credentials]) -> None:
        self._credentials = credentials
        self._known: dict[tuple[str, str], tuple[Challenge, Credentials, int]] = {}

    def learn(self, response: Response) -> bool:
        """Whether the request may be tried again: a challenge that can be answered and was not answered in vain before."""
        learned = False
        for name, answer in _ANSWERS.items():
            best: dict[str, Challenge] = {}
            for text in response.lines(name):
                try:
                    challenge = parse_challenge(text)
                except RemoteProtocolError:
                    continue
                if challenge is not None and (challenge.realm not in best or _rank(challenge) < _rank(best[challenge.realm])):
                    best[challenge.realm] = challenge
            for realm, challenge in best.items():
                credentials = next((c for c in self._credentials if c.realm in (None, realm)), None)
                before = self._known.get((answer, realm))
                if credentials is None or (before is not None and (not challenge.stale or before[0].nonce == challenge.nonce)):
                    continue
                self._known[answer, realm] = (challenge, credentials, 0)
                learned = True
        return learned

    def headers(self, method: str, uri: str, cnonce: str) -> Headers:
        """The headers that a request carries from now on."""
        out: list[tuple[str, str]] = []
        for key, (challenge, credentials, count) in self._known.items():
            self._known[key] = (challenge, credentials, count + 1)
            out.append((key[0], authorization(challenge, credentials, method=method, uri=uri, count=count + 1, cnonce=cnonce)))
        return tuple(out)

    def __bool__(self) -> bool:
        return bool(self._known)


def _rank(challenge: Challenge) -> int:
    return list(ALGORITHMS).index(challenge.algorithm.lower() or "md5")
