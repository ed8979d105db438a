"""What the carrier is told when it is made, and the story that it tells."""

from __future__ import annotations

from typing import Literal

from ..model.ids import LegId
from ..model.value import Value


class CarrierSettings(Value, frozen=True, kw_only=True):
    """What the carrier obeys."""

    host: str = "127.0.0.1"
    """Address in its SDP."""
    voice: str = "Matthew"
    """AWS's name of the voice that its subscribers speak with, unless they name another."""
    longest_s: float = 3600.0
    """After so long a subscriber hangs up whatever it was doing."""


class Told(Value, frozen=True, kw_only=True):
    """What a subscriber did."""

    session: LegId
    number: str
    at: float
    """Monotonic seconds of the process that tells."""
    what: Literal["called", "rings", "answered", "said", "beeped", "pressed", "refused", "hung_up", "echoes", "listens", "gone"]
    text: str = ""
    """What was said or pressed; the status of a refusal; why it is gone."""


class Heard(Value, frozen=True, kw_only=True):
    """What a subscriber heard on its line."""

    session: LegId
    number: str
    at: float
    what: Literal["speech", "quiet", "key", "nothing"]
    text: str = ""
    """The key."""
    seconds: float = 0.0
    """Quiet: how long the speech before it was."""


Story = Told | Heard
