"""An action as the handler asked for it, and as the events echo it."""

from __future__ import annotations

from typing import Any

from .value import Value


class Action(Value, frozen=True, kw_only=True):
    """One entry of a reply's `Actions`, or its normalised echo in `ActionData`. Parameters keep AWS's spelling."""

    type: str
    parameters: dict[str, Any] = {}
