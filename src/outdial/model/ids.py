"""Ids are types, never bare `str`; where their random bits come from is an argument."""

from __future__ import annotations

from typing import NewType, Protocol

CallId = NewType("CallId", str)
"""Our `call`: AWS's TransactionId. A lower-case UUID."""
LegId = NewType("LegId", str)
"""Our `leg`: AWS's CallId of a participant, the media engine's `stream`, the SIP endpoint's `session`. A lower-case UUID."""
ApplicationId = NewType("ApplicationId", str)
"""A SIP media application. A lower-case UUID."""
KeyId = NewType("KeyId", str)
"""An access key's id."""
FunctionName = NewType("FunctionName", str)
"""The name that serves a handler, as in the last part of a Lambda ARN (qualifier kept only where it names a function of its own)."""
RecordingId = NewType("RecordingId", str)
WorkerId = NewType("WorkerId", str)
Token = NewType("Token", int)
"""Joins a result to what asked for it; from the node's one counter."""
CommandId = NewType("CommandId", int)
"""A media command's id: an integer, growing, from the node's one counter (above those of any earlier run)."""


class Ids(Protocol):
    """Chance and the node's counter, given to a core when it is made: `secrets` when live, seeded in tests."""

    def bits(self, n: int) -> int: ...
    def number(self) -> int: ...
    def hex(self, n: int) -> str: ...
    def uuid(self) -> str: ...


class Wall(Protocol):
    """Turns monotonic seconds into epoch milliseconds."""

    def __call__(self, at: float, /) -> int: ...
