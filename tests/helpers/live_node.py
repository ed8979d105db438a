"""A whole node as a process, as `outdial up` starts it, in front of whatever a test names as its trunk.

`with LiveNode(folder, handler=source, trunk=peer.address) as node:` waits until calls are taken. `node.place()` calls;
`node.finished(call)` waits for the CDR and gives the call's history; `node.kill()` is `kill -9`, `node.start()` starts it again on the same
folder and ports.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from outdial.model.ids import CallId
from outdial.model.resources import CallHistory, CallSummary
from outdial.store import read
from outdial.store.folder import Layout

FROM = "+12065550100"
TO = "+12065550150"
SOURCE = Path(__file__).parent.parent.parent / "src"
START = "from outdial.cli import main; main()"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:{}"


class LiveNode:
    """One node, its data folder, an application of its own and a number to call from."""

    def __init__(
        self,
        folder: Path,
        *,
        handler: str | None = None,
        functions: Mapping[str, str] | None = None,
        trunk: str | None = None,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`handler` is the source of a Python module with `handler(event, context)`, served as the function `app`. `trunk` is a SIP
        URI; without one the built-in carrier is used."""
        self.folder = folder
        self.data = folder / "data"
        self.handler_file = folder / "app" / "app.py"
        self._functions = dict(functions or {})
        if handler is not None:
            self.handler_file.parent.mkdir(parents=True, exist_ok=True)
            self.handler_file.write_text(handler)
            self._functions.setdefault("app", f"python:{self.handler_file}:handler")
        self._trunk = trunk
        self._settings = dict(settings or {})
        self._environment = dict(environment or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "node.log"
        self.application = ""
        self.addresses: dict[str, Any] = {}

    # --- its life ---

    def start(self) -> None:
        """Start it and wait until `/readyz` says that calls are taken. A second start keeps the ports of the first."""
        http, sip = self.addresses.get("http", "http://127.0.0.1:0"), self.addresses.get("sip", "127.0.0.1:0")
        command = [sys.executable, "-P", "-c", START, "up", "--data", str(self.data), "--http", http.removeprefix("http://"), "--sip", sip]
        command += ["--carrier", self.addresses.get("carrier", "sip:127.0.0.1:0").removeprefix("sip:")]
        command += [part for name, spec in self._functions.items() for part in ("--function", f"{name}={spec}")]
        command += ["--trunk", self._trunk] if self._trunk is not None else []
        command += [part for name, value in self._settings.items() for part in ("--set", f"{name}={value}")]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OUTDIAL_"))}
        environment = {**kept, "PYTHONPATH": str(SOURCE), "NO_COLOR": "1", **self._environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._until(self._ready, "the node to be ready")
        self.addresses = Layout(self.data).running() or {}
        if not self.application:
            self._provision()

    def kill(self) -> None:
        """`kill -9`, and wait until it has gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self, number: int = signal.SIGTERM, within: float = 40.0) -> int:
        """Ask it to end, and give its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(within)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            if self.process is not None:
                self.process.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process is None:
            return
        for _ in range(60):  # two that arrive at once are one, and one lets calls go on
            if self.process.poll() is not None:
                return
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.25)
        self.process.kill()
        self.process.wait()
        assert kind is not None, "the node did not end within 15 s of being asked twice"

    # --- what a test does ---

    @property
    def pid(self) -> int:
        """The node's process."""
        assert self.process is not None
        return self.process.pid

    @property
    def http(self) -> str:
        """The API's address."""
        return str(self.addresses["http"])

    def client(self, tries: int = 1, **config: Any) -> Any:
        """An ordinary boto3 client with nothing changed but the endpoint and a development key; it sends a request so often at most."""
        return boto3.client(
            "chime-sdk-voice",
            endpoint_url=self.http,
            region_name="us-east-1",
            aws_access_key_id="outdial",
            aws_secret_access_key="outdial",
            config=Config(retries={"total_max_attempts": tries, "mode": "standard"}, **config),
        )

    def place(self, to: str = TO, from_: str = FROM, *, tries: int = 5, **more: Any) -> CallId:
        """Place a call through the AWS API. As any SDK it tries again when the answer is 503: a machine that is busy for a moment
        does not take calls."""
        answer = self.client(tries).create_sip_media_application_call(
            FromPhoneNumber=from_, ToPhoneNumber=to, SipMediaApplicationId=more.pop("application", self.application), **more
        )
        return CallId(answer["SipMediaApplicationCall"]["TransactionId"])

    def update(self, call: CallId, arguments: dict[str, str]) -> Any:
        """Ask for an update of a call in progress."""
        return self.client().update_sip_media_application_call(
            SipMediaApplicationId=self.application, TransactionId=call, Arguments=arguments
        )

    def history(self, call: CallId) -> CallHistory | None:
        """What is on record about a call; works on a stopped node's folder too."""
        with read.reading(Layout(self.data).database)() as connection:
            return read.history(connection, call)

    def on_record(self) -> list[CallSummary]:
        """Every call on record, newest first."""
        with read.reading(Layout(self.data).database)() as connection:
            return list(read.listed(connection, limit=100))

    def finished(self, call: CallId, within: float = 30.0) -> CallHistory:
        """Wait for the CDR."""
        return self.until(call, lambda history: history.cdr is not None, "its CDR", within)

    def until(self, call: CallId, reached: Any, what: str, within: float = 30.0) -> CallHistory:
        """Wait until the record of a call says so."""
        found: list[CallHistory] = []

        def look() -> bool:
            history = self.history(call)
            if history is not None and reached(history):
                found.append(history)
            return bool(found)

        self._until(look, what, within)
        return found[0]

    def events(self, history: CallHistory) -> list[dict[str, Any]]:
        """The events as the handler was given them."""
        return [json.loads(invocation.request) for invocation in history.invocations]

    # --- inside ---

    def _provision(self) -> None:
        client = self.client()
        name = next(iter(self._functions), "app")
        made = client.create_sip_media_application(AwsRegion="us-east-1", Name="tested", Endpoints=[{"LambdaArn": ARN.format(name)}])
        self.application = made["SipMediaApplication"]["SipMediaApplicationId"]
        client.create_phone_number_order(ProductType="SipMediaApplicationDialIn", E164PhoneNumbers=[FROM])

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        facts = Layout(self.data).running()
        if facts is None or facts.get("pid") != self.process.pid:
            return False
        try:
            with urllib.request.urlopen(f"{facts['http']}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _until(self, reached: Any, what: str, within: float = 30.0) -> None:
        end = time.monotonic() + within
        while not reached():
            if time.monotonic() > end:
                raise AssertionError(f"waited {within:.0f} s for {what}; the node's log ends:\n{self.log.read_text()[-3000:]}")
            select.select([], [], [], 0.02)
