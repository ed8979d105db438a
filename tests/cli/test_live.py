"""The command line against a node that runs: a process of its own, with the built-in carrier, over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command import Ran
from helpers.node_process import START, NodeProcess

Outdial = Callable[..., Ran]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with NodeProcess(tmp_path_factory.mktemp("node")) as process:
        yield process


@pytest.fixture
def ours(outdial: Outdial, node: NodeProcess, monkeypatch: pytest.MonkeyPatch) -> Outdial:
    """The command line, with a number and an application to call with."""
    monkeypatch.setenv("OUTDIAL_DATA", str(node.data))
    if not json.loads(outdial("number", "ls", "--json").out)["numbers"]:
        assert outdial("number", "add", "+12065550100", "--name", "front desk").status == 0
        assert outdial("app", "add", "tested").status == 0
    return outdial


def test_up_says_what_it_listens_on_and_what_to_try(node: NodeProcess) -> None:
    said = dict(line.split(maxsplit=1) for line in node.said[:8] if line.startswith("  "))
    assert node.said[0].startswith("Outdial ")
    assert said["API"] == node.facts["http"]
    assert said["SIP"].startswith(node.facts["sip"])
    assert said["trunk"].startswith(f"the built-in carrier at {node.facts['carrier']}: +12065550150 to +12065550199")
    assert said["data"] == str(node.data)
    assert said["keys"] == "outdial / outdial, on this machine only"
    steps = ("outdial number add +12065550100", "outdial app add tested", "outdial call +12065550150")
    assert "Try:     " + " && ".join(f"{step} --data {node.data}" for step in steps) in node.said
    with urllib.request.urlopen(f"{node.facts['http']}/healthz", timeout=5) as answer:
        assert answer.status == 200


def test_a_second_node_on_the_same_folder_is_told_who_has_it(node: NodeProcess, outdial: Outdial) -> None:
    ran = outdial("up", "--data", node.data, "--http", "127.0.0.1:0")
    pid = node.facts["pid"]
    assert (ran.status, ran.code) == (1, "data_locked")
    assert ran.err.startswith(f"error: The data folder {node.data} is in use by another node, process {pid}\n\nhint: End that node first")


@pytest.mark.parametrize(
    ("flag", "kind", "what"),
    [
        ("--http", socket.SOCK_STREAM, "HTTP"),
        ("--sip", socket.SOCK_DGRAM, "SIP"),
        ("--carrier", socket.SOCK_DGRAM, "The built-in carrier"),
    ],
)
def test_a_taken_port_is_named_with_the_flag_that_moves_it(outdial: Outdial, flag: str, kind: socket.SocketKind, what: str) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        flags = {"--http": "127.0.0.1:0", "--sip": "127.0.0.1:0", "--carrier": "127.0.0.1:0", flag: taken}
        ran = outdial("up", *(part for pair in flags.items() for part in pair))
    assert (ran.status, ran.code) == (1, "port_taken")
    assert ran.err.startswith(f"error: {what} cannot listen on {taken}: the port is taken")
    assert f"`{flag} " in ran.err


def test_listening_widely_needs_a_key(outdial: Outdial) -> None:
    ran = outdial("up", "--http", "0.0.0.0:0", "--sip", "127.0.0.1:0", "--carrier", "127.0.0.1:0")
    assert (ran.status, ran.code) == (1, "keys_needed")
    assert "there is no access key" in ran.err


def test_a_wildcard_for_sip_needs_an_address(outdial: Outdial) -> None:
    ran = outdial("up", "--sip", "0.0.0.0:0", "--http", "127.0.0.1:0", "--carrier", "127.0.0.1:0")
    assert (ran.status, ran.code) == (1, "advertise_needed")
    assert "--advertise" in ran.err


def test_numbers(ours: Outdial) -> None:
    assert ours("number", "add", "+12065550101").out == "+12065550101 can be called from.\n"
    assert "+12065550100  US       front desk" in ours("number", "ls").out
    again = ours("number", "add", "+12065550101")
    assert (again.status, again.code, again.err.partition("\n")[0]) == (
        1,
        "refused",
        "error: The node refuses: The number is in the inventory already (409 Conflict)",
    )
    assert ours("number", "rm", "+12065550101").status == 0
    assert ours("number", "rm", "+12065550101").err.endswith("hint: outdial number ls shows those that are.\n")


def test_applications_and_functions(ours: Outdial) -> None:
    made = json.loads(ours("app", "add", "other", "--function", "nobody", "--json").out)
    listed = ours("app", "ls")
    assert f"{made['SipMediaApplicationId']}  other" in listed.out
    assert "other: the function nobody is unserved; serve it with `outdial function add nobody SPEC`" in listed.err
    several = ours("call", "+12065550156")
    assert (several.code, several.err.splitlines()[0]) == ("several", "error: No --app could mean 2 applications")
    third = ours("call", "+12065550156", "--app", "third")
    assert (third.code, third.err.splitlines()[0]) == ("no_such", "error: There is no application third")
    assert ours("app", "rm", "other").status == 0
    functions = ours("function", "ls").out.splitlines()
    assert functions[1].split()[:2] == ["tested", "served"]


def test_functions_are_served_and_broken_ones_are_named(ours: Outdial, tmp_path: Path) -> None:
    file = tmp_path / "second.py"
    file.write_text("def handler(event, context):\n    return None\n")
    assert ours("function", "add", "second", f"python:{file}:handler").out.startswith("second is served")
    file.write_text("import nothing_of_that_name\n")
    ran = ours("function", "reload", "second")
    assert ran.status == 1
    assert "second is broken" in ran.out
    assert "nothing_of_that_name" in ran.out
    assert ours("function", "reload", "third").status == 1


def test_keys(ours: Outdial) -> None:
    made = json.loads(ours("key", "create", "--label", "ci", "--json").out)
    assert made["secret"]
    listed = ours("key", "ls").out
    assert made["id"] in listed
    assert made["secret"] not in listed
    assert ours("key", "rm", made["id"]).status == 0


def test_a_call_is_followed_to_its_end(ours: Outdial) -> None:
    ran = ours("call", "+12065550168")
    assert ran.status == 0, ran.err
    assert "calling +1206555**** from +1206555****" in ran.out
    assert "answered" in ran.out
    assert "call over: completed" in ran.out.splitlines()[-1]
    assert "+12065550168" not in ran.out


def test_a_call_that_fails_ends_with_1(ours: Outdial) -> None:
    ran = ours("call", "+12065550156", "--argument", "name=Ada", "--header", "X-Order=17")
    assert ran.status == 1
    assert "failed (busy)" in ran.out.splitlines()[-1]


def test_a_call_as_json(ours: Outdial) -> None:
    lines = [json.loads(line) for line in ours("call", "+12065550156", "--json").out.splitlines()]
    assert lines[0]["_"] == "CallRow"
    assert lines[-1]["_"] == "CallEnded"


def test_a_call_need_not_be_followed(ours: Outdial) -> None:
    id = ours("call", "+12065550156", "--no-follow").out.strip()
    assert ours("calls", "show", id[:8]).out.startswith(f"Call {id}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("+1911",), "error: The node refuses: "),
        (("+442079460000",), "error: The node refuses: "),
        (("nonsense",), "error: The node refuses: "),
        (("+12065550150", "--from", "+12065550149"), "error: The node refuses: "),
        (("+12065550150", "--argument", "x"), 'error: --argument: "x" is not NAME=VALUE'),
    ],
)
def test_a_call_that_may_not_be_made(ours: Outdial, arguments: tuple[str, ...], sentence: str) -> None:
    ran = ours("call", *arguments)
    assert ran.status in (1, 2)
    assert ran.err.startswith(sentence)
    assert "\n\nhint: " in ran.err


def test_calls_on_record(ours: Outdial) -> None:
    id = ours("call", "+12065550156", "--no-follow").out.strip()
    ours("call", "+12065550168")
    newest = json.loads(ours("calls", "ls", "--limit", "1", "--json").out)["calls"][0]
    assert newest["call"]["to"] == "+12065550168"
    assert "+1206555****" in ours("calls", "ls").out
    assert "+12065550168" in ours("calls", "ls", "--full").out
    assert [one["call"]["call"] for one in json.loads(ours("calls", "ls", "--reason", "busy", "--json").out)["calls"]].count(id) == 1
    shown = ours("calls", "show", id)
    assert "hint: Call again later." in shown.out
    ladder = ours("calls", "trace", "last").out
    assert [word in ladder for word in ("INVITE", "200 OK", "ACK", "CALL_ANSWERED", "BYE")] == [True] * 5
    assert ours("calls", "show", "zzz").err.startswith("error: There is no call zzz")
    assert json.loads(ours("calls", "show", id, "--json").out)["call"]["call"] == id


def test_the_node_knows_its_trunk(ours: Outdial, node: NodeProcess) -> None:
    state = json.loads(ours("trunk", "state").out)
    assert (state["builtin"], state["uri"]) == (True, node.facts["carrier"])


def test_doctor_finds_a_running_node(ours: Outdial, node: NodeProcess) -> None:
    findings = json.loads(ours("doctor", "--data", node.data, "--json").out)["findings"]
    assert findings[0]["text"] == f"runs, process {node.facts['pid']}, {node.facts['http']}"
    functions = {row["name"]: row["state"] for row in json.loads(ours("function", "ls", "--json").out)["functions"]}
    told = [one for one in findings if one["what"] == "function"]
    assert functions
    assert [(one["text"].split(":")[0], one["state"]) for one in told] == [
        (f"{name} is {state}", "good" if state == "served" else "bad") for name, state in functions.items()
    ], "those of the node, however it was started"


def test_doctor_asks_the_trunk_that_the_running_node_was_given(tmp_path: Path, outdial: Outdial) -> None:
    with NodeProcess(tmp_path / "n", "--trunk", "sip:127.0.0.1:9") as node:
        findings = json.loads(outdial("doctor", "--data", node.data, "--json").out)["findings"]
    [told] = [one for one in findings if one["what"] == "trunk"]
    assert told["state"] == "bad"
    assert told["text"].startswith("sip:127.0.0.1:9 ")


def test_a_node_that_others_can_reach_is_spoken_to_with_a_key(tmp_path: Path, outdial: Outdial) -> None:
    data = tmp_path / "n" / "data"
    made = json.loads(outdial("key", "create", "--data", data, "--json").out)
    with NodeProcess(tmp_path / "n", "--http", "0.0.0.0:0") as node:
        assert any(line.split() == ["keys", "those", "in", str(data / "keys.json")] for line in node.said)
        assert outdial("number", "add", "+12065550100", "--data", data).status == 0
        assert outdial("app", "add", "tested", "--data", data).status == 0
        assert [key["id"] for key in json.loads(outdial("key", "ls", "--data", data, "--json").out)["keys"]] == [made["id"]]
        (data / "keys.json").write_text('{"outdial": "outdial"}')
        refused = outdial("number", "ls", "--data", data)
        assert (refused.status, refused.code) == (1, "refused")
        assert node.end() == 0


def test_sigterm_ends_it_well_and_its_folder_can_still_be_read(tmp_path: Path, outdial: Outdial) -> None:
    with NodeProcess(tmp_path / "n") as node:
        assert outdial("number", "add", "+12065550100", "--data", node.data).status == 0
        assert outdial("app", "add", "tested", "--data", node.data).status == 0
        assert outdial("call", "+12065550156", "--data", node.data).status == 1
        assert node.end() == 0
    assert not (node.data / "node.json").exists()
    with NodeProcess(tmp_path / "n") as again:
        assert f"Try:     outdial call +12065550150 --data {node.data}" in again.said
    assert "busy" in outdial("calls", "ls", "--data", node.data).out
    assert outdial("number", "ls", "--data", node.data).err.startswith("error: No node runs")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_waits_for_its_calls_and_asked_twice_it_hangs_up(tmp_path: Path, outdial: Outdial, number: int) -> None:
    with NodeProcess(tmp_path / "n") as node:
        node.handler.write_text("def handler(event, context):\n    return {'SchemaVersion': '1.0', 'Actions': []}\n")
        assert outdial("function", "reload", "tested", "--data", node.data).status == 0
        assert outdial("number", "add", "+12065550100", "--data", node.data).status == 0
        assert outdial("app", "add", "tested", "--data", node.data).status == 0
        id = outdial("call", "+12065550168", "--no-follow", "--data", node.data).out.strip()
        node.until(lambda: "connected" in "\n".join(node.said))
        os.kill(node.facts["pid"], number)
        node.until(lambda: "draining" in "\n".join(node.said))
        refused = outdial("call", "+12065550168", "--no-follow", "--data", node.data)
        assert (refused.status, "503" in refused.err) == (1, True)
        assert node.process.poll() is None
        os.kill(node.facts["pid"], number)
        assert node.process.wait(20) == 0
    ended = json.loads(outdial("calls", "show", id, "--json", "--data", node.data).out)["ended"]["termination"]
    assert ended["reason"] == "shutdown"


def test_a_node_that_hangs_is_named(tmp_path: Path, outdial: Outdial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdial.cli.client.TIMEOUT_S", 0.2)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        code = (
            "import sys; from outdial.store.folder import Folder; folder = Folder.hold(sys.argv[1]);"
            "folder.announce({'http': sys.argv[2]}); print('held', flush=True); sys.stdin.read()"
        )
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        holder = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "d"), address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        ran = outdial("number", "ls", "--data", tmp_path / "d")
        holder.communicate(timeout=10)
    assert (ran.status, ran.code) == (1, "node_silent")
    assert ran.err.startswith(f"error: The node at {address} does not answer: timed out")


def test_the_start_of_the_command_is_the_same_for_every_process() -> None:
    assert START in Path(__file__).parent.parent.joinpath("helpers", "node_process.py").read_text()
