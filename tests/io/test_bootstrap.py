"""The bootstraps run in the user's interpreter: nothing but what it has by itself, old versions included (DESIGN 6)."""

from __future__ import annotations

import ast
import re
import sys

from outdial.io.interpreters import BOOTSTRAP, BOOTSTRAP_NODE


def test_the_python_bootstrap_is_python_3_8_and_imports_the_standard_library_only() -> None:
    tree = ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 8))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).split(".")[0])
    assert names <= sys.stdlib_module_names


def test_annotations_of_the_python_bootstrap_are_never_evaluated() -> None:
    """`X | None` is no expression in 3.8."""
    tree = ast.parse(BOOTSTRAP.read_text())
    first = next(node for node in tree.body if isinstance(node, ast.ImportFrom))
    assert (first.module, [alias.name for alias in first.names]) == ("__future__", ["annotations"])


def test_the_javascript_bootstrap_imports_nodes_own_modules_only() -> None:
    imported = re.findall(r'from "([^"]+)"', BOOTSTRAP_NODE.read_text())
    assert imported
    assert all(name.startswith("node:") for name in imported)
