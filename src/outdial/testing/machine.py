"""The parts of a machine that virtual time has for nothing: ports that nobody else holds."""

from __future__ import annotations

from typing import Any

from ..core import Deadline


class EveryPort:
    """Satisfies `media.ports.Sockets`: every port can be had."""

    def open(self, host: str, rtp_port: int) -> bool:
        return True

    def aim(self, rtp_port: int, peer: tuple[str, int] | None) -> None:
        """No socket to connect."""

    def close(self, rtp_port: int) -> None:
        """Nothing is held."""


class Dead:
    """A core in the place of one that died: nothing is answered."""

    def receive(self, item: Any, now: float) -> None:
        """Nobody hears it."""

    def handle_timer(self, now: float) -> None:
        """Nothing is due."""

    def next_output(self) -> Any | None:
        return None

    def next_deadline(self) -> Deadline | None:
        return None
