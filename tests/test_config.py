"""Settings: where they come from, what wins, and what each wrong one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outdial.config import Config, ConfigError, HostPort, NumberRange, PortRange, function_spec, load
from outdial.config.kinds import show_duration
from outdial.config.page import settings_page
from outdial.errors import OutdialError
from outdial.model.ids import FunctionName
from outdial.model.settings import Trunk
from outdial.model.workers import FunctionSpec

DOCS = Path(__file__).parent.parent / "docs"


def from_env(**variables: str) -> Config:
    return load(file=None, environment={f"OUTDIAL_{key.upper()}": value for key, value in variables.items()})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_those_of_the_contract() -> None:
    config = load(environment={})
    assert config.data == Path("outdial-data")
    assert (str(config.http), str(config.sip), str(config.rtp)) == ("127.0.0.1:8060", "127.0.0.1:5060", "10000-19999")
    assert (config.ring_timeout, config.max_call, config.drain_timeout, config.handler_timeout) == (90, 14400, 20, 20)
    assert (config.account, config.region, config.limits, config.max_workers) == ("000000000000", "us-east-1", "relaxed", 64)
    assert config.numbers == (NumberRange("+12065550100", "+12065550149"),)
    assert config.builtin_carrier
    assert config.trunk_settings() == Trunk(name="carrier", uri="sip:127.0.0.1:5070", builtin=True)


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text('ring_timeout = "60s"\nmax_calls = 5\ndrain_timeout = 7\n')
    config = load({"ring_timeout": "10s", "http": None}, environment={"OUTDIAL_RING_TIMEOUT": "20s", "OUTDIAL_MAX_CALLS": "6"})
    assert (config.ring_timeout, config.max_calls, config.drain_timeout) == (10, 6, 7)


def test_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "conf" / "mine.toml"
    file.parent.mkdir()
    file.write_text(
        """
