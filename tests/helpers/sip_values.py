"""Values of `sip` for tests of the observers, which know them by their shape."""

from __future__ import annotations

from typing import Literal

from outdial.sip.values import Address, Trace

US, THEM = Address(host="192.0.2.1", port=5060), Address(host="198.51.100.9", port=5060)


def trace(text: str | bytes, way: Literal["sent", "received"] = "sent", session: str = "") -> Trace:
    data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode()
    sent = way == "sent"
    return Trace(session=session, way=way, data=data, source=US if sent else THEM, destination=THEM if sent else US)
