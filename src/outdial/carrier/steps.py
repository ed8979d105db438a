"""What a subscriber can do, one value a step: behaviour is data, a tuple of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a script; the next one begins when it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring(Step):
    """Send 180, then ring for so long; `seconds` None: for ever."""

    seconds: float | None = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Early(Step):
    """Send 183 with an answer: what is played now is early media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Step):
    """End the call before an answer, with this status."""

    status: int
    phrase: str = ""
    cause: int | None = None
    """Q.850 cause for a Reason header (RFC 3326), as exchanges give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Step):
    """Answer 302 with this Contact (RFC 3261 §21.3.3)."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Step):
    """Send 200; ends with the ACK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Step):
    """Speak. `{keys}` stands for the keys that the last `Read` took, spoken one by one."""

    text: str
    voice: str = ""
    wait: bool = True
    """False: go on while speaking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone(Step):
    """Play a tone."""

    hertz: int = 1000
    ms: int = 500
    times: int = 1
    wait: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hear(Step):
    """Wait until somebody speaks, `at_most` seconds."""

    at_most: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(Step):
    """Wait until somebody has spoken and then been quiet for so long; `at_most` seconds in all."""

    quiet: float = 1.0
    at_most: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(Step):
    """Press keys (`0-9 * # A-D`, `,` for half a second), by RTP or by SIP INFO."""

    keys: str
    tone_ms: int = 160
    gap_ms: int = 120
    by: Literal["rtp", "info"] = "rtp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Step):
    """Read the keys that the far end presses, until `keys` of them, a terminator, or a pause."""

    keys: int = 32
    terminators: str = "#"
    first: float = 15.0
    between: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(Step):
    """Give back what is heard, for so long; None: until the far end hangs up."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp(Step):
    """Send BYE."""

    cause: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay(Step):
    """Stay on the line until the far end hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again(Step):
    """Go back to the step after the answer."""


NEEDS_MEDIA = (Early, Answer)
"""A script with one of these has a stream opened when the call comes."""
