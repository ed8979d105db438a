"""Two families of protocol error: ours and the peer's."""

from __future__ import annotations


class LocalProtocolError(ValueError):
    """We asked for something illegal: a bug of whoever drives the endpoint."""


class RemoteProtocolError(Exception):
    """The peer did something illegal; says what, where, and the status to answer with where an answer is possible."""

    def __init__(self, detail: str, *, status: int = 400, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.headers = headers
        """To be put into the answer (`Unsupported`, `Accept` …)."""
