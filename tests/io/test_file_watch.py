"""Changed files are noticed, once, and nothing else is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from helpers.handler_node import run
from outdial.io.file_watch import MAX_FILES, FileWatch, snapshot
from outdial.model.ids import FunctionName
from outdial.model.workers import FilesChanged, FunctionSpec


def spec(target: Path, name: str = "app") -> FunctionSpec:
    return FunctionSpec(name=FunctionName(name), kind="python", target=str(target), handler="handler")


def test_code_is_seen_and_what_is_installed_or_generated_is_not(tmp_path: Path) -> None:
    for name in (
        "app.py", "lib/words.py", "index.mjs", "prompts.json",
        "__pycache__/app.cpython-311.pyc", "__pycache__/x.py", "node_modules/x/index.js", ".git/x.py", ".venv/lib/x.py", "notes.txt",
        "environment/pyvenv.cfg", "environment/x.py",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    seen = {str(Path(path).relative_to(tmp_path)) for path in snapshot(str(tmp_path / "app.py"))}
    assert seen == {"app.py", "lib/words.py", "index.mjs", "prompts.json"}
    assert snapshot(str(tmp_path)) == snapshot(str(tmp_path / "app.py"))


def test_a_folder_of_any_size_costs_a_bounded_look(tmp_path: Path) -> None:
    for folder in range(3):
        (tmp_path / str(folder)).mkdir()
        for number in range(MAX_FILES // 2):
            (tmp_path / str(folder) / f"{number}.py").touch()
    assert len(snapshot(str(tmp_path))) <= MAX_FILES + MAX_FILES // 2


def test_a_folder_that_does_not_exist_is_no_error(tmp_path: Path) -> None:
    assert snapshot(str(tmp_path / "gone" / "app.py")) == {}


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "#")


def replace(path: Path) -> None:
    (path.parent / ".app.py.swp").write_text(path.read_text())
    os.replace(path.parent / ".app.py.swp", path)


def remove(path: Path) -> None:
    path.unlink()


def beside(path: Path) -> None:
    (path.parent / "new.py").write_text("")


@pytest.mark.parametrize("change", [edit, replace, remove, beside])
def test_a_change_is_told_once(tmp_path: Path, change: object) -> None:
    file = tmp_path / "app.py"
    file.write_text("x = 1\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "app.py").write_text("x = 1\n")

    async def main() -> None:
        told: asyncio.Queue[FilesChanged] = asyncio.Queue()
        watch = FileWatch(told.put_nowait, asyncio.get_running_loop(), every_s=0.01)
        watch.watch([spec(file), spec(tmp_path / "other", "other")])
        try:
            while len(watch._known) < 2:
                await asyncio.sleep(0)
            change(file)  # type: ignore[operator]
            assert (await asyncio.wait_for(told.get(), 10)).function == "app"
            looked = watch.looks
            while watch.looks < looked + 5:
                await asyncio.sleep(0)
            assert told.empty()
        finally:
            await watch.close()

    run(main)
