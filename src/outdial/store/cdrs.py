"""One record of each finished call: a second one is an error."""

from __future__ import annotations

from ..model.records import Cdr
from . import schema
from .mapping import Mapping
from .statements import inserts

CDR = Mapping(Cdr, schema.cdrs)
WRITES = (inserts(CDR),)