data = "state"
http = "0.0.0.0:80"
rtp = "30000-30999"
trunk = ["sip:one.example.com", {uri = "192.0.2.9:5080", name = "two", nat = true}]
allow_countries = ["us", "DE"]
numbers = ["+12065550100..+12065550109"]
[function]
reminder = "python:handlers/reminder.py:handler"
[function.other]
spec = "https://sam.example.com/2015-03-31/functions/x/invocations"
environment = { STAGE = "test" }
memory = 256
max_workers = 3
"""
    )
    config = load(environment={"OUTDIAL_CONFIG": str(file)})
    assert config.data == file.parent / "state"
    assert config.http == HostPort("0.0.0.0", 80)
    assert config.rtp == PortRange(30000, 30999)
    assert not config.builtin_carrier
    assert config.trunk_settings() == Trunk(name="one.example.com", uri="sip:one.example.com")
    assert (config.trunk[1].name, config.trunk[1].uri, config.trunk[1].nat) == ("two", "sip:192.0.2.9:5080", True)
    assert config.call_settings().allowed_countries == ("US", "DE")
    assert config.function_specs() == (
        FunctionSpec(
            name=FunctionName("reminder"), kind="python", target=str(file.parent / "handlers/reminder.py"), handler="handler"
        ),
        FunctionSpec(
            name=FunctionName("other"), kind="http", target="https://sam.example.com/2015-03-31/functions/x/invocations",
            environment={"STAGE": "test"}, memory_mb=256, max_workers=3,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1m", 60), ("4h", 14400), ("500ms", 0.5), (" 1.5 m ", 90), ("1d", 86400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert from_env(ring_timeout=text).ring_timeout == seconds


@pytest.mark.parametrize("text", ["90s", "4h", "500ms", "90.5s", "0s"])
def test_durations_are_shown_as_they_are_read(text: str) -> None:
    assert show_duration(from_env(ring_timeout=text).ring_timeout) == text


def test_what_can_be_off() -> None:
    assert from_env(resend_after="off").resend_after is None
    assert from_env(resend_after="5s").invocation_settings().resend_after_s == 5


def test_lists_and_tables_in_the_environment() -> None:
    config = from_env(trunk="a.example.com, sip:192.0.2.1:5070", allow_prefixes="+1206 +44", function="a=python:/x/a.py:main")
    assert [trunk.uri for trunk in config.trunk] == ["sip:a.example.com", "sip:192.0.2.1:5070"]
    assert config.allow_prefixes == ("+1206", "+44")
    assert [spec.name for spec in config.function_specs()] == ["a"]
    assert from_env(trunk='[{"uri": "sip:b.example.com", "nat": true}]').trunk_settings().nat
    assert from_env(function='{"a": {"spec": "node:/x/a.mjs:handler"}}').function_specs()[0].kind == "node"


WRONG: list[tuple[str, str, str]] = [
    ("ring_timeout", "soon", 'ring_timeout: "soon" is not a duration such as 90, "90s", "1m" or "4h"'),
    ("max_call", "-1", 'max_call: "-1" is not a duration such as 90, "90s", "1m" or "4h"'),
    ("http", "127.0.0.1:99999", 'http: "127.0.0.1:99999" is not HOST:PORT, for example 127.0.0.1:8060'),
    ("sip", "a b:5060", 'sip: "a b:5060" is not HOST:PORT, for example 127.0.0.1:8060'),
    ("rtp", "10001-10100", 'rtp: "10001-10100" is not two ports such as 10000-19999, the first even and the second above it'),
    ("rtp", "10000", 'rtp: "10000" is not two ports such as 10000-19999, the first even and the second above it'),
    ("advertise", "me.example.com", 'advertise: "me.example.com" is not an address of this machine such as 203.0.113.7'),
    (
        "trunk",
        "sip:x y>",
        'trunk.1.uri: "y>" is not a SIP address such as sip:trunk.example.com or sip:192.0.2.9:5060',
    ),
    ("trunk", "[oops", 'trunk: "[oops" is not a list: words between commas, or JSON'),
    ("function", "reminder.py", 'function: "reminder.py" is not functions: NAME=SPEC between commas, or JSON'),
    (
        "allow_countries",
        "US, Germany",
        'allow_countries: "US, Germany" is not a list of countries by their two letters, for example US, CA',
    ),
    ("allow_prefixes", "1206", 'allow_prefixes: "1206" is not a list of beginnings of numbers, for example +1206, +4420'),
    ("limits", "odd", "limits: \"odd\" is not 'strict' or 'relaxed'"),
    ("max_calls", "0", 'max_calls: "0" is not a number from 1 on'),
    ("max_calls", "many", 'max_calls: "many" is not a whole number'),
    ("handler_retries", "6", 'handler_retries: "6" is not a number up to 5'),
    ("rtp_timeout_ends", "maybe", 'rtp_timeout_ends: "maybe" is not true or false'),
    ("account", "12", 'account: "12" is not an account id of twelve digits'),
    ("region", "mars", 'region: "mars" is not the name of a Region such as us-east-1'),
    (
        "numbers",
        "+12065550100..+120655501",
        'numbers.0: "+12065550100..+120655501" is not numbers such as +12065550100..+12065550149, both of the same length',
    ),
    ("trunk", '[{"name": "x"}]', "trunk.0.uri: {'name': 'x'} is not complete: it has to be there"),
]


@pytest.mark.parametrize(("setting", "value", "sentence"), WRONG, ids=[f"{s} {v}" for s, v, _ in WRONG])
def test_a_wrong_value_is_named_with_what_it_should_be(setting: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_env(**{setting: value})
    assert caught.value.sentence == sentence
    assert "outdial config check" in caught.value.hint


UNKNOWN: list[tuple[dict[str, Any], str]] = [
    (
        {"environment": {"OUTDIAL_RNG_TIMEOUT": "5"}},
        "the environment sets OUTDIAL_RNG_TIMEOUT, which is no setting; did you mean ring_timeout?",
    ),
    ({"environment": {"OUTDIAL_XYZZY": "5"}}, "the environment sets OUTDIAL_XYZZY, which is no setting"),
    (
        {"environment": {"OUTDIAL_TRUNK": '[{"uri": "sip:x", "nta": true}]'}},
        "the environment sets trunk.0.nta, which is no setting; did you mean nat?",
    ),
    (
        {"environment": {"OUTDIAL_FUNCTION": '{"a": {"spec": "http://x", "memroy": 5}}'}},
        "the environment sets function.a.memroy, which is no setting; did you mean memory?",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), UNKNOWN, ids=[sentence[:60] for _, sentence in UNKNOWN])
def test_an_unknown_name_is_an_error_with_a_suggestion(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OutdialError) as caught:
        load(**given)
    assert (caught.value.code, caught.value.sentence) == ("unknown_setting", sentence)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"ring_timeout 5", "Expected '='"),
        (b"\xff", "can't decode"),
        (b"ring_timeout = 5\nring_timeout = 6", "Cannot overwrite"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    with pytest.raises(OutdialError) as caught:
        load(file=file, environment={})
    assert caught.value.code == "config_file"
    assert problem in caught.value.sentence


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(OutdialError, match=r"nowhere\.toml cannot be read: it does not exist"):
        load(file=tmp_path / "nowhere.toml", environment={})


def test_a_wildcard_needs_an_address_to_tell_others() -> None:
    with pytest.raises(OutdialError) as caught:
        from_env(sip="0.0.0.0:5060").call_settings()
    assert caught.value.code == "advertise_needed"
    assert from_env(sip="0.0.0.0:5060", advertise="203.0.113.7").call_settings().local_host == "203.0.113.7"
    assert from_env(sip="[::1]:5060").call_settings().local_host == "::1"


def test_who_can_reach_a_listener() -> None:
    assert from_env(http="8061").http == HostPort("127.0.0.1", 8061)
    assert from_env(http=":8061").http.everywhere
    assert from_env(http="[::]:8061").http.everywhere
    assert [from_env(http=text).http.loopback for text in ("localhost:1", "[::1]:1", "127.9.9.9:1", "192.0.2.1:1")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_limits_of_aws_when_strict() -> None:
    assert from_env(limits="strict").call_settings().max_invocations == 1000
    assert from_env().call_settings().max_invocations is None


def test_calls_and_invocations_get_their_times() -> None:
    config = from_env(deliver_timeout="7s", max_recording="90s", handler_warn="2s", worker_idle="1m")
    assert (config.call_settings().deliver_timeout_s, config.call_settings().max_recording_s) == (7.0, 90)
    assert (config.invocation_settings().warn_after_s, config.invocation_settings().idle_worker_s) == (2.0, 60.0)


def test_the_way_to_http_functions(tmp_path: Path) -> None:
    config = from_env(http_proxy="http://proxy.example.com:3128", ca_file=str(tmp_path / "ca.pem"))
    assert (config.http_proxy, config.ca_file) == ("http://proxy.example.com:3128", tmp_path / "ca.pem")


def test_the_engine_gets_its_ports_and_address() -> None:
    frame = from_env(rtp="30000-30100", sip="127.0.0.9:0", rtp_timeout="5s", comfort="nothing").engine_settings()
    assert (frame.ports, frame.addresses, frame.rtp_timeout_s, frame.comfort) == ((30000, 30100), ("127.0.0.9",), 5.0, "nothing")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python:/h/reminder.py:handler", ("python", "/h/reminder.py", "handler")),
        ("python:/h:app.lambda_handler", ("python", "/h", "app.lambda_handler")),
        ("node:/h/index.mjs:handler", ("node", "/h/index.mjs", "handler")),
        ("node:/h/index.js:handler", ("node", "/h/index.js", "handler")),
        ("node:/h:src/index.sip", ("node", "/h", "src/index.sip")),
        (
            "http://127.0.0.1:3001/2015-03-31/functions/f/invocations",
            ("http", "http://127.0.0.1:3001/2015-03-31/functions/f/invocations", ""),
        ),
    ],
)
def test_what_can_serve_a_function(text: str, expected: tuple[str, str, str]) -> None:
    spec = function_spec(FunctionName("f"), text)
    assert (spec.kind, spec.target, spec.handler) == expected


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("python:x.py", "function.f: function f: python:x.py does not name the function", "The way to write it: python:x.py:handler."),
        ("/h/x.py", 'function.f: function f: "/h/x.py" does not say what runs it', "The way to write it: python:/h/x.py:handler."),
        (
            "aws:",
            "function.f: aws: (the real Lambda) is not supported yet, for function f",
            "The way to write it: with python:, node:, http:// or https://.",
        ),
    ],
)
def test_what_cannot_serve_one_says_how_to_mend_it(text: str, sentence: str, hint: str) -> None:
    with pytest.raises(OutdialError) as caught:
        function_spec(FunctionName("f"), text, setting="function.f")
    assert (caught.value.code, caught.value.sentence, caught.value.hint) == ("function", sentence, hint)


def test_every_setting_is_documented() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), "write it anew with scripts/docs"
