"""The base of every value that passes between rooms: frozen, keyword-only, tagged, so that it can cross processes."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="_", omit_defaults=True):
    """A value. A change is `msgspec.structs.replace(value, …)`.

    Subclasses repeat `frozen` and `kw_only`: msgspec wants the latter, type checkers both.
    """
