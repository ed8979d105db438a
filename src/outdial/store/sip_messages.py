"""SIP messages beside the call's events; whoever writes them has bounded and redacted them."""

from __future__ import annotations

from ..model.records import SipMessageRow
from . import schema
from .mapping import Mapping
from .statements import inserts

MESSAGE = Mapping(SipMessageRow, schema.sip_messages)
WRITES = (inserts(MESSAGE),)
