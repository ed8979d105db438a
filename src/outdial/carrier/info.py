"""Keys that come by SIP INFO."""

from __future__ import annotations

from ..sip.values import InfoReceived

KEYS = "0123456789*#ABCD"


def key_of(item: InfoReceived) -> str:
    """The key: `Signal=5` (application/dtmf-relay) or the bare key (application/dtmf); empty where there is none."""
    text = item.body[:200].decode("latin-1")
    kind = item.content_type.partition(";")[0].strip().lower()
    if kind == "application/dtmf-relay":
        fields = dict(line.partition("=")[::2] for line in text.splitlines())
        text = next((value for name, value in fields.items() if name.strip().lower() == "signal"), "")
    elif kind != "application/dtmf":
        return ""
    key = text.strip().upper()
    return key if len(key) == 1 and key in KEYS else ""
