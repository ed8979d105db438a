"""The pieces that all headers are made of: tokens, quoted strings, lists and parameters (RFC 3261 §25.1).

Everything here is one pass over the text, so that no input takes more than linear time. A fault raises `RemoteProtocolError`.
"""

from __future__ import annotations

from .errors import RemoteProtocolError

Parameters = tuple[tuple[str, str | None], ...]
"""Name in lower case and value (quotes taken off), in order; None where there was no `=`."""

_ALPHANUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_TOKEN = frozenset(_ALPHANUM + "-.!%*_+`'~")
_WORD = frozenset(_ALPHANUM + "-.!%*_+`'~()<>:\\\"/[]?{}")
_DIGITS = frozenset("0123456789")


def is_token(text: str) -> bool:
    """One or more token characters, RFC 3261 §25.1."""
    return bool(text) and _TOKEN.issuperset(text)


def is_call_id(text: str) -> bool:
    """`word [ "@" word ]`, RFC 3261 §20.8."""
    word, at, host = text.partition("@")
    return bool(word) and _WORD.issuperset(word) and (not at or (bool(host) and _WORD.issuperset(host)))


def number(text: str, what: str, most: int) -> int:
    """A decimal number from 0 to `most`; `int` alone would take signs, underscores and other alphabets."""
    text = text.strip()
    if not text or len(text) > 20 or not _DIGITS.issuperset(text):
        raise RemoteProtocolError(f'{what}: expected digits, got "{shown(text)}"')
    value = int(text)
    if value > most:
        raise RemoteProtocolError(f"{what}: {value} is over {most}")
    return value


def shown(text: str, most: int = 40) -> str:
    """Text as it may stand in a message: printable, cut."""
    cut, more = (text, "") if len(text) <= most else (text[:most], "…")
    if not (cut.isascii() and cut.isprintable()):
        cut = cut.encode("unicode_escape").decode("ascii")
    return cut + more


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a separator that stands neither in a quoted string nor between `<` and `>`; the pieces are stripped."""
    if separator not in text:
        return [text.strip()]
    if '"' not in text and "<" not in text:
        return [piece.strip() for piece in text.split(separator)]
    pieces: list[str] = []
    start = at = 0
    length = len(text)
    angle = False
    while at < length:
        char = text[at]
        if char == '"' and not angle:
            at = end_of_quoted(text, at)
            continue
        if char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char == separator and not angle:
            pieces.append(text[start:at].strip())
            start = at + 1
        at += 1
    pieces.append(text[start:].strip())
    return pieces


def end_of_quoted(text: str, start: int) -> int:
    """The index after the quoted string that opens at `start`."""
    at = start + 1
    closing = -1
    while True:
        if closing < at:
            closing = text.find('"', at)
        if closing < 0:
            raise RemoteProtocolError(f'column {start + 1}: a quoted string never closes: "{shown(text[start:])}"')
        slash = text.find("\\", at, closing)
        if slash < 0:
            return closing + 1
        at = slash + 2


def unquote(text: str) -> str:
    """The content of a quoted string, or the text itself where it is not quoted."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    out: list[str] = []
    at = 0
    while at < len(inner):
        if inner[at] == "\\" and at + 1 < len(inner):
            at += 1
        out.append(inner[at])
        at += 1
    return "".join(out)


def quote(text: str) -> str:
    """A quoted string, with `"` and `\\` escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_parameters(text: str) -> Parameters:
    """`;name=value;name` into pairs; text before the first `;` must be empty."""
    text = text.strip()
    if not text:
        return ()
    if text[0] != ";":
        raise RemoteProtocolError(f'expected ";", got "{shown(text)}"')
    pairs: list[tuple[str, str | None]] = []
    for piece in split_outside(text[1:], ";"):
        name, equals, value = piece.partition("=")
        name = name.rstrip()
        if not is_token(name):
            raise RemoteProtocolError(f'expected a parameter, got "{shown(piece)}"')
        pairs.append((name.lower(), unquote(value.strip()) if equals else None))
    return tuple(pairs)


def parameter(parameters: Parameters, name: str) -> str | None:
    """The first value of that name; empty where the parameter has none, None where it is not there."""
    for key, value in parameters:
        if key == name:
            return value or ""
    return None


def format_parameters(parameters: Parameters) -> str:
    """`;name=value;name`; values that are not tokens are quoted (hosts in brackets aside)."""
    out = ""
    for name, value in parameters:
        if value is None:
            out += f";{name}"
        elif (
            is_token(value)
            or (value[:1] == "[" and value[-1:] == "]")
            or (":" in value and all(c in "0123456789abcdefABCDEF:." for c in value))
        ):
            out += f";{name}={value}"
        else:
            out += f";{name}={quote(value)}"
    return out
