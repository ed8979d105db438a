"""Access keys of our own making."""

from __future__ import annotations

import base64

from ..model.ids import Ids, KeyId
from ..model.resources import KeyRow

LABEL_MAX = 256


def make_key(ids: Ids, account: str, label: str, at: int) -> KeyRow:
    """A new key with 240 random bits in its secret; `at` is epoch milliseconds. Raises `ValueError` for a label that is too long."""
    if len(label) > LABEL_MAX:
        raise ValueError(f"The label is longer than {LABEL_MAX} characters")
    secret = base64.urlsafe_b64encode(ids.bits(240).to_bytes(30, "big")).decode()
    return KeyRow(id=KeyId(f"OD{ids.hex(18).upper()}"), secret=secret, account=account, label=label, created_at=at)
