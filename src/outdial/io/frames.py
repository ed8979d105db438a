"""Frames between our processes: a 4-byte big-endian length, then a body (reference/processes, common part)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_LENGTH = struct.Struct("!I")


class FrameTooLong(Exception):
    """The sender announced a body over the limit: a fault of the sender."""


def pack(body: bytes) -> bytes:
    """One frame around `body`."""
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a byte stream into frame bodies. Raises `FrameTooLong` when a body over `limit` bytes is announced."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what was read and yield each whole body, in order."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= 4:
                (length,) = _LENGTH.unpack_from(buffer, start)
                if length > self._limit:
                    raise FrameTooLong(f"frame of {length} bytes, the limit is {self._limit}")
                if len(buffer) - start - 4 < length:
                    return
                body = bytes(buffer[start + 4 : start + 4 + length])
                start += 4 + length
                yield body
        finally:
            del buffer[:start]
