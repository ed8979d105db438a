"""What the endpoint is told and what it tells: all by `session`, which is our leg's id as text; bodies are opaque.

`Dial` is answered by `Held` (after DNS, where needed) or `Over`; a `Held` INVITE leaves on `Go`. Every session's last output is `Over`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Headers = tuple[tuple[str, str], ...]
Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a message came from or goes to."""

    transport: Transport = "udp"
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.transport}:[{self.host}]:{self.port}" if ":" in self.host else f"{self.transport}:{self.host}:{self.port}"


# --- in, from the session's owner (`calls`, `carrier`) ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Build an INVITE and hold it."""

    session: str
    uri: str
    """Request-URI, for example `sip:+12065550150@192.0.2.9`."""
    target: str
    """URI of the trunk that the message is sent to (RFC 3263 applies to it)."""
    from_uri: str
    from_name: str = ""
    to_uri: str
    headers: Headers = ()
    """Given out as they are, in order (checked by whoever took them in; CR, LF and NUL are refused here once more)."""
    body: bytes = b""
    content_type: str = "application/sdp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Let the held INVITE leave."""

    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Send the ACK of a 2xx (and again at each repeat of that 2xx)."""

    session: str
    fork: str
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End what has no 2xx yet: CANCEL, or nothing sent where the INVITE never left; a 2xx that crosses is ACKed and BYEd."""

    session: str
    reason: str = ""
    """A Reason header's value, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """End an established session."""

    session: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """UAS: 180, or 183 with a body."""

    session: str
    body: bytes = b""
    status: int = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """UAS: 200 with the answer, to the INVITE, or to a re-INVITE/UPDATE that was `Offered`."""

    session: str
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """UAS: a final refusal, of the INVITE, or of a re-INVITE/UPDATE that was `Offered` (then the session goes on)."""

    session: str
    status: int
    reason: str = ""
    """Reason phrase; empty: the usual one."""
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInfo:
    session: str
    body: bytes
    content_type: str = "application/dtmf-relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptInvite:
    """After a restart: CANCEL a stored INVITE; its transaction is kept 64*T1 without retransmitting; a late 2xx gets ACK and BYE."""

    session: str
    invite: bytes
    source: Address
    destination: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptDialog:
    """After a restart: ACK (again) and BYE a dialog whose 2xx was stored. The BYE's CSeq is the INVITE's plus 1,000."""

    session: str
    invite: bytes
    source: Address
    destination: Address
    remote_tag: str
    remote_target: str
    routes: tuple[str, ...] = ()


# --- in, from io ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """What a socket received: on UDP one datagram, on streams one message as framed."""

    data: bytes
    source: Address
    local: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFailed:
    """A send to this destination failed (ICMP, connection refused)."""

    destination: Address
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Targets in the order to try; empty where the name does not resolve (`detail` says why)."""

    token: int
    targets: tuple[Address, ...]
    detail: str = ""


# --- out, to io ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmit:
    data: bytes
    destination: Address
    source: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Find the targets of a URI (RFC 3263). Numeric hosts need no DNS but take this way too."""

    token: int
    uri: str


# --- out, to the session's owner ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An INVITE is built (also after a challenge, or to a next target) and leaves on `Go`."""

    session: str
    invite: bytes
    source: Address
    destination: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisional:
    """A 1xx other than 100."""

    session: str
    status: int
    tag: str
    body: bytes
    source: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A 2xx to our INVITE, once for each fork. Its ACK leaves on `Acknowledge`; where `wanted` is false (a CANCEL crossed, or another
    fork has won) ACK and BYE follow by themselves and this is for the record."""

    session: str
    fork: str
    """The To tag."""
    wanted: bool
    remote_tag: str
    remote_target: str
    routes: tuple[str, ...]
    body: bytes
    headers: Headers
    source: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A re-INVITE or UPDATE within the session; answer with `Accept` or `Reject`. An empty body asks for our offer."""

    session: str
    method: Literal["INVITE", "UPDATE"]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AckBody:
    """The ACK arrived of what we accepted (UAS); `body` is the answer where our 2xx carried the offer."""

    session: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoReceived:
    """An INFO; it has been answered with 200 already."""

    session: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ByeReceived:
    """The far end hung up (200 has been sent), or an INVITE to us was cancelled (487 has been sent; `cancelled`)."""

    session: str
    reason: str = ""
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A new INVITE to us; 100 has been sent. Answer with `Ring`, `Accept`, `Reject`."""

    session: str
    """Drawn by the endpoint."""
    uri: str
    from_uri: str
    from_name: str
    to_uri: str
    headers: Headers
    """All headers as they came, in order."""
    body: bytes
    source: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The last word about a session: every transaction of it has an outcome (or is left to linger on its own)."""

    session: str
    who: Literal["us", "peer", "network"]
    status: int
    """The final status of the INVITE that ended it, 0 where a BYE did; 408 for a time-out, 503 for a transport or DNS failure."""
    phrase: str = ""
    reason: str = ""
    """The Reason header as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Each message of a session, sent or received, for the record. `session` is empty for messages outside any."""

    session: str
    way: Literal["sent", "received"]
    data: bytes
    source: Address
    destination: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A datagram that is not SIP, or a message that was refused or dropped, and why: for the log (rate limited by whoever writes it)."""

    source: Address
    detail: str


OwnerCommand = Dial | Go | Acknowledge | Cancel | Bye | Ring | Accept | Reject | SendInfo | AdoptInvite | AdoptDialog
SessionEvent = Held | Provisional | Accepted | Offered | AckBody | InfoReceived | ByeReceived | Incoming | Over
