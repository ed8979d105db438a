"""The recordings' index: the later row of a recording replaces."""

from __future__ import annotations

from ..model.records import RecordingRow
from . import schema
from .mapping import Mapping
from .statements import replaces

RECORDING = Mapping(RecordingRow, schema.recordings)
WRITES = (replaces(RECORDING),)
