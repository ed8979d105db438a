"""The parts of a machine that virtual time has for nothing: ports that nobody else holds."""

from __future__ import annotations


class EveryPort:
    """Satisfies `media.ports.Sockets`: every port can be had."""

    def open(self, host: str, rtp_port: int) -> bool:
        return True

    def aim(self, rtp_port: int, peer: tuple[str, int] | None) -> None:
        """No socket to connect."""

    def close(self, rtp_port: int) -> None:
        """Nothing is held."""
