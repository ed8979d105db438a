"""The catalogue of errors: each has a code, one sentence that says what and where, and a hint that says how to mend it.

Three groups. *Commands* are raised as `OutdialError` by what starts and drives a node. *Refusals* are why a request dials nothing, and
*terminations* how a call ended: their sentences are made where they happen, and stand here with what they mean and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the catalogue; `sentence` and `hint` are templates for `example`'s facts."""

    code: str
    sentence: str
    hint: str
    example: Mapping[str, Any] = field(default_factory=dict)
    group: Literal["command", "refusal", "termination"] = "command"

    def render(self, facts: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """The sentence and the hint with these facts in place; the example's where none are given."""
        known = self.example if facts is None else facts
        return self.sentence.format(**known), self.hint.format(**known)


def _commands() -> tuple[Entry, ...]:
    return (
        Entry(
            code="setting",
            sentence="{setting}: {value} is not {wanted}",
            hint="{mend}",
            example={
                "setting": "ring_timeout",
                "value": '"soon"',
                "wanted": 'a duration such as 90, "90s", "1m" or "4h"',
                "mend": "It stands in outdial.toml; `outdial config check` looks at all settings at once.",
            },
        ),
        Entry(
            code="function",
            sentence="{setting}: {problem}",
            hint="The way to write it: {mend}.",
            example={
                "setting": "--function",
                "problem": "function hello: python:hello.py does not name the function",
                "mend": "python:hello.py:handler",
            },
        ),
        Entry(
            code="unknown_setting",
            sentence="{place} sets {setting}, which is no setting{suggestion}",
            hint="`outdial config check --list` names every setting.",
            example={"place": "outdial.toml", "setting": "ring_timout", "suggestion": "; did you mean ring_timeout?"},
        ),
        Entry(
            code="config_file",
            sentence="The configuration file {path} cannot be read: {problem}",
            hint="Mend it, or name another with --config. `outdial config check --config FILE` tries one without starting a node.",
            example={"path": "outdial.toml", "problem": "Expected '=' after a key (at line 3, column 6)"},
        ),
        Entry(
            code="port_taken",
            sentence="{what} cannot listen on {address}: {problem}",
            hint="End what holds it, or move Outdial with {flag}, for example `{flag} {other}`.",
            example={
                "what": "HTTP",
                "address": "127.0.0.1:8060",
                "problem": "the port is taken by another process",
                "flag": "--http",
                "other": "127.0.0.1:8061",
            },
        ),
        Entry(
            code="data_locked",
            sentence="The data folder {folder} is in use by another node, process {pid}",
            hint="End that node first (`kill {pid}`), or give this one a folder of its own with --data.",
            example={"folder": "./outdial-data", "pid": 4711},
        ),
        Entry(
            code="data_folder",
            sentence="{problem}",
            hint="{mend}",
            example={
                "problem": "The database outdial-data/outdial.db was made by a later version of Outdial (0007)",
                "mend": "Use that version, or another data folder.",
            },
        ),
        Entry(
            code="no_node",
            sentence="No node runs on the data folder {folder}",
            hint="Start one with `outdial up`, or say where it is with --data DIR or OUTDIAL_DATA.",
            example={"folder": "./outdial-data"},
        ),
        Entry(
            code="no_data",
            sentence="There is no data folder {folder}",
            hint="Start a node with `outdial up`, which makes it, or say where it is with --data DIR or OUTDIAL_DATA.",
            example={"folder": "./outdial-data"},
        ),
        Entry(
            code="node_silent",
            sentence="The node at {address} does not answer: {problem}",
            hint="Its process {pid} is alive but hangs, or the address in node.json is no longer its own; its log says more.",
            example={"address": "http://127.0.0.1:8060", "problem": "timed out after 10 s", "pid": 4711},
        ),
        Entry(
            code="program",
            sentence="{program} ended with exit status {status} before its call was placed",
            hint="What it wrote stands above.",
            example={"program": "first_call.py", "status": 1},
        ),
        Entry(
            code="refused",
            sentence="The node refuses: {message} ({status} {error})",
            hint="{mend}",
            example={
                "message": "The number called from is not in the inventory.",
                "status": 400,
                "error": "BadRequestException",
                "mend": "`outdial number ls` shows the numbers that it has.",
            },
        ),
        Entry(
            code="no_such",
            sentence="There is no {kind} {name}",
            hint="`{list}` shows those that there are.",
            example={"kind": "call", "name": "c7f2", "list": "outdial calls ls"},
        ),
        Entry(
            code="several",
            sentence="{name} could mean {count} {kind}s",
            hint="Give more of it: {some}.",
            example={"name": "c7", "count": 2, "kind": "call", "some": "c7f2a0b1, c7913e55"},
        ),
        Entry(
            code="bad_argument",
            sentence="{argument}: {value} is not {wanted}",
            hint="{mend}",
            example={
                "argument": "--function",
                "value": '"reminder.py"',
                "wanted": "NAME=SPEC",
                "mend": "Write for example --function reminder=python:handlers/reminder.py:handler.",
            },
        ),
        Entry(
            code="keys_needed",
            sentence="HTTP would listen on {address}, which others can reach, and there is no access key",
            hint="Make one first with `outdial key create`, or listen on 127.0.0.1 only.",
            example={"address": "0.0.0.0:8060"},
        ),
        Entry(
            code="advertise_needed",
            sentence="SIP would listen on {address}, and that is no address which a trunk could send media to",
            hint="Name the address of this machine as the trunk sees it, for example `--advertise 203.0.113.7`.",
            example={"address": "0.0.0.0:5060"},
        ),
        Entry(
            code="extra_needed",
            sentence="{what} needs {package}, which is not installed",
            hint='Install it with `pip install "outdial[{extra}]"`.',
            example={"what": "The demo", "package": "boto3", "extra": "local"},
        ),
        Entry(
            code="subscribers",
            sentence="{path}: {problem}",
            hint="See docs/carrier.md for how a subscriber is written.",
            example={"path": "subscribers.toml", "problem": 'subscriber 2, step 1: there is no step "answr"; did you mean answer?'},
        ),
    )


def _refusals() -> tuple[Entry, ...]:
    rows = {
        "draining": (
            "The node is shutting down and takes no new calls.",
            "Try again in a moment: another node, or this one after its restart, will take it.",
        ),
        "store": (
            "The database takes no writes just now, so nothing can be promised.",
            "Look at the disk and at what holds the database; the node goes on by itself once it can.",
        ),
        "not_possible": ("The number called is not a telephone number that can exist.", "Write it in E.164, for example +12065550150."),
        "emergency": (
            "The number called is an emergency or special number.",
            "No setting allows it. Let people call it from a telephone of their own.",
        ),
        "not_allowed": (
            "The number called is outside the allow-list of destinations.",
            "Add its country to allow_countries, or its first digits to allow_prefixes.",
        ),
        "not_owned": ("The number called from is not in the inventory.", "Add it with `outdial number add`, or order one over the API."),
        "no_application": ("No SIP media application has that id.", "`outdial app ls` shows those that there are."),
        "too_many_calls": (
            "As many calls are in progress as are allowed.",
            "Wait for one to end, or raise max_calls or max_calls_per_key.",
        ),
        "trunk": ("The trunk could not be reached a moment ago.", "`outdial trunk ping` asks it; it is tried again after 5 seconds."),
        "overloaded": (
            "The machine does not keep up with the calls that are up.",
            "Place fewer calls a second, or give it more processors or ports.",
        ),
        "no_media": (
            "No audio can be had: the media engine is not running, or no port is free.",
            "Widen rtp, or look into the log for why the engine ended.",
        ),
        "no_call": ("No call in progress has that id.", "`outdial calls ls` shows those that there are."),
        "too_many_events": (
            "Too many events of this call wait for its handler.",
            "Let the handler answer faster, or update the call less often.",
        ),
        "timeout": (
            "The call could not be made durable in time, and nothing was dialled.",
            "Try again; if it goes on, look at the disk and at the load.",
        ),
    }
    return tuple(Entry(code=code, sentence=sentence, hint=hint, group="refusal") for code, (sentence, hint) in rows.items())


def _terminations() -> tuple[Entry, ...]:
    rows = {
        "completed": ("The call was answered and then hung up.", "Nothing is wrong."),
        "busy": ("The number called was busy.", "Call again later."),
        "no_answer": ("Nobody answered.", "Call again later, or let it ring longer (ring_timeout)."),
        "rejected": (
            "The far end refused the call.",
            "The SIP status and phrase in `outdial calls show` say why; 401, 403 and 407 are often the trunk's own.",
        ),
        "unreachable": (
            "The trunk could not be reached.",
            "`outdial doctor` tries the trunk; check its address, the name server and the firewall.",
        ),
        "no_media": (
            "There was no usable audio.",
            "The trunk must speak PCMU or PCMA over RTP; behind NAT set advertise, and mark the trunk nat.",
        ),
        "handler_failed": (
            "The application's handler failed.",
            "What it raised and printed stands in `outdial calls show`; `outdial function ls` says whether it can be invoked at all.",
        ),
        "handler_timeout": ("The application's handler did not answer in time.", "Make it faster, or raise handler_timeout."),
        "handler_invalid": (
            "The application's handler answered twice with something that is no reply.",
            "The place in the JSON stands beside the reply in `outdial calls show`.",
        ),
        "media_lost": ("The media engine ended while the call was up.", "The log says why; report it if it was not ended by hand."),
        "node_restart": ("The node ended without warning while the call was up.", "The log of the run before, or the system's, says why."),
        "shutdown": ("The node was shut down while the call was up.", "Give calls longer to end with drain_timeout."),
        "too_long": ("The call reached its longest time.", "Raise max_call where calls may last longer."),
    }
    return tuple(Entry(code=code, sentence=sentence, hint=hint, group="termination") for code, (sentence, hint) in rows.items())


COMMANDS: Mapping[str, Entry] = {entry.code: entry for entry in _commands()}
REFUSALS: Mapping[str, Entry] = {entry.code: entry for entry in _refusals()}
TERMINATIONS: Mapping[str, Entry] = {entry.code: entry for entry in _terminations()}


class OutdialError(Exception):
    """Something went wrong that a person can mend: `sentence` says what and where, `hint` how."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        self.sentence, self.hint = COMMANDS[code].render(facts)
        super().__init__(self.sentence)


class ConfigError(OutdialError, ValueError):
    """A setting has a value that it cannot have."""

    def __init__(self, setting: str, value: object, wanted: str, *, mend: str = "") -> None:
        self.setting = setting
        self.value = value
        self.wanted = wanted
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        where = mend or "`outdial config check` looks at all settings at once."
        super().__init__("setting", setting=setting, value=shown, wanted=wanted, mend=where)


class DataFolderError(OutdialError):
    """The data folder cannot be used, for what the store says."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__("data_folder", problem=problem[:1].upper() + problem[1:], mend=f"{hint[:1].upper()}{hint[1:]}.")


def page() -> str:
    """The catalogue as a page of the documentation."""
    out = [
        "# Errors",
        "",
        "Every error that Outdial tells a person, with an example of each. A command prints the sentence, then its hint as a paragraph.",
        "",
    ]
    titles = {
        "command": "Commands and settings",
        "refusal": "Why a request dials nothing",
        "termination": "How a call ended",
    }
    for group, title in titles.items():
        out += [f"## {title}", ""]
        for entry in (*COMMANDS.values(), *REFUSALS.values(), *TERMINATIONS.values()):
            if entry.group == group:
                sentence, hint = entry.render()
                out += [f"### `{entry.code}`", "", f"    {sentence}", "", f"hint: {hint}", ""]
    return "\n".join(out)
