"""Call control: one core that knows all calls, one object a call and a leg, and pure functions that judge."""

from .control import Control

__all__ = ["Control"]
