"""`outdial doctor`: what is wrong with ports, address, trunk, voice, handlers, disk, limits; each with how to mend it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from .options import Json

if TYPE_CHECKING:
    from ..config import Config
    from ..model.workers import FunctionSpec

LOW_DISK = 1 << 30
HANDLER_S = 20.0
CONNECT_S = 3.0
MENDS = {
    "python": "mend the file; a node reloads it",
    "node": "mend the file; a node reloads it",
    "http": "start what serves it, or mend its address",
}
DESCRIPTORS_A_CALL = 4
LOAD_PYTHON = """
import importlib, sys
folder, module, name = sys.argv[1:]
sys.path.insert(0, folder)
if not callable(getattr(importlib.import_module(module), name)):
    sys.exit(f"TypeError: {name} is no function")
"""
LOAD_NODE = """
const { pathToFileURL } = require('url'), [file, name] = process.argv.slice(1);
import(pathToFileURL(file)).then(
  module => {
    if (typeof (module[name] ?? module.default?.[name]) === 'function') process.exit(0);
    console.error(`Error: ${name} is no function of it`); process.exit(1);
  },
  error => { console.error(error.stack); process.exit(1); });
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["good", "note", "bad"]
    text: str
    mend: str = ""


def doctor(
    data: Annotated[Path | None, typer.Option(help="The data folder.", show_default=False)] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (./outdial.toml, where there is one).", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Look for what would keep calls from working; exits 1 where something is bad."""
    from ..config import load
    from . import output

    found = list(examine(load({"data": data}, file=config)))
    if as_json:
        output.data({"findings": [{"what": f.what, "state": f.state, "text": f.text, "mend": f.mend} for f in found]})
    else:
        width = max(len(finding.what) for finding in found)
        for finding in found:
            print(f"{finding.state:<4}  {finding.what.ljust(width)}  {finding.text}")
            if finding.mend and finding.state != "good":
                print(f"      {' ' * width}  hint: {finding.mend}")
    if any(finding.state == "bad" for finding in found):
        raise typer.Exit(1)


def examine(config: Config) -> Iterator[Finding]:
    """Everything that can be looked at, one after the other."""
    from ..store.folder import Layout

    running = Layout(config.data).running()
    if running is not None:
        yield Finding(what="node", state="good", text=f"runs, process {running.get('pid')}, {running.get('http')}")
        config = _as_it_runs(config)
    for look in LOOKS:
        yield from look(config, running is not None)


def _as_it_runs(config: Config) -> Config:
    """With what the running node says of its trunk and addresses: its command line may have named others than the configuration."""
    from ..config import HostPort, TrunkSetting
    from .client import find

    facts = find(config.data).get("/config")
    trunk = tuple(TrunkSetting(**one) for one in facts["trunk"])
    return config.model_copy(update={"trunk": trunk, "sip": HostPort(*facts["sip"]), "advertise": facts["advertise"]})


def _ports(config: Config, running: bool) -> Iterator[Finding]:
    from . import listening

    if running:
        return
    for what, address, kind, flag in listening.listeners(config):
        problem = listening.why_not(address, kind)
        if problem is None:
            yield Finding(what="port", state="good", text=f"{what} can listen on {address}")
        else:
            yield Finding(what="port", state="bad", text=f"{what} cannot listen on {address}: {problem}", mend=f"move it with {flag}")


def _address(config: Config, running: bool) -> Iterator[Finding]:
    from ..config import HostPort
    from ..errors import OutdialError

    try:
        host = config.local_host
    except OutdialError as error:
        yield Finding(what="address", state="bad", text=error.sentence, mend=error.hint)
        return
    if HostPort(host, 0).loopback and not config.builtin_carrier:
        mend = "let SIP listen on an address that the trunk can reach, with --sip and, behind NAT, --advertise"
        yield Finding(what="address", state="bad", text=f"the trunk is told to send audio to {host}, this machine itself", mend=mend)
    else:
        yield Finding(what="address", state="good", text=f"trunks are told {host}")


def _trunk(config: Config, running: bool) -> Iterator[Finding]:
    from . import probing

    if config.builtin_carrier:
        yield Finding(what="trunk", state="good", text="the built-in carrier, which starts with its first call")
        return
    for one in config.trunk:
        found = probing.options(one.uri)
        mend = "check its address and the firewall; some trunks do not answer OPTIONS and still take calls"
        yield Finding(what="trunk", state="good" if found.reached else "bad", text=f"{one.uri} {found.text}", mend=mend)


def _voice(config: Config, running: bool) -> Iterator[Finding]:
    import asyncio

    problem = asyncio.run(_why_not_spoken())
    if problem is None:
        yield Finding(what="voice", state="good", text="eSpeak NG speaks")
    else:
        mend = 'pip install "outdial[speech]"; until then Speak and SpeakAndGetDigits fail'
        yield Finding(what="voice", state="bad", text=problem, mend=mend)


async def _why_not_spoken() -> str | None:
    """Speak a word into a file; why that failed, or None."""
    import tempfile

    from ..io.speech_client import SpeechClient
    from ..model.work import SpeechSource
    from ..speech.failure import SpeechFailed

    client, source = SpeechClient(), SpeechSource(text="One.")
    try:
        with tempfile.TemporaryDirectory() as folder:
            await client.plan(source)
            await client.speak(source, Path(folder) / "one.wav")
        return None
    except SpeechFailed as failed:
        return failed.detail or failed.reason
    finally:
        await client.close()


def _served(config: Config) -> Iterator[Finding]:
    """What the running node says of its functions: it may have been started with others than the configuration's."""
    from .client import find

    rows = find(config.data).get("/functions")["functions"]
    for row in rows:
        good = row["state"] == "served"
        mend = "mend the file; a node reloads it" if row["state"] == "broken" else f"`outdial function add {row['name']} SPEC` serves it"
        detail = f": {row['detail']}" if row.get("detail") else ""
        yield Finding(what="function", state="good" if good else "bad", text=f"{row['name']} is {row['state']}{detail}", mend=mend)
    if not rows:
        yield Finding(what="function", state="note", text="the node serves none", mend="--function NAME=SPEC, or `outdial function add`")


def _handlers(config: Config, running: bool) -> Iterator[Finding]:
    if running:
        yield from _served(config)
        return
    for spec in config.function_specs():
        problem = why_not_loaded(spec)
        where = spec.target if spec.kind == "http" else f"{spec.target}:{spec.handler}"
        if problem is None:
            text = f"{spec.name}: {where} {'takes connections' if spec.kind == 'http' else 'can be loaded'}"
            yield Finding(what="function", state="good", text=text)
        else:
            yield Finding(what="function", state="bad", text=f"{spec.name}: {where}: {problem}", mend=MENDS[spec.kind])
    if not config.function:
        yield Finding(what="function", state="note", text="none is configured", mend="--function NAME=SPEC, or `outdial function add`")


def why_not_loaded(spec: FunctionSpec) -> str | None:
    """Why a handler cannot be loaded by its interpreter (or its address not be reached), in one line, or None where it can."""
    if spec.kind == "http":
        return _why_not_reached(spec.target)
    target = Path(spec.target)
    if not target.exists():
        return "there is no such file or folder"
    if spec.kind == "python":
        folder = target.parent if target.is_file() else target
        module, name = (target.stem, spec.handler) if target.is_file() else tuple(spec.handler.rsplit(".", 1))
        near = folder / ".venv" / "bin" / "python"
        interpreter = spec.interpreter or (str(near) if near.exists() else _own())
        command = [interpreter, "-c", LOAD_PYTHON, str(folder), module.replace("/", "."), name]
    else:
        if target.is_file():
            file, name = target, spec.handler
        else:
            path, name = spec.handler.rsplit(".", 1)
            file = next((known for end in (".mjs", ".js", ".cjs") if (known := target / f"{path}{end}").exists()), target / f"{path}.js")
        folder = file.parent
        command = [spec.interpreter or "node", "-e", LOAD_NODE, str(file), name]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=HANDLER_S, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return f"the interpreter {command[0]} is not there"
    except subprocess.TimeoutExpired:
        return f"loading it takes more than {HANDLER_S:.0f} seconds"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line and not line.startswith(" ")]
    return (errors or lines or [f"exit status {done.returncode}"])[-1][:200]


