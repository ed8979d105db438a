"""What passes between the node and a speech helper (reference/processes 3), as msgpack."""

from __future__ import annotations

from ..model.value import Value


class Say(Value, frozen=True, kw_only=True):
    """Speak this into a file."""

    id: int
    voice: str
    text: str
    ssml: bool = False
    may_be_silent: bool = False
    path: str
    """Absolute; the helper writes a 16-bit mono WAV."""


class Said(Value, frozen=True, kw_only=True):
    """The file is there."""

    id: int
    rate: int
    samples: int


class NotSaid(Value, frozen=True, kw_only=True):
    """Nothing was spoken: `voice`, `ssml`, `too_long` or `engine`."""

    id: int
    reason: str
    detail: str


Answer = Said | NotSaid
