"""Errors as the API says them: an exception's name, its HTTP status, the `Code` in its body (reference/api 6.1, 6.6)."""

from __future__ import annotations

import msgspec

from ._shapes import ERRORS

CODES = {
    "BadRequestException": "BadRequest",
    "ResourceLimitExceededException": "ResourceLimitExceeded",
    "UnauthorizedClientException": "Unauthorized",
    "AccessDeniedException": "AccessDenied",
    "ForbiddenException": "Forbidden",
    "NotFoundException": "NotFound",
    "ConflictException": "Conflict",
    "GoneException": "Gone",
    "UnprocessableEntityException": "Unprocessable",
    "ThrottledClientException": "Throttled",
    "ServiceFailureException": "ServiceFailure",
    "ServiceUnavailableException": "ServiceUnavailable",
}
"""The `ErrorCode` of each modelled exception."""

STATUSES = {
    **ERRORS,
    "MissingAuthenticationTokenException": 403,
    "IncompleteSignatureException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
    "UnknownOperationException": 404,
    "RequestTimeoutException": 408,
    "RequestEntityTooLargeException": 413,
}
"""Modelled exceptions, then the ones that every AWS service may answer with: those have no `Code` in their body."""

RETRY = ((b"retry-after", b"1"), (b"x-amz-retry-after", b"1000"))
"""Seconds for those who read the standard's header, milliseconds for the SDKs (reference/api 6.5)."""


class ServiceError(Exception):
    """What a request is refused with. `name` is one of `STATUSES`; `message` is for the caller's eyes."""

    def __init__(self, name: str, message: str, *, close: bool = False) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.status = STATUSES[name]
        self.message = message
        self.close = close
        """The connection cannot be used again (part of the request was not read)."""

    def body(self) -> bytes:
        """The JSON body."""
        code = CODES.get(self.name)
        return msgspec.json.encode({"Message": self.message} if code is None else {"Code": code, "Message": self.message})

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Headers beside those of every response."""
        found = [(b"x-amzn-errortype", self.name.encode())]
        if self.status in (429, 503):
            found += RETRY
        if self.close:
            found.append((b"connection", b"close"))
        return found


def bad_request(message: str) -> ServiceError:
    """The input is wrong, or names what is not there."""
    return ServiceError("BadRequestException", message)


def not_found(message: str) -> ServiceError:
    return ServiceError("NotFoundException", message)


def forbidden(message: str) -> ServiceError:
    """Never, whatever the policy."""
    return ServiceError("ForbiddenException", message)


def unavailable(message: str) -> ServiceError:
    """Not now, and nothing was done: every SDK tries again."""
    return ServiceError("ServiceUnavailableException", message)
