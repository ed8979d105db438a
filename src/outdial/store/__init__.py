"""Keeps resources, calls, events, SIP messages, CDRs and the recordings' index: one writer, many readers (DESIGN 3.4)."""

from .memory import MemoryPort
from .store import Store

__all__ = ["MemoryPort", "Store"]
