"""Scenarios as text: one call each, in ladder order (docs/testing.md says what may stand in a line)."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["message", "time", "stage", "ends"]
STAGE = ("network", "settings", "database", "bucket", "object", "speech", "engine", "node", "function", "disk", "work", "workers", "dns")
"""First words of lines that set the scene or bring a fault."""

_MESSAGE = re.compile(r"(\w+) > (\w+)(?:\s+(.*))?")
_TIME = re.compile(r"\.\.\.\s+(\d+(?:\.\d+)?)\s*(ms|s|min|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


class LadderError(ValueError):
    """A scenario's text cannot be read: says file, line, and what was wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a scenario."""

    number: int
    text: str
    kind: Kind
    source: str = ""
    destination: str = ""
    words: tuple[str, ...] = ()
    """Positional words, the first of which says what the line is about."""
    facts: dict[str, Any]
    """`name=value` words; a value is JSON where it can be read as such, else text. `-` means: absent."""
    seconds: float = 0.0

    @property
    def what(self) -> str:
        """The first word."""
        return self.words[0] if self.words else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One call."""

    title: str
    where: str
    """File and line."""
    lines: tuple[Line, ...]
    ends: tuple[str, ...] = ()
    """Who, result, reason; or `no call`."""
    tags: tuple[str, ...] = ()
    """Words in brackets after the title: what else the scenario is run with."""


def parse(text: str, name: str = "scenario") -> list[Scenario]:
    """Read the scenarios of a text. A title line (`== title`) begins each; a text without one is a single scenario called `name`. Lines
    `with x=1 y=2` after the title make one scenario each, with `{x}` and `{y}` in title and lines put in.

    Raises LadderError.
    """
    blocks: list[tuple[str, int, list[tuple[int, str]]]] = [(name, 0, [])]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("=="):
            blocks.append((line.strip("= "), number, []))
        elif line and not line.startswith("# ") and line != "#":
            blocks[-1][2].append((number, line))
    found = [scenario for title, first, lines in blocks if lines or first for scenario in _scenarios(title, first, lines, name)]
    if not found:
        raise LadderError(f"{name}: no scenario in it")
    return found


def _scenarios(title: str, first: int, lines: list[tuple[int, str]], name: str) -> list[Scenario]:
    variants = [line for _, line in lines if line.startswith("with ")]
    rest = [(number, line) for number, line in lines if not line.startswith("with ")]
    found = []
    for variant in variants or [""]:
        values = dict(piece.split("=", 1) for piece in shlex.split(variant) if "=" in piece)

        def fill(text: str, values: dict[str, str] = values) -> str:
            for key, given in values.items():
                text = text.replace(f"{{{key}}}", given)
            return text

        found.append(_scenario(fill(title), first, [(number, fill(line)) for number, line in rest], name))
    return found


def _scenario(title: str, first: int, lines: list[tuple[int, str]], name: str) -> Scenario:
    if not lines:
        raise LadderError(f"{name}, line {first}: {title!r} has no lines")
    read, ends = list[Line](), tuple[str, ...]()
    for number, text in _expanded(lines):
        text, ending = _split_ends(text)
        if text:
            read.append(_line(text, number, name))
        if ending is not None:
            ends = tuple(word.strip() for word in ending.split(","))
            read.append(Line(number=number, text=f"ends: {ending}", kind="ends", words=ends, facts={}))
    if not ends:
        raise LadderError(f"{name}, line {first}: {title!r} does not say how it ends; add a line such as 'ends: us, success, completed'")
    plain, tags = _tags(title)
    return Scenario(title=plain, where=f"{name}:{first}", lines=tuple(read), ends=ends, tags=tags)


_ANSWERED = ("app > us CALL", "us > handler NEW_OUTBOUND_CALL seq=1", "us > alice INVITE", "", "us > handler CALL_ANSWERED seq=2")


def _expanded(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """`answered call WORDS` stands for the five lines of a call that is answered at once; WORDS are those of the 200 (`pcmu`)."""
    found = []
    for number, text in lines:
        if text.split()[:2] == ["answered", "call"]:
            words = text.split(maxsplit=2)[2:] or ["pcmu"]
            found += [(number, each or f"alice > us 200 answer {words[0]}") for each in _ANSWERED]
        else:
            found.append((number, text))
    return found


def read(path: Path) -> list[Scenario]:
    """The scenarios of a file. Raises LadderError, OSError."""
    return parse(path.read_text(encoding="utf-8"), path.stem)


def _tags(title: str) -> tuple[str, tuple[str, ...]]:
    found = re.fullmatch(r"(.*\S)\s+\[([a-z0-9 ]+)\]", title)
    return (title, ()) if found is None else (found[1], tuple(found[2].split()))


def _split_ends(line: str) -> tuple[str, str | None]:
    found = re.search(r"(?:^|\s)ends:\s*([^\"']*)$", line)
    return (line, None) if found is None else (line[: found.start()].strip(), found[1].strip())


def _line(line: str, number: int, name: str) -> Line:
    def wrong(why: str) -> LadderError:
        return LadderError(f"{name}, line {number}: {why}: {line!r}")

    if line.startswith("..."):
        time = _TIME.fullmatch(line)
        if time is None:
            raise wrong("wanted a time that passes, such as '... 3.0s'")
        return Line(number=number, text=line, kind="time", facts={}, seconds=float(time[1]) * _UNITS[time[2]])
    message = _MESSAGE.fullmatch(line)
    rest = line if message is None else message[3] or ""
    if message is None and line.split()[0] not in STAGE:
        raise wrong(f"wanted 'party > party what', '... 3.0s', 'ends: who, result, reason' or one of {', '.join(STAGE)}")
    try:
        pieces = shlex.split(rest)
    except ValueError as error:
        raise wrong(str(error)) from None
    words, facts = take_facts(pieces)
    if message is None:
        return Line(number=number, text=line, kind="stage", words=words, facts=facts)
    if not words:
        raise wrong("wanted what passes between the two")
    return Line(number=number, text=line, kind="message", source=message[1], destination=message[2], words=words, facts=facts)


_FACT = re.compile(r"([A-Za-z_][\w.\-\[\]]*)=(.*)", re.DOTALL)


def take_facts(pieces: list[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Words, and `name=value` pairs."""
    words, facts = list[str](), dict[str, Any]()
    for piece in pieces:
        fact = _FACT.fullmatch(piece)
        if fact is None:
            words.append(piece)
        else:
            facts[fact[1]] = value(fact[2])
    return tuple(words), facts


def value(text: str) -> Any:
    """JSON where it can be read as such, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
