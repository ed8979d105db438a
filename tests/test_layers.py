"""Who may import whom (STYLE section 5): an arrow the wrong way fails, with the file and line that draws it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "outdial"
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "rtp": set(),
    "sdp": set(),
    "sip": {"core"},
    "model": {"core"},
    "actions": {"model", "core"},
    "children": {"model", "core"},
    "speech": {"model", "core"},
    "store": {"model"},
    "media": {"model", "core", "rtp"},
    "apps": {"model", "core", "actions"},
    "calls": {"model", "core", "actions", "sip", "sdp"},
    "carrier": {"model", "core", "sip", "sdp"},
    "api": {"model", "store"},
    "console": {"model", "store"},
    "observe": {"model", "store"},
    "io": {"model", "core", "rtp", "sip", "media", "apps", "children", "speech", "actions"},
}
OUTERMOST = {"node", "cli", "testing"}
EVERYWHERE = {"errors", "config"}
"""Modules beside the folders: the catalogue of errors, and settings as read from outside."""
CLOCK_AND_CHANCE = {"time", "random", "secrets", "uuid"}
MAY_READ_CLOCK = {"io/clock.py", "io/ids.py"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def ours(path: Path, node: ast.ImportFrom) -> str | None:
    """The top folder of ours that an import names, or None where it is another package."""
    parts = path.relative_to(SOURCE).parts
    if node.level:
        base = list(parts[: len(parts) - node.level])
        whole = [*base, *(node.module.split(".") if node.module else [])]
        return whole[0] if whole else "|".join(alias.name for alias in node.names)
    if node.module and node.module.split(".")[0] == "outdial":
        rest = node.module.split(".")[1:]
        return rest[0] if rest else "|".join(alias.name for alias in node.names)
    return None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_the_right_way(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if room not in ALLOWED:
        assert room in OUTERMOST | EVERYWHERE | {"__init__", "__main__"}, f"{room} has no row in ALLOWED"
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (target := ours(path, node)) is not None:
            for name in target.split("|"):
                assert name == room or name in ALLOWED[room] | EVERYWHERE or name == "__version__", (
                    f"{path}:{node.lineno}: {room} imports {name}"
                )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_io_reads_clocks_and_draws_random_bits(path: Path) -> None:
    if str(path.relative_to(SOURCE)) in MAY_READ_CLOCK or path.name in {"bootstrap.py"}:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert name.split(".")[0] not in CLOCK_AND_CHANCE, f"{path}:{node.lineno}: {name}; take `now`, `wall` or `ids` instead"
