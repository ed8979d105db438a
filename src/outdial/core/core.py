"""The four methods that every core has: it thinks, and a shell moves its bytes (STYLE 1)."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Deadline(NamedTuple):
    """When a core wants `handle_timer` next."""

    at: float
    """Monotonic seconds."""
    why: str
    """The timer's name, for logs and tests (`timer_b`, `ring`)."""


class Core(Protocol):
    """A decision maker without sockets, tasks, locks, clock or randomness of its own.

    A core is given one input, then drained: `next_output` until None. It never raises on what a peer sent.
    """

    def receive(self, item: Any, now: float) -> None:
        """Take one input: bytes, an event, a command or a result. `now` is monotonic seconds."""

    def handle_timer(self, now: float) -> None:
        """Do what is due at `now`; harmless when nothing is."""

    def next_output(self) -> Any | None:
        """The oldest output not yet taken, or None."""

    def next_deadline(self) -> Deadline | None:
        """The earliest moment at which `handle_timer` must be called, or None."""
