"""A dialog: the state that two ends share between INVITE and BYE (RFC 3261 §12)."""

from __future__ import annotations

from collections.abc import Callable

from .message import Request, make_request
from .route_set import plan
from .values import Address, Headers


class Dialog:
    """One dialog. `local` and `remote` are From and To values as we send them, tags included."""

    __slots__ = (
        "call_id",
        "destination",
        "fallback",
        "local",
        "local_cseq",
        "local_tag",
        "remote",
        "remote_cseq",
        "remote_tag",
        "routes",
        "target",
        "waiting",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: str,
        local_tag: str,
        remote: str,
        remote_tag: str,
        target: str,
        routes: tuple[str, ...],
        local_cseq: int,
        remote_cseq: int,
        fallback: Address,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.local_tag = local_tag
        self.remote = remote
        self.remote_tag = remote_tag
        self.target = target
        self.routes = routes
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        """-1 until the peer has sent a request."""
        self.fallback = fallback
        """Where requests go when the next hop's name does not resolve: whence the peer's message came."""
        self.destination: Address | None = None
        """The next hop, once it is known."""
        self.waiting: list[Callable[[float], None]] | None = None
        """What is sent once the next hop is found; None while nothing looks for it."""

    def next_hop(self) -> str:
        """The URI that requests are sent to."""
        return plan(self.target, self.routes)[2]

    def request(self, method: str, cseq: int, via: str, headers: Headers, body: bytes = b"") -> Request:
        """A request inside the dialog (RFC 3261 §12.2.1.1); `headers` come after the dialog's own."""
        uri, routes, _ = plan(self.target, self.routes)
        return make_request(
            method,
            uri,
            (
                ("Via", via),
                *(("Route", route) for route in routes),
                ("Max-Forwards", "70"),
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                *headers,
            ),
            body,
        )

    def next_cseq(self) -> int:
        """Count up, for a request other than ACK and CANCEL."""
        self.local_cseq += 1
        return self.local_cseq

    def in_order(self, cseq: int) -> bool:
        """Whether a request of the peer comes in order (RFC 3261 §12.2.2); remembers its number if so."""
        if cseq <= self.remote_cseq:
            return False
        self.remote_cseq = cseq
        return True
