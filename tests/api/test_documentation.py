"""Pages that are generated are current, and what we serve is documented."""

from __future__ import annotations

import re

from helpers.scripts import ROOT, script
from outdial.api.errors import STATUSES
from outdial.api.operations import SERVED


def test_the_compatibility_page_is_what_the_script_writes() -> None:
    make = script("make_compatibility")
    assert make.TARGET.read_text() == make.text(), "run scripts/make_compatibility"


def test_every_operation_that_is_served_is_called_by_a_compatibility_test() -> None:
    """By boto3's name, or by its place."""
    text = "".join(path.read_text() for path in (ROOT / "tests" / "compat").glob("*.py"))
    for name in SERVED:
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert f".{snake}(" in text or f'"{snake}"' in text or snake in PLACES, name


PLACES = {"update_sip_media_application", "update_phone_number", "restore_phone_number"}
"""Tried by requests of their own: test_applications, test_numbers."""


def test_every_error_is_documented_with_its_status() -> None:
    rows = [
        line.split("|")
        for line in (ROOT / "docs" / "aws-api.md").read_text().splitlines()
        if line.startswith("| `") and "Exception" in line
    ]
    documented: dict[str, int] = {}
    for _, names, statuses, *_ in rows:
        documented |= dict(zip(re.findall(r"`(\w+)`", names), map(int, statuses.split(",")), strict=True))
    assert documented == STATUSES


def test_every_path_of_our_own_is_documented() -> None:
    page = (ROOT / "docs" / "admin-api.md").read_text()
    source = (ROOT / "src" / "outdial" / "api" / "admin" / "__init__.py").read_text()
    paths = re.findall(r'Route\("(/[^"]+)"', source)
    assert len(paths) == 19
    for path in paths:
        assert path.lstrip("/").replace("{", "").replace("}", "") in page.replace("{", "").replace("}", ""), path
