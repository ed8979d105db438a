"""The diagrams in the documentation are drawn from the tables that run (`python tests/sip/test_docs.py` writes them)."""

from __future__ import annotations

from pathlib import Path

from outdial.core import Table, draw
from outdial.sip.callee import CALLEE
from outdial.sip.caller_table import CALLER
from outdial.sip.renegotiation import RENEGOTIATION
from outdial.sip.timers import ROWS
from outdial.sip.transaction import INVITE_CLIENT, INVITE_SERVER, NON_INVITE_CLIENT, NON_INVITE_SERVER

PAGE = Path(__file__).parent.parent.parent / "docs" / "sip-machines.md"
MACHINES: dict[str, Table] = {
    "INVITE client transaction (RFC 3261 figure 5, RFC 6026 §7.2)": INVITE_CLIENT,
    "Non-INVITE client transaction (figure 6)": NON_INVITE_CLIENT,
    "INVITE server transaction (figure 7, RFC 6026 §7.1)": INVITE_SERVER,
    "Non-INVITE server transaction (figure 8)": NON_INVITE_SERVER,
    "A call from us": CALLER,
    "A call to us": CALLEE,
    "Re-INVITE and UPDATE of the peer": RENEGOTIATION,
}


def page() -> str:
    parts = ["# SIP state machines\n\nDrawn from the tables in `outdial.sip`; a test fails when this page is not what they say.\n"]
    parts += [f"## {name}\n\n```mermaid\n{draw(table)}```\n" for name, table in MACHINES.items()]
    rows = "\n".join(f"| {row.name} | {row.first} | {row.growth} | {row.transport} | {row.source} |" for row in ROWS)
    parts.append(f"## Timers\n\n| timer | first value | growth | transport | source |\n|---|---|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def test_the_diagrams_are_those_of_the_tables() -> None:
    assert PAGE.read_text() == page()


if __name__ == "__main__":
    PAGE.write_text(page())
