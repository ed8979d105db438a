"""Reads SSML: expat without document types or entities of its own, bounded in length, depth and number of tags.

What comes out is a tree of the tags that Amazon Polly has. A tag that it has not is an error with its place; what eSpeak NG does with
the rest is `markup`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from .failure import SpeechFailed

LONGEST: Final = 6000
"""Polly's limit for a request; Speak's own is 1,000."""
DEEPEST: Final = 16
MOST_TAGS: Final = 500
TAGS: Final = frozenset({
    "speak", "break", "emphasis", "lang", "mark", "p", "phoneme", "prosody", "s", "say-as", "sub", "w", "amazon:auto-breaths",
    "amazon:breath", "amazon:domain", "amazon:effect", "amazon:emotion",
})  # fmt: skip


@dataclass(slots=True)
class Element:
    """A tag, its attributes, and what stands in it."""

    name: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list[Element | str] = field(default_factory=list)

    def words(self) -> str:
        """The text in it, without tags."""
        return "".join(child if isinstance(child, str) else child.words() for child in self.children)

    def refuse(self, why: str) -> SpeechFailed:
        """An error at this tag."""
        return SpeechFailed("ssml", f"SSML line {self.line}, column {self.column}: {why}")


def parse(document: str) -> Element:
    """The `speak` element. Raises `SpeechFailed` (`ssml`) saying where and what is wrong."""
    if len(document) > LONGEST:
        raise SpeechFailed("ssml", f"SSML has {len(document):,} characters, the most is {LONGEST:,}")
    reader = _Reader()
    try:
        reader.parser.Parse(document.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        why = expat.errors.messages[error.code] if error.code in expat.errors.messages else str(error)
        raise SpeechFailed("ssml", f"SSML line {error.lineno}, column {error.offset + 1}: not well-formed XML ({why})") from None
    assert reader.root is not None
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._tags = 0
        parser = self.parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _here(self, name: str, attributes: dict[str, str]) -> Element:
        return Element(name, attributes, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def _doctype(self, *_declared: Any) -> None:
        raise self._here("", {}).refuse("a document type is not allowed; begin with <speak>")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = self._here(name, attributes)
        self._tags += 1
        if not self._open and name != "speak":
            raise element.refuse(f"the outermost tag is <{name[:40]}>, it must be <speak>")
        if self._open and name == "speak":
            raise element.refuse("<speak> stands inside <speak>")
        if name not in TAGS:
            raise element.refuse(f"<{name[:40]}> is not a tag that can be spoken ({', '.join(sorted(TAGS - {'speak'}))} are)")
        if len(self._open) >= DEEPEST:
            raise element.refuse(f"tags nest more than {DEEPEST} deep")
        if self._tags > MOST_TAGS:
            raise element.refuse(f"there are more than {MOST_TAGS} tags")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].children.append(text)
