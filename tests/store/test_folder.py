"""The data folder: layout, permissions, one node at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outdial.store.folder import Folder, FolderError, Layout

HOLDER = """
import sys
from outdial.store.folder import Folder
folder = Folder.hold(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_the_owners_alone(tmp_path: Path) -> None:
    folder = Folder.hold(tmp_path / "deep" / "data")
    folder.announce({"http": "127.0.0.1:8060"})
    assert {path.name for path in folder.root.iterdir()} == {"buckets", "recordings", "cache", "lock", "node.json"}
    assert [mode(path) for path in (folder.root, *folder.folders)] == [0o700] * 4
    assert [mode(path) for path in (folder.lock, folder.node)] == [0o600] * 2
    assert folder.running() == {"pid": os.getpid(), "http": "127.0.0.1:8060"}
    folder.release()
    assert not folder.node.exists()
    assert folder.running() is None
    assert folder.holder() is None


def test_a_second_node_is_told_which_process_holds_it_and_kill_9_frees_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "data")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert Layout(tmp_path / "data").holder() == holder.pid
        with pytest.raises(FolderError, match=rf"held by a node that runs already \(process {holder.pid}\)") as raised:
            Folder.hold(tmp_path / "data")
        assert f"kill {holder.pid}" in raised.value.hint
        holder.kill()
        holder.wait()
        Folder.hold(tmp_path / "data").release()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("…")
    tmp_path.chmod(0o755)
    with pytest.raises(FolderError, match=r"is no data folder: it holds other things \(thesis.tex\)"):
        Folder.hold(tmp_path)
    assert mode(tmp_path) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(FolderError, match="is a file"):
        Folder.hold(tmp_path / "data")


def test_reading_a_folder_that_is_not_there_makes_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    assert layout.running() is None
    assert layout.holder() is None
    assert not layout.root.exists()