def _why_not_reached(address: str) -> str | None:
    """Why nothing takes connections at an address; the function itself is not invoked."""
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)), CONNECT_S):
            return None
    except socket.gaierror:
        return f"the name {parts.hostname} does not resolve"
    except (OSError, ValueError) as error:
        return (getattr(error, "strerror", None) or str(error) or "no connection").lower()


def _own() -> str:
    import sys

    return sys.executable


def _disk(config: Config, running: bool) -> Iterator[Finding]:
    folder = Path(config.data).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        yield Finding(what="disk", state="bad", text=f"{there} is not writable", mend="name another folder with --data")
    elif free < LOW_DISK:
        hours = free // (8000 * 2 * 3600)
        yield Finding(what="disk", state="note", text=f"{free >> 20} MB free at {there}, {hours} hours of recording", mend="make room")
    else:
        yield Finding(what="disk", state="good", text=f"{free >> 30} GB free at {there}")


def _limits(config: Config, running: bool) -> Iterator[Finding]:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ports = (config.rtp.last - config.rtp.first + 1) // 2
    allowed = ports if hard == resource.RLIM_INFINITY else min(ports, hard // DESCRIPTORS_A_CALL)
    text = f"{allowed} calls at once ({ports} pairs of ports, {hard} open files)"
    yield Finding(what="limits", state="good" if allowed >= 100 else "note", text=text, mend="widen rtp, or raise `ulimit -n`")


LOOKS: tuple[Callable[[Config, bool], Iterator[Finding]], ...] = (_ports, _address, _trunk, _voice, _handlers, _disk, _limits)
