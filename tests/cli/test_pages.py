"""The pages that are made from the source stand in docs/ as they would be made now."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdial.cli.pages import PAGES, PARTS, render, write

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("name", [*PAGES, *PARTS])
def test_a_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == render(DOCS)[name], "write it anew with scripts/docs"


def test_parts_are_replaced_and_the_rest_is_kept(tmp_path: Path) -> None:
    before = "# Mine\n\n<!-- subscribers -->\nold\n<!-- end -->\n\nkept\n<!-- states -->\n<!-- end -->\n"
    (tmp_path / "carrier.md").write_text(before)
    write(tmp_path)
    after = (tmp_path / "carrier.md").read_text()
    assert "old" not in after
    assert "| `+12065550161` | is a voicemail" in after
    assert after.startswith("# Mine\n\n<!-- subscribers -->\n| number |")
    assert "\nkept\n<!-- states -->\n```mermaid\nstateDiagram-v2\n" in after
