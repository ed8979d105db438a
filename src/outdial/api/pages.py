"""Pagination tokens: opaque, short, safe in a URL, and good only for the list and the filters that they were made for (reference/api 8)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from ..model.resources import Position
from .errors import bad_request

DEFAULT_SIZE = 100
MAC = 12
TOKEN_MAX = 1024


class Placed(Protocol):
    @property
    def position(self) -> Position: ...


R = TypeVar("R", bound=Placed)


class Pages:
    """Cuts lists into pages. Tokens are good for as long as this object lives."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def token(self, purpose: str, position: Position) -> str:
        """The token that continues `purpose` (operation, account and filters) after `position`."""
        body = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._mac(purpose, body) + body).decode().rstrip("=")

    def position(self, purpose: str, token: str) -> Position:
        """Where a token continues. Raises where it was not made for this."""
        if len(token) <= TOKEN_MAX and token.isascii():
            try:
                raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            except binascii.Error:
                raw = b""
            if hmac.compare_digest(raw[:MAC], self._mac(purpose, raw[MAC:])):
                return msgspec.json.decode(raw[MAC:], type=Position)  # type: ignore[no-any-return]
        raise bad_request("NextToken is not one that this list gave out. Start again without a token.")

    def cut(
        self,
        purpose: str,
        wanted: dict[str, Any],
        read: Callable[[Position | None, int], Sequence[R]],
        keep: Callable[[R], bool] = lambda row: True,
    ) -> tuple[list[R], str | None]:
        """One page of what `read` lists and `keep` keeps, and the token of the next one, if there is one."""
        size = wanted.get("MaxResults", DEFAULT_SIZE)
        after = self.position(purpose, wanted["NextToken"]) if wanted.get("NextToken") else None
        page: list[R] = []
        while True:
            rows = read(after, size + 1)
            for row in rows:
                if keep(row):
                    if len(page) == size:
                        return page, self.token(purpose, page[-1].position)
                    page.append(row)
            if len(rows) <= size:
                return page, None
            after = rows[-1].position

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.digest(self._secret, purpose.encode() + b"\0" + body, "sha256")[:MAC]
