"""Words for `<say-as>`: what eSpeak NG would not read as Amazon Polly does is written out here."""

from __future__ import annotations

import re
from typing import Final

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DIGITS: Final = frozenset({"digits", "number:digits", "telephone"})


def words(kind: str, text: str, form: str, language: str) -> str:
    """`text` as it is to be read for `interpret-as="kind"`. A kind that nobody documents is read plainly: such values are in use."""
    kind = kind.strip().lower()
    if kind in _DIGITS:
        return _spaced(text)
    english = language.startswith("en")
    if kind == "ordinal" and english:
        return re.sub(r"\d+", lambda number: _ordinal(number[0]), text)
    if kind == "fraction" and english:
        return re.sub(r"(\d+)\s*/\s*(\d+)", r"\1 over \2", text.replace("+", " and "))
    if kind == "time" and english:
        return _duration(text)
    if kind == "date":
        return _date(text, form.strip().lower(), english)
    return text


def _spaced(text: str) -> str:
    """Digits one by one; what stands between groups of them becomes a short pause."""
    groups = re.findall(r"\d+|[^\d\s\-.()/+]+", text)
    return ", ".join(" ".join(group) if group.isdigit() else group for group in groups)


def _ordinal(number: str) -> str:
    last = int(number[-2:])
    ending = "th" if 10 < last % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(last % 10, "th")
    return number + ending


def _duration(text: str) -> str:
    """`1'21"`: minutes and seconds, as Polly has it."""
    match = re.fullmatch(r"\s*(?:(\d+)')?\s*(?:(\d+)\")?\s*", text)
    if match is None or not (match[1] or match[2]):
        return text
    parts = [f"{int(n)} {unit}{'' if int(n) == 1 else 's'}" for n, unit in ((match[1], "minute"), (match[2], "second")) if n]
    return " and ".join(parts)


def _date(text: str, form: str, english: bool) -> str:
    parts = re.findall(r"\d+", text)
    if form == "yyyymmdd" or (not form and len(parts) == 1 and len(parts[0]) == 8):
        digits = re.sub(r"\D", "", text)
        if len(digits) != 8:
            return text
        parts, form = [digits[:4], digits[4:6], digits[6:]], "ymd"
    if not re.fullmatch("[dmy]{1,3}", form) or len(parts) != len(form):
        return text
    named = dict(zip(form, parts, strict=True))
    month = named.get("m")
    if not english or month is None or not 1 <= int(month) <= 12:
        return " ".join(parts)
    day = _ordinal(str(int(named["d"]))) if "d" in named else ""
    date = f"{MONTHS[int(month) - 1]} {day}".strip()
    return f"{date}, {named['y']}" if "y" in named else date
