"""Header values that more than one place reads: addresses with tags, CSeq, and the compact names (RFC 3261 §7.3.3, §20)."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import RemoteProtocolError
from .grammar import Parameters, end_of_quoted, is_token, number, parameter, parse_parameters, quote, shown, unquote
from .uri import parse_uri

COMPACT = {
    "v": "via",  # RFC 3261 §20.42
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "e": "content-encoding",
    "s": "subject",
    "k": "supported",
    "r": "refer-to",  # RFC 3515
    "b": "referred-by",  # RFC 3892
    "o": "event",  # RFC 6665
    "u": "allow-events",
    "x": "session-expires",  # RFC 4028
    "a": "accept-contact",  # RFC 3841
    "j": "reject-contact",
    "d": "request-disposition",
    "y": "identity",  # RFC 8224
}
LISTS = frozenset({"via", "route", "record-route", "contact", "require", "proxy-require", "supported", "allow", "accept", "unsupported"})
"""Headers whose value may be a list with commas, of those that we read."""
SINGLE = ("from", "to", "call-id", "cseq")
"""What every message has exactly once."""
CSEQ_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NameAddr:
    """From, To, Contact, Route and their like."""

    uri: str
    display: str = ""
    """Without quotes."""
    parameters: Parameters = ()

    @property
    def tag(self) -> str:
        return parameter(self.parameters, "tag") or ""

    def __str__(self) -> str:
        name = f"{quote(self.display)} " if self.display else ""
        tail = "".join(f";{k}" if v is None else f";{k}={v if is_token(v) else quote(v)}" for k, v in self.parameters)
        return f"{name}<{self.uri}>{tail}"


def parse_name_addr(text: str, what: str) -> NameAddr:
    """Read `"name" <uri>;parameters` or `uri;parameters`. Raises `RemoteProtocolError`, which begins with `what`."""
    text = text.strip()
    try:
        if text[:1] == '"':
            end = end_of_quoted(text, 0)
            display, rest = unquote(text[:end]), text[end:].lstrip()
            if rest[:1] != "<":
                raise RemoteProtocolError(f'expected "<" after the quoted name, got "{shown(rest)}"')
        else:
            display, opening, rest = text.partition("<")
            if opening and '"' in display:
                raise RemoteProtocolError(f'a quote in the middle of a name: "{shown(text)}"')
            display, rest = (display.strip(), "<" + rest) if opening else ("", text)
        if rest[:1] == "<":
            uri, closing, tail = rest[1:].partition(">")
            if not closing:
                raise RemoteProtocolError(f'"<" never closes in "{shown(text)}"')
        else:
            # Without angle brackets everything from ";" on belongs to the header, and "?" and "," may not stand at all, RFC 3261 §20.10.
            uri, semicolon, tail = rest.partition(";")
            if "?" in uri or "," in uri:
                raise RemoteProtocolError(f'"?" or "," in a URI without angle brackets: "{shown(uri)}"')
            tail = semicolon + tail
        uri = uri.strip()
        parse_uri(uri)
        return NameAddr(uri=uri, display=display, parameters=parse_parameters(tail))
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{what}: {error.detail}") from None


def tag_of(text: str, what: str) -> str:
    """The tag parameter of a From or To value, or empty. The usual form is read without parsing the rest."""
    tail = text.rpartition(">")[2]
    if '"' not in text:
        _, found, rest = tail.partition(";tag=")
        if found:
            tag = rest.partition(";")[0].strip()
            if is_token(tag):
                return tag
        elif ";" not in tail:
            return ""
    return parse_name_addr(text, what).tag


def parse_cseq(text: str) -> tuple[int, str]:
    """Sequence number and method. Raises `RemoteProtocolError`."""
    words = text.split()
    if len(words) != 2 or not is_token(words[1]):
        raise RemoteProtocolError(f'CSeq: expected a number and a method, got "{shown(text)}"')
    return number(words[0], "CSeq", CSEQ_MOST), words[1]
