"""Facts about the node itself: how far its counter has been used."""

from __future__ import annotations

from typing import Any

import msgspec

from ..model.records import SequenceBase
from . import schema
from .mapping import Mapping
from .statements import Write, replaces


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One named number."""

    name: str
    value: int


_ROW = replaces(Mapping(NodeRow, schema.node))
SEQUENCE_BASE = "sequence_base"
PROBE = "probe"


def _base(row: SequenceBase) -> tuple[Any, ...]:
    return SEQUENCE_BASE, row.last


WRITES = (_ROW, Write(record=SequenceBase, names=_ROW.names, values=_base, make=_ROW.make))
