"""The documentation hangs together: links resolve, each page can be found, and what there is has been documented and tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from outdial.actions.unsupported import NAMES
from outdial.cli.commands_page import commands_page
from outdial.config.settings import Config

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py") if path.name != "test_pages.py")


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_resolves(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    for name in re.findall(r"`((?:docs|tests|scripts|examples|src/outdial|bench)/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_every_page_stands_in_the_index() -> None:
    linked = set(LINK.findall((ROOT / "docs" / "README.md").read_text()))
    assert {page.name for page in (ROOT / "docs").iterdir()} - {"README.md"} == {link for link in linked if "/" not in link}


def test_what_is_not_supported_is_named() -> None:
    page = (ROOT / "docs" / "not-supported.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in page] == []


@pytest.mark.parametrize("fragment", sorted((ROOT / "changes").iterdir()), ids=lambda path: path.name)
def test_a_change_is_told_in_one_paragraph_and_named_by_its_kind(fragment: Path) -> None:
    assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md", fragment.name)
    text = fragment.read_text()
    assert text.strip()
    assert "\n\n" not in text.strip()


@pytest.mark.parametrize("command", re.findall(r"^## `outdial ([a-z ]+?)(?: \[?[A-Z].*)?`$", commands_page(), re.M))
def test_every_command_is_tried(command: str) -> None:
    words = r",\s*".join(f'"{word}"' for word in command.split())
    assert re.search(words, TESTS)


@pytest.mark.parametrize("setting", Config.model_fields)
def test_every_setting_is_tried(setting: str) -> None:
    assert re.search(rf"\b{setting}(_s)?\b|OUTDIAL_{setting.upper()}\b|--{setting}\b", TESTS)
