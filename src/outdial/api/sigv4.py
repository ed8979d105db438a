"""AWS Signature Version 4, header form: verifying what arrives, and signing what our own command line sends (reference/api 5).

Everything is computed over the raw request. For an unknown key the whole computation is done with a stand-in secret, so that the time it
takes does not tell which keys exist.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote, unquote

from .errors import ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "chime"
SKEW_S = 15 * 60
_STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,64}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_BLANKS = re.compile(r"[ \t]{2,}|\t")
_STAND_IN = "no-such-key-has-this-secret-0000000000000"
Headers = Mapping[str, str]
"""Lower-case names; repeated headers joined with a comma."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An Authorization header, read."""

    key: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    value: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def incomplete(message: str) -> NoReturn:
    raise ServiceError("IncompleteSignatureException", message)


def invalid(message: str) -> NoReturn:
    raise ServiceError("InvalidSignatureException", message)


def meant_for(authorization: str, query: str) -> str:
    """The service that a request was signed for, or an empty string: readable before anything is verified."""
    if "aws4_request" not in authorization and "aws4_request" not in query:
        return ""
    if authorization:
        credential = authorization.partition("Credential=")[2].partition(",")[0].strip()
    else:
        credential = unquote(query.partition("X-Amz-Credential=")[2].partition("&")[0])
    scope = credential.split("/")
    return scope[-2] if len(scope) >= 5 and scope[-1] == "aws4_request" else ""


def read(headers: Headers, query: str = "") -> Signature:
    """The request's signature. Raises where there is none, or one that cannot be read."""
    authorization = headers.get("authorization")
    presigned = "X-Amz-Signature=" in query or "X-Amz-Algorithm=" in query
    if not authorization:
        if presigned:
            incomplete("Presigned requests are not supported: sign in the Authorization header.")
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if presigned:
        incomplete("The request is signed both in its query and in its Authorization header.")
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        incomplete(f"Unsupported algorithm '{algorithm[:40]}': sign with {ALGORITHM}.")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
    if missing:
        incomplete(" ".join(f"Authorization header requires '{name}' parameter." for name in missing))
    scope = fields["Credential"].split("/")
    if len(scope) < 5 or scope[-1] != "aws4_request":
        incomplete("Credential must have the form KEY/DATE/REGION/chime/aws4_request.")
    if not _SIGNATURE.fullmatch(fields["Signature"]):
        incomplete("Signature must be 64 hexadecimal digits, in lower case.")
    return Signature(
        key="/".join(scope[:-4]),
        date=scope[-4],
        region=scope[-3],
        service=scope[-2],
        signed=tuple(fields["SignedHeaders"].split(";")),
        value=fields["Signature"],
    )


def verify(
    *, method: str, path: str, query: str, headers: Headers, payload_hash: str, secret_of: Callable[[str], str | None], at: float
) -> Signature:
    """Check a request's signature at `at` (epoch seconds). `path` and `query` are raw. Raises `ServiceError`."""
    found = read(headers, query)
    stamp, epoch = _moment(headers, found)
    _check_scope(found, stamp)
    _check_clock(stamp, epoch, at)
    secret = secret_of(found.key)
    claimed = headers.get("x-amz-content-sha256")
    if claimed is not None and claimed != payload_hash:
        if claimed.startswith(("UNSIGNED-", "STREAMING-")):
            invalid(f"x-amz-content-sha256 '{claimed[:60]}' is not supported by this service: send the body's SHA-256.")
        invalid("The value of x-amz-content-sha256 does not match the request's body.")
    for name in found.signed:
        if name not in headers:
            invalid(f"The signed header '{name[:60]}' is missing from the request.")
    canonical = canonical_request(method, path, query, headers, found.signed, payload_hash)
    expected = signature(_STAND_IN if secret is None else secret, stamp, found.scope, canonical)
    equal = hmac.compare_digest(expected, found.value)
    if secret is None or headers.get("x-amz-security-token"):
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if not equal:
        invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
            "method. Consult the service documentation for details."
        )
    return found


