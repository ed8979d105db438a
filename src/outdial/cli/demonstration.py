"""The demonstration: a node with embedded defaults, a program that uses the AWS API, and the call told from both of its ends.

The program runs by itself, with nothing of ours but an endpoint, a key and a Region in its environment. What the node does comes from
its own records as they are saved, what the called subscriber does from the carrier's story.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from ..errors import OutdialError
from . import output
from .listening import listeners, why_not
from .tale import Tale
from .up import check_holder

PROGRAM = "first_call.py"
HANDLER = "handlers/reminder.py"
NEEDED = (("boto3", "boto3"), ("espeakng_loader", "espeakng-loader"))
LONGEST_S = 180.0
COMMITTED_S = 30.0
READY_EVERY_S = 0.02
STARTS = 3


class Demonstration:
    """One demonstration in one data folder."""

    def __init__(self, data: Path, to: str) -> None:
        self._data = data
        self._to = to
        self._status = 1

    def run(self) -> int:
        """Start the node, have the call placed, tell it; the exit status. Raises `OutdialError` where it cannot begin."""
        for module, package in NEEDED:
            if find_spec(module) is None:
                raise OutdialError("extra_needed", what="The demo", package=package, extra="local")
        check_holder(self._data)
        live = import_module("outdial.node.live")
        with contextlib.ExitStack() as leave:
            log: list[TextIO] = []

            def write(line: str) -> None:
                if not log:  # the node has made the folder by now
                    log.append(leave.enter_context((self._data / "demo.log").open("w", buffering=1)))
                log[0].write(f"{line}\n")

            ended = self._start(live, write)
        return ended or self._status

    def _start(self, live: Any, write: Callable[[str], None]) -> int:
        """Run the node; once more where somebody took a port between our look and the node's."""
        for _ in range(STARTS - 1):
            try:
                return int(live.run(self._config(), self._tell, write))
            except OutdialError as error:
                if error.code != "port_taken":
                    raise
        return int(live.run(self._config(), self._tell, write))

    def _config(self) -> Any:
        """Defaults, whatever the environment and the folder say; another port where one is taken."""
        from ..config import load

        flags: dict[str, Any] = {"data": self._data, "function": {"reminder": f"python:{examples() / HANDLER}:handler"}}
        config = load(flags, file=Path(os.devnull), environment={})
        for _, address, kind, flag in listeners(config):
            if why_not(address, kind) is not None:
                flags[flag.removeprefix("--")] = f"{address.host}:0"
        return load(flags, file=Path(os.devnull), environment={})

    async def _tell(self, node: Any) -> None:
        http = node.addresses["http"]
        print(f"A node is up: the AWS API at {http}, SIP at {node.addresses['sip']}, a telephone network at {node.addresses['carrier']}.")
        print(f"Now {_near(examples() / PROGRAM)}, an ordinary boto3 program, calls {self._to} through it.\n", flush=True)
        while node.report.ready() is not None:
            await asyncio.sleep(READY_EVERY_S)
        tale = Tale(node.follow, node.folder.cache / "carrier.jsonl")
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            str(examples() / PROGRAM),
            self._to,
            env=_environment(http),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        placing = asyncio.ensure_future(program.communicate())
        telling = asyncio.ensure_future(tale.tell())
        try:
            said, complained = await asyncio.wait_for(asyncio.shield(placing), LONGEST_S)
            if program.returncode:
                print(complained.decode(errors="replace"), file=sys.stderr)
                raise OutdialError("program", program=PROGRAM, status=program.returncode)
            call = said.decode().split()[-1]
            ended = await asyncio.wait_for(telling, LONGEST_S)
            await self._finish(node, call)
            self._status = 0 if ended.result == "success" else 1
        finally:
            telling.cancel()
            if program.returncode is None:
                program.kill()
        if sys.stdin.isatty() and sys.stdout.isatty():
            _what_next(http, self._data)
            await asyncio.Event().wait()  # until Ctrl-C ends the node

    async def _finish(self, node: Any, call: str) -> None:
        """Write what remains of the call, and say where it is."""
        import msgspec

        from ..console.ladder import ladder

        history = await _whole(node, call)
        folder = node.folder.root / "demo"
        folder.mkdir(exist_ok=True, mode=0o700)
        cdr, drawn = folder / f"{call}.cdr.json", folder / f"{call}.ladder.txt"
        cdr.write_bytes(msgspec.json.format(msgspec.json.encode(history.cdr), indent=2) + b"\n")
        drawn.write_text(ladder(history, zone=None))
        print()
        for recording in history.recordings:
            output.facts([("recording", recording.path)])
        output.facts([("cdr      ", cdr), ("ladder   ", drawn)])
        sys.stdout.flush()


async def _whole(node: Any, call: str) -> Any:
    """The call's history once its CDR is committed: what is told as it happens is told a moment before that."""
    async with asyncio.timeout(COMMITTED_S):
        while (history := await node.store.resources.calls.get(call)) is None or history.cdr is None:
            await asyncio.sleep(0.01)
    return history


def examples() -> Path:
    """Where the example programs are: beside the package where it was installed, else in the repository."""
    package = Path(__file__).parent.parent
    inside, beside = package / "examples", package.parent.parent / "examples"
    return inside if inside.exists() else beside


def _environment(http: str) -> dict[str, str]:
    """The program's environment: ours, with an endpoint, a key and a Region, and nothing else of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OUTDIAL_", "BOTO"))}
    return kept | {
        "AWS_ENDPOINT_URL_CHIME_SDK_VOICE": http,
        "AWS_ACCESS_KEY_ID": "outdial",
        "AWS_SECRET_ACCESS_KEY": "outdial",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _near(path: Path) -> str:
    """A path as it is seen from here, where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _what_next(http: str, data: Path) -> None:
    there = f"--data {data}"
    outdial = "outdial" if shutil.which("outdial") else _near(Path(sys.argv[0]).absolute())
    python = "python" if find_spec("boto3") is not None and shutil.which("python") == sys.executable else _near(Path(sys.executable))
    print(
        f"""
The node stays up. In another terminal:

  {outdial} call +12065550161 {there}       a voicemail answers
  {outdial} call +12065550156 {there}       a busy line
  {outdial} calls ls {there}                what has been called
  {outdial} calls trace last {there}        the ladder of the last call
  AWS_ENDPOINT_URL_CHIME_SDK_VOICE={http} AWS_ACCESS_KEY_ID=outdial \\
    AWS_SECRET_ACCESS_KEY=outdial AWS_DEFAULT_REGION=us-east-1 {python} {_near(examples() / PROGRAM)}

docs/carrier.md lists who can be called. Change {_near(examples() / HANDLER)} and call again: it is reloaded.
Ctrl-C ends the node.""",
        flush=True,
    )
