"""The command line as a person meets it: what is printed where, and how it ends."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from helpers.command import Ran
from outdial import __version__
from outdial.store import Store

Outdial = Callable[..., Ran]


def test_version(outdial: Outdial) -> None:
    assert outdial("version") == Ran(status=0, out=f"outdial {__version__}\n", err="")
    assert outdial("--version").out == f"outdial {__version__}\n"
    assert json.loads(outdial("version", "--json").out)["outdial"] == __version__


@pytest.mark.parametrize(
    "command", [(), ("up",), ("call",), ("calls",), ("calls", "show"), ("number",), ("app",), ("function",), ("key",), ("trunk",),
     ("doctor",), ("config",)]
)  # fmt: skip
def test_every_command_explains_itself(outdial: Outdial, command: tuple[str, ...]) -> None:
    ran = outdial(*command, "--help")
    assert ran.status == 0
    assert "Usage:" in ran.out


@pytest.mark.parametrize("arguments", [("nonsense",), ("up", "--nonsense"), ("call",), ("calls", "ls", "--limit", "0")])
def test_what_is_used_wrongly_ends_with_2(outdial: Outdial, arguments: tuple[str, ...]) -> None:
    ran = outdial(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err


def test_an_error_is_a_sentence_and_its_hint_a_paragraph_of_its_own(outdial: Outdial) -> None:
    ran = outdial("calls", "ls")
    assert ran == Ran(
        status=1,
        out="",
        err="error: There is no data folder outdial-data\n\n"
        "hint: Start a node with `outdial up`, which makes it, or say where it is with --data DIR or OUTDIAL_DATA.\n",
        code="no_data",
    )


@pytest.mark.parametrize(
    "command", [("number", "ls"), ("app", "ls"), ("function", "ls"), ("key", "ls"), ("call", "+12065550150"), ("trunk", "state")]
)
def test_without_a_node_commands_say_so(outdial: Outdial, command: tuple[str, ...]) -> None:
    ran = outdial(*command)
    assert (ran.status, ran.code, ran.err.splitlines()[0]) == (1, "no_node", "error: No node runs on the data folder outdial-data")


def test_the_data_folder_can_be_named_by_flag_or_variable(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTDIAL_DATA", "there")
    assert "data folder there" in outdial("number", "ls").err
    assert "data folder elsewhere" in outdial("number", "ls", "--data", "elsewhere").err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--function", "reminder.py"), '--function: "reminder.py" is not NAME=SPEC'),
        (("--function", "a=reminder.py"), 'function.a: function a: "reminder.py" does not say what runs it'),
        (("--set", "ring_timeout"), '--set: "ring_timeout" is not NAME=VALUE'),
        (("--set", "ring_timeout=soon"), 'ring_timeout: "soon" is not a duration'),
        (("--set", "rng_timeout=5"), "the command line sets rng_timeout, which is no setting; did you mean ring_timeout?"),
        (("--http", "nowhere"), 'http: "nowhere" is not HOST:PORT'),
        (("--rtp", "5"), 'rtp: "5" is not two ports'),
        (("--trunk", "a b"), 'trunk.0.uri: "a b" is not a SIP address'),
        (("--config", "none.toml"), "The configuration file none.toml cannot be read: it does not exist"),
    ],
)
def test_wrong_flags_of_up_are_named(outdial: Outdial, arguments: tuple[str, ...], sentence: str) -> None:
    ran = outdial("up", *arguments)
    assert ran.status == 2
    assert ran.code in ("bad_argument", "function", "setting", "unknown_setting", "config_file")
    assert ran.err.startswith(f"error: {sentence}")
    assert "\n\nhint: " in ran.err


def test_config_check(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text('trunk = "sip:trunk.example.com"\nadvertise = "203.0.113.7"\n')
    ran = outdial("config", "check")
    assert ran.status == 0
    shown = dict(line.split(maxsplit=1) for line in ran.out.splitlines())
    assert (shown["ring_timeout"], shown["trunk"], shown["s3"]) == ("90s", "sip:trunk.example.com", "-")
    assert ran.err == "\nThe settings are in order.\n"
    assert json.loads(outdial("config", "check", "--json").out)["advertise"] == "203.0.113.7"
    assert "ring_timeout" in outdial("config", "check", "--list").out


def test_trunks_of_the_configuration(outdial: Outdial, tmp_path: Path) -> None:
    assert "carrier  sip:127.0.0.1:5070  no   yes" in outdial("trunk", "ls").out
    (tmp_path / "outdial.toml").write_text('trunk = [{uri = "sip:trunk.example.com", name = "mine", nat = true}]\n')
    assert json.loads(outdial("trunk", "ls", "--json").out) == {
        "trunks": [{"name": "mine", "uri": "sip:trunk.example.com", "nat": True, "symmetric": True}]
    }


def test_a_first_key_can_be_made_before_the_node_has_run(outdial: Outdial, tmp_path: Path) -> None:
    made = json.loads(outdial("key", "create", "--label", "ci", "--data", tmp_path / "d", "--json").out)
    assert json.loads((tmp_path / "d" / "keys.json").read_text()) == {made["id"]: made["secret"]}


def test_a_folder_of_other_things_is_not_taken(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    ran = outdial("key", "create", "--data", tmp_path / "photos")
    assert (ran.status, ran.code) == (1, "data_folder")
    assert "is no data folder" in ran.err


@pytest.mark.parametrize(
    "command", [("up", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--carrier", "127.0.0.1:0"), ("key", "create")]
)
def test_a_folder_of_a_later_version_is_left_alone(outdial: Outdial, tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    Store.open(folder / "outdial.db").close()
    with closing(sqlite3.connect(folder / "outdial.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    ran = outdial(*command, "--data", folder)
    assert (ran.status, ran.code) == (1, "data_folder")
    assert ran.err.startswith(f"error: The database {folder / 'outdial.db'} was made by a later version of Outdial (")
    assert ran.err.rstrip().endswith("hint: Use that version, or another data folder.")
    assert not (folder / "node.json").exists()


def test_a_program_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    code = "from outdial.cli import main; main()"
    command = f"{sys.executable} -c '{code}' config check --list | head -1"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": ":".join(sys.path)}, check=True
    )
    assert done.stdout.split() == ["SETTING", "WHAT"]
    assert done.stderr == ""


def test_starting_imports_nothing_heavy() -> None:
    heavy = ("pydantic", "sqlalchemy", "numpy", "rich", "starlette", "httpx", "boto3", "regex")
    code = f"import sys, outdial.cli.commands; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("missing", ["boto3", "espeakng_loader"])
def test_the_demo_says_what_it_needs(outdial: Outdial, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr("outdial.cli.demonstration.find_spec", lambda name: None if name == missing else object())
    ran = outdial("demo")
    assert (ran.status, ran.code) == (1, "extra_needed")
    assert ran.err.endswith('hint: Install it with `pip install "outdial[local]"`.\n')


def commands() -> set[str]:
    """Every command as it is typed."""
    from typer.main import get_command

    from outdial.cli.commands import app

    found = set()
    for name, one in get_command(app).commands.items():  # type: ignore[attr-defined]
        found |= {f"{name} {inner}" for inner in one.commands} if hasattr(one, "commands") else {name}
    return found


def test_the_commands_are_those_of_the_contract() -> None:
    assert {name.split()[0] for name in commands()} == {
        "up", "demo", "call", "calls", "trunk", "number", "app", "function", "key", "doctor", "config", "version",
    }  # fmt: skip
    assert {"calls ls", "calls show", "calls trace", "config check"} <= commands()


def test_every_command_that_a_message_names_exists() -> None:
    known = commands()
    roots = {name.split()[0] for name in known}
    for path in (Path(__file__).parent.parent.parent / "src" / "outdial").rglob("*.py"):
        for first, second in re.findall(r"[`\"']outdial ([a-z]+)(?: ([a-z]+))?", path.read_text()):
            assert first in roots, f"{path.name}: outdial {first}"
            assert first in known or f"{first} {second}" in known or not second, f"{path.name}: outdial {first} {second}"
