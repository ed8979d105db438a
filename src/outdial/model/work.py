"""Work that a core asks of a port, each with a token; the result carries the token."""

from __future__ import annotations

from typing import Literal

from .ids import CallId, RecordingId, Token
from .records import Record
from .value import Value

Grade = Literal["synced", "committed"]
"""`synced` survives a power cut, `committed` survives `kill -9`."""


class Save(Value, frozen=True, kw_only=True):
    """Commit these records as one unit. Answered by `Saved`, or, after a `Withdraw`, by exactly one of `Saved` and `Withdrawn`.
    With token 0 nothing is answered. While the database refuses, the unit waits in bounded memory and is tried again."""

    token: Token
    unit: tuple[Record, ...]
    grade: Grade = "committed"


class Withdraw(Value, frozen=True, kw_only=True):
    """Take a unit back that is not committed yet."""

    token: Token


class Saved(Value, frozen=True, kw_only=True):
    token: Token


class Withdrawn(Value, frozen=True, kw_only=True):
    token: Token


class ObjectSource(Value, frozen=True, kw_only=True):
    """A prompt that is an object in a bucket."""

    bucket: str
    key: str


class SpeechSource(Value, frozen=True, kw_only=True):
    """A prompt that is spoken."""

    text: str
    text_type: Literal["text", "ssml"] = "text"
    voice: str = "Joanna"
    """AWS's voice name."""
    engine: str = "standard"
    language: str | None = None


class Prompt(Value, frozen=True, kw_only=True):
    """Fetch or synthesise, decode and resample to 8 kHz, 16-bit, mono, cached. Answered by `PromptReady` or `WorkFailed`
    (`not_found`, `denied`, `format`, `too_large`, `too_long`, `voice`, `ssml`, `engine`, `unreachable`)."""

    token: Token
    source: ObjectSource | SpeechSource
    call: CallId


class PromptReady(Value, frozen=True, kw_only=True):
    token: Token
    path: str
    """An 8 kHz, 16-bit, mono WAV file that never changes."""
    samples: int


class Match(Value, frozen=True, kw_only=True):
    """Search `pattern` (unanchored) in each text, within a time limit, off the loop. Answered by `Matched` or `WorkFailed`
    (`pattern`: does not compile, detail says where; `too_slow`). With no texts it only compiles."""

    token: Token
    pattern: str
    texts: tuple[str, ...] = ()


class Matched(Value, frozen=True, kw_only=True):
    token: Token
    yes: bool
    """One of the texts matched."""


class Deliver(Value, frozen=True, kw_only=True):
    """Copy a finished recording into its bucket. Answered by `Delivered` or `WorkFailed` (`denied`, `unreachable`, `not_found` …)."""

    token: Token
    recording: RecordingId
    path: str
    bucket: str
    key: str


class Delivered(Value, frozen=True, kw_only=True):
    token: Token


class WorkFailed(Value, frozen=True, kw_only=True):
    token: Token
    reason: str
    detail: str = ""


class Repair(Value, frozen=True, kw_only=True):
    """Mend the header of a recording whose engine died. Answered by `Repaired` or `WorkFailed` (`not_found`, `format`: for good)."""

    token: Token
    path: str


class Repaired(Value, frozen=True, kw_only=True):
    token: Token
    samples: int


class Note(Value, frozen=True, kw_only=True):
    """Something for the log and the call's record that is no event: ignored actions, a mapped voice, an adopted source, a slow handler."""

    call: CallId
    level: Literal["debug", "info", "warning", "error"] = "info"
    what: str
    """One line; never a bare number or address."""
    facts: dict[str, str | int | float] = {}


Work = Prompt | Match | Deliver | Repair
WorkResult = PromptReady | Matched | Delivered | Repaired | WorkFailed


class StoreState(Value, frozen=True, kw_only=True):
    """The database began to refuse, or takes commits again; given to `calls/control`."""

    refusing: bool
    detail: str = ""


class MachineState(Value, frozen=True, kw_only=True):
    """How far the node's loop lagged within the last second; given to `calls/control` each second while calls are up."""

    loop_lag_ms: float
