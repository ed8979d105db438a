"""Route sets: where a request inside a dialog goes, through loose and strict routers (RFC 3261 §12.1, §12.2.1.1)."""

from __future__ import annotations

from .errors import RemoteProtocolError
from .headers import parse_name_addr
from .message import Message
from .uri import is_numeric, parse_uri
from .values import Address, Transport


def route_set(message: Message, *, reverse: bool) -> tuple[str, ...]:
    """The Record-Route values in the order of use: reversed for whoever sent the request. Raises `RemoteProtocolError`."""
    routes = message.items("record-route")
    for route in routes:
        parse_name_addr(route, "Record-Route")
    return tuple(reversed(routes)) if reverse else tuple(routes)


def contact_of(message: Message) -> str:
    """The URI of the first Contact, or empty. Raises `RemoteProtocolError`."""
    contacts = message.items("contact")
    return parse_name_addr(contacts[0], "Contact").uri if contacts and contacts[0] != "*" else ""


def plan(target: str, routes: tuple[str, ...]) -> tuple[str, tuple[str, ...], str]:
    """Request-URI, Route values, and the URI of the next hop."""
    if not routes:
        return target, (), target
    first = parse_name_addr(routes[0], "Route").uri
    uri = parse_uri(first)
    if uri.parameter("lr") is not None:
        return target, routes, first
    # A strict router takes the Request-URI; the target goes to the end of the list. Headers and method may not stand there.
    kept = ";".join([first.partition("?")[0].split(";")[0], *(f"{k}={v}" if v else k for k, v in uri.parameters if k != "method")])
    return kept, (*routes[1:], f"<{target}>"), first


def address_of(uri: str) -> Address | None:
    """The address of a URI whose host is numeric, or None: a name needs DNS. Raises `RemoteProtocolError`."""
    parsed = parse_uri(uri)
    host = parsed.parameter("maddr") or parsed.host
    if parsed.scheme not in ("sip", "sips") or not is_numeric(host):
        return None
    wanted = (parsed.parameter("transport") or "").lower()
    transport: Transport = "tls" if parsed.scheme == "sips" or wanted == "tls" else "tcp" if wanted == "tcp" else "udp"
    return Address(transport=transport, host=host, port=parsed.port or (5061 if transport == "tls" else 5060))


def check_target(uri: str) -> str:
    """The URI itself where a request can be sent to it. Raises `RemoteProtocolError`."""
    parsed = parse_uri(uri)
    if parsed.scheme not in ("sip", "sips"):
        raise RemoteProtocolError(f"a target of scheme {parsed.scheme}: only sip and sips can be reached")
    return uri