def _moment(headers: Headers, found: Signature) -> tuple[str, float]:
    """The request's time as stamp and as epoch seconds."""
    if "host" not in found.signed:
        invalid("'Host' must be a signed header.")
    stamp = headers.get("x-amz-date", "")
    if stamp:
        if "x-amz-date" not in found.signed:
            invalid("'X-Amz-Date' must be a signed header.")
    elif "date" in headers:
        if "date" not in found.signed:
            invalid("'Date' must be a signed header.")
        try:
            stamp = parsedate_to_datetime(headers["date"]).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        except ValueError:
            incomplete("The Date header is no date.")
    else:
        incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    parts = _STAMP.fullmatch(stamp)
    try:
        if parts is None:
            raise ValueError
        moment = datetime(*(int(part) for part in parts.groups()))  # type: ignore[arg-type]
    except ValueError:
        incomplete("X-Amz-Date must have the form YYYYMMDDTHHMMSSZ.")
    return stamp, float(calendar.timegm(moment.timetuple()))


def _check_scope(found: Signature, stamp: str) -> None:
    if found.service != SERVICE:
        invalid(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if not _REGION.fullmatch(found.region):
        invalid("Credential should be scoped to a valid region.")
    if found.date != stamp[:8]:
        invalid(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{found.date[:20]}' != "
            f"'{stamp[:8]}', from '{stamp}'."
        )


def _check_clock(stamp: str, epoch: float, at: float) -> None:
    if abs(epoch - at) <= SKEW_S:
        return
    ours = as_stamp(at)
    if epoch < at:
        invalid(f"Signature expired: {stamp} is now earlier than {as_stamp(at - SKEW_S)} ({ours} - {SKEW_S // 60} min.)")
    invalid(f"Signature not yet current: {stamp} is still later than {as_stamp(at + SKEW_S)} ({ours} + {SKEW_S // 60} min.)")


def as_stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


def canonical_request(method: str, path: str, query: str, headers: Headers, signed: Iterable[str], payload_hash: str) -> str:
    """The canonical request of a raw one."""
    names = tuple(signed)
    lines = "".join(f"{name}:{_trimmed(headers[name])}\n" for name in names)
    return f"{method}\n{canonical_path(path)}\n{canonical_query(query)}\n{lines}\n{';'.join(names)}\n{payload_hash}"


def _trimmed(value: str) -> str:
    return _BLANKS.sub(" ", value.strip(" \t"))


def canonical_path(path: str) -> str:
    """Dot segments and empty ones removed, then encoded once more: only S3 does without."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and path.endswith("/") else ""
    return quote(f"/{'/'.join(kept)}{slash}", safe="/-_.~", encoding="latin-1")


def canonical_query(query: str) -> str:
    """Each name and value encoded the one way, then sorted."""
    if not query:
        return ""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return "&".join(f"{name}={value}" for name, value in sorted((_again(name), _again(value)) for name, _, value in pairs))


def _again(text: str) -> str:
    return quote(unquote(text, encoding="latin-1"), safe="-_.~", encoding="latin-1")


def signature(secret: str, stamp: str, scope: str, canonical: str) -> str:
    """The signature of a canonical request."""
    date, region, service, _ = scope.split("/")
    text = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"
    return hmac.digest(signing_key(secret, date, region, service), text.encode("latin-1"), "sha256").hex()


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return key


def sign(
    *, method: str, path: str, query: str = "", host: str, body: bytes = b"", key: str, secret: str, at: float, region: str = "us-east-1"
) -> dict[str, str]:
    """Headers that sign a request of our own at `at` (epoch seconds)."""
    stamp = as_stamp(at)
    headers = {"host": host, "x-amz-date": stamp}
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    canonical = canonical_request(method, path, query, headers, headers, hashlib.sha256(body).hexdigest())
    value = signature(secret, stamp, scope, canonical)
    credential = f"{ALGORITHM} Credential={key}/{scope}, SignedHeaders={';'.join(headers)}, Signature={value}"
    return {"Host": host, "X-Amz-Date": stamp, "Authorization": credential}
