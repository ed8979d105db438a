"""Each dependency has its line in docs/dependencies.md, with the licence that it states of itself."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = {
    cells[1].strip(): [cell.strip() for cell in cells[2:6]]
    for line in (ROOT / "docs" / "dependencies.md").read_text().splitlines()
    if len(cells := line.split("|")) == 7 and cells[1].strip() not in ("name", "---")
}


def wanted() -> dict[str, set[str]]:
    """By package: where pyproject.toml names it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    places = {"always": project["project"]["dependencies"], "to build": project["build-system"]["requires"]}
    places |= project["project"]["optional-dependencies"]
    found: dict[str, set[str]] = {}
    for place, requirements in places.items():
        for requirement in requirements:
            name = re.split(r"[\[<>=~! ]", requirement)[0]
            if name != "outdial":
                found.setdefault(name, set()).add(place)
    return found


def test_every_dependency_has_its_line_and_nothing_else_has_one() -> None:
    assert set(ROWS) == set(wanted())
    assert list(ROWS) == sorted(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_line_says_where_it_is_needed_and_nothing_is_left_empty(name: str) -> None:
    where, *rest = ROWS[name]
    assert (set(re.findall(r"`(\w+)`", where)) or {where}) == wanted()[name]
    assert all(rest)


def installed(name: str) -> bool:
    try:
        metadata(name)
    except PackageNotFoundError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name in ROWS if installed(name)])
def test_the_licence_is_the_one_that_the_package_states(name: str) -> None:
    data = metadata(name)
    classifiers = [one.rpartition(" :: ")[2] for one in data.get_all("Classifier") or [] if one.startswith("License ::")]
    stated = " ".join([*(data.get_all("License-Expression") or ()), *(one[:80] for one in data.get_all("License") or ()), *classifiers])
    licence = ROWS[name][2]
    if licence.startswith("none stated"):
        assert not stated.strip()
        return
    families = re.findall(r"[A-Z]{2,}|Apache", licence)
    assert families
    for family in families:
        assert family.upper() in stated.upper(), f"{name} says {stated}"
