"""`outdial doctor`: each thing that is wrong is found and comes with how to mend it."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command import Ran
from outdial.cli.doctor import why_not_loaded
from outdial.config import function_spec
from outdial.model.ids import FunctionName

Outdial = Callable[..., Ran]


def findings(ran: Ran) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for one in json.loads(ran.out)["findings"]:
        found.setdefault(one["what"], []).append(one)
    return found


def test_a_port_that_is_taken(outdial: Outdial, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        (tmp_path / "outdial.toml").write_text(
            f'http = "127.0.0.1:{holder.getsockname()[1]}"\nsip = "127.0.0.1:0"\ncarrier = "127.0.0.1:0"\n'
        )
        ran = outdial("doctor", "--json")
    assert ran.status == 1
    http, sip, carrier = findings(ran)["port"]
    assert (http["state"], http["mend"]) == ("bad", "move it with --http")
    assert http["text"].endswith("the port is taken by another process")
    assert (sip["state"], carrier["state"]) == ("good", "good")


def test_an_address_that_no_trunk_can_reach(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text('trunk = "sip:127.0.0.1:9"\n')
    found = findings(outdial("doctor", "--json"))
    assert found["address"][0]["text"] == "the trunk is told to send audio to 127.0.0.1, this machine itself"
    assert found["trunk"][0]["text"] == "sip:127.0.0.1:9 connection refused"


def test_a_wildcard_without_an_address_to_tell(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text('sip = "0.0.0.0:0"\n')
    assert "--advertise" in findings(outdial("doctor", "--json"))["address"][0]["mend"]


def test_a_trunk_that_answers(outdial: Outdial) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trunk:
        trunk.bind(("127.0.0.1", 0))
        seen: list[bytes] = []

        def answer() -> None:
            data, source = trunk.recvfrom(65535)
            seen.append(data)
            trunk.sendto(b"SIP/2.0 200 OK\r\n\r\n", source)

        thread = threading.Thread(target=answer)
        thread.start()
        uri = f"sip:127.0.0.1:{trunk.getsockname()[1]}"
        assert outdial("trunk", "ping", uri) == Ran(status=0, out=f"{uri}: answers 200 OK\n", err="")
        thread.join(5)
    head, *headers = seen[0].decode().split("\r\n")
    assert head == f"OPTIONS {uri} SIP/2.0"
    assert {line.partition(":")[0] for line in headers if line} == {
        "Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("sip:127.0.0.1:9", "connection refused"),
        ("mailto:x", "this is not a SIP address"),
        ("sip:nowhere.invalid", "the name nowhere.invalid does not resolve"),
    ],
)
def test_trunks_that_do_not(outdial: Outdial, uri: str, text: str) -> None:
    assert outdial("trunk", "ping", uri) == Ran(status=1, out=f"{uri}: {text}\n", err="")


PYTHON_FILES = [
    ("def handler(event, context):\n    return None\n", None),
    ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ("def handler(:\n", "SyntaxError: invalid syntax"),
    ("handler = 5\n", "TypeError: handler is no function"),
    ("def other(): pass\n", "AttributeError: module 'app' has no attribute 'handler'"),
    ("raise SystemExit(3)\n", "exit status 3"),
]


@pytest.mark.parametrize(("source", "problem"), PYTHON_FILES, ids=[str(problem) for _, problem in PYTHON_FILES])
@pytest.mark.parametrize("shape", ["file", "folder"])
def test_whether_a_python_handler_can_be_loaded(tmp_path: Path, source: str, problem: str | None, shape: str) -> None:
    (tmp_path / "app.py").write_text(source)
    text = f"python:{tmp_path}/app.py:handler" if shape == "file" else f"python:{tmp_path}:app.handler"
    assert why_not_loaded(function_spec(FunctionName("f"), text)) == problem


NODE_FILES = [
    ("app.mjs", "export const handler = async () => ({});\n", None),
    ("app.js", "exports.handler = (event, context, callback) => callback(null, {});\n", None),
    ("app.mjs", "export const other = 1;\n", "Error: handler is no function of it"),
    (
        "app.mjs",
        "import 'nothing-of-that-name';\n",
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'nothing-of-that-name' imported from",
    ),
]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.parametrize(("name", "source", "problem"), NODE_FILES, ids=[f"{name} {problem}" for name, _, problem in NODE_FILES])
@pytest.mark.parametrize("shape", ["file", "folder"])
def test_whether_a_node_handler_can_be_loaded(tmp_path: Path, name: str, source: str, problem: str | None, shape: str) -> None:
    (tmp_path / name).write_text(source)
    text = f"node:{tmp_path}/{name}:handler" if shape == "file" else f"node:{tmp_path}:app.handler"
    found = why_not_loaded(function_spec(FunctionName("f"), text))
    assert found == problem or (problem is not None and found is not None and found.startswith(problem))


def test_what_is_not_there(tmp_path: Path) -> None:
    assert why_not_loaded(function_spec(FunctionName("f"), f"python:{tmp_path}/none.py:handler")) == "there is no such file or folder"


def test_whether_an_address_takes_connections() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/2015-03-31/functions/f/invocations"
        assert why_not_loaded(function_spec(FunctionName("f"), address)) is None
    assert why_not_loaded(function_spec(FunctionName("f"), address)) == "connection refused"
    assert why_not_loaded(function_spec(FunctionName("f"), "https://nowhere.invalid/")) == "the name nowhere.invalid does not resolve"


def test_a_voice_that_is_not_there(outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    found = findings(outdial("doctor", "--json"))["voice"][0]
    assert (found["state"], "no speech engine is installed" in found["text"]) == ("bad", True)


def test_a_broken_handler_is_found(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "outdial.toml").write_text(
        'http = "127.0.0.1:0"\nsip = "127.0.0.1:0"\ncarrier = "127.0.0.1:0"\n[function]\nmine = "python:app.py:handler"\n'
    )
    ran = outdial("doctor")
    assert ran.status == 1
    assert "No module named 'nothing_of_that_name'" in ran.out
    assert "hint: mend the file; a node reloads it" in ran.out


def test_all_is_well(outdial: Outdial, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return None\n")
    (tmp_path / "outdial.toml").write_text(
        'http = "127.0.0.1:0"\nsip = "127.0.0.1:0"\ncarrier = "127.0.0.1:0"\n[function]\nmine = "python:app.py:handler"\n'
    )
    ran = outdial("doctor", "--json")
    assert {one["what"]: one["state"] for one in json.loads(ran.out)["findings"]} == {
        "port": "good", "address": "good", "trunk": "good", "voice": "good", "function": "good", "disk": "good", "limits": "good",
    }  # fmt: skip
    assert ran.status == 0
