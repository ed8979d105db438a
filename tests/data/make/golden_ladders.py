"""Writes the histories under tests/scenarios/golden anew, from the scenarios that `tests/scenarios/histories.py` names."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent.parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "src")]


def main() -> None:
    from scenarios.histories import GOLDEN, KEPT, file_of, history

    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.txt"):
        old.unlink()
    for name in KEPT:
        with tempfile.TemporaryDirectory() as folder:
            file_of(name).write_text(history(name, Path(folder)), encoding="utf-8")
    print(f"{len(KEPT)} histories in {GOLDEN}")


if __name__ == "__main__":
    main()
