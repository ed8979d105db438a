"""One endpoint and a peer written out by hand, message by message: for what no second endpoint would do."""

from __future__ import annotations

from typing import Any

from outdial.io.ids import SeededIds
from outdial.sip.endpoint import Endpoint
from outdial.sip.message import PHRASES, Request, Response
from outdial.sip.parse import parse
from outdial.sip.route_set import address_of
from outdial.sip.values import Address, Datagram, Dial, Malformed, Resolve, Resolved, Trace, Transmit

US = Address(host="192.0.2.1", port=5060)
TRUNK = Address(host="192.0.2.2", port=5060)
OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
ANSWER = b"v=0\r\no=- 2 2 IN IP4 192.0.2.2\r\n"


class Script:
    """Feeds an endpoint and keeps what it put out."""

    def __init__(self, **options: Any) -> None:
        self.endpoint = Endpoint(SeededIds("script"), options.pop("local", US), **options)
        self.now = 1000.0
        self.events: list[Any] = []
        self.sent: list[Transmit] = []
        self.traces: list[Trace] = []
        self.malformed: list[Malformed] = []
        self.resolves: list[Resolve] = []
        self.targets: dict[str, tuple[Address, ...]] = {}
        self.answer_dns = True

    def give(self, *items: Any) -> None:
        for item in items:
            self.endpoint.receive(item, self.now)
            self._drain()

    def _drain(self) -> None:
        while (output := self.endpoint.next_output()) is not None:
            if isinstance(output, Transmit):
                self.sent.append(output)
            elif isinstance(output, Trace):
                self.traces.append(output)
            elif isinstance(output, Malformed):
                self.malformed.append(output)
            elif isinstance(output, Resolve):
                self.resolves.append(output)
                if self.answer_dns:
                    numeric = address_of(output.uri)
                    found = self.targets.get(output.uri, (numeric,) if numeric is not None else ())
                    self.give(Resolved(token=output.token, targets=found, detail="" if found else "no such name"))
            else:
                self.events.append(output)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while (deadline := self.endpoint.next_deadline()) is not None and deadline.at <= until:
            self.now = max(self.now, deadline.at)
            self.endpoint.handle_timer(self.now)
            self._drain()
        self.now = until

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def lines(self) -> list[str]:
        """Start lines of what was sent."""
        return [item.data.split(b"\r\n", 1)[0].decode() for item in self.sent]

    def last(self, start: str = "") -> Request:
        """The last request sent (whose start line begins so)."""
        message = parse(self.raw(start).data)
        assert isinstance(message, Request)
        return message

    def last_response(self) -> Response:
        message = parse(self.sent[-1].data)
        assert isinstance(message, Response)
        return message

    def raw(self, start: str = "") -> Transmit:
        return next(item for item in reversed(self.sent) if item.data.startswith(start.encode()))

    def count(self, start: str) -> int:
        return sum(item.data.startswith(start.encode()) for item in self.sent)

    def hear(self, data: bytes | str, source: Address = TRUNK) -> None:
        """A datagram arrives."""
        self.give(Datagram(data=data.encode() if isinstance(data, str) else data, source=source, local=US))

    def reply(
        self,
        request: Request,
        status: int,
        *,
        tag: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        contact: str = "<sip:192.0.2.2:5060>",
        body: bytes = b"",
        source: Address = TRUNK,
    ) -> None:
        """A response arrives to a request of ours."""
        to = request.get("to") + (f";tag={tag}" if tag and ";tag=" not in request.get("to") else "")
        lines = [f"SIP/2.0 {status} {PHRASES.get(status, 'X')}", f"Via: {request.get('via')}", f"From: {request.get('from')}", f"To: {to}"]
        lines += [f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}"]
        if contact and 100 < status < 300:
            lines.append(f"Contact: {contact}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.hear("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body, source)


def dial(session: str = "leg", **changes: Any) -> Dial:
    fields: dict[str, Any] = {
        "session": session,
        "uri": "sip:+12065550150@192.0.2.2",
        "target": "sip:192.0.2.2",
        "from_uri": "sip:+12065550100@192.0.2.1",
        "to_uri": "sip:+12065550150@192.0.2.2",
        "body": OFFER,
    }
    return Dial(**{**fields, **changes})


def invite(**changes: Any) -> str:
    """An INVITE to us, as text."""
    return request("INVITE", to="<sip:us@192.0.2.1>", body=OFFER.decode(), **changes)


def request(
    method: str,
    *,
    uri: str = "sip:us@192.0.2.1",
    via: str = "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKalice1;rport",
    sender: str = '"Alice" <sip:alice@192.0.2.2>;tag=alice',
    to: str = "<sip:us@192.0.2.1>",
    call_id: str = "call-1@192.0.2.2",
    cseq: int = 1,
    contact: str = "<sip:alice@192.0.2.2:5060>",
    more: str = "",
    body: str = "",
    kind: str = "application/sdp",
) -> str:
    """A request to us, as text; `more` are whole header lines."""
    lines = [f"{method} {uri} SIP/2.0", f"Via: {via}", "Max-Forwards: 70", f"From: {sender}", f"To: {to}", f"Call-ID: {call_id}"]
    lines.append(f"CSeq: {cseq} {method}")
    if contact and method in ("INVITE", "UPDATE", "OPTIONS"):
        lines.append(f"Contact: {contact}")
    if more:
        lines.append(more)
    if body:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
