"""Many calls of one live node at once, each to a SIPp of its own: all calls of a test module take as long as the longest.

Each call carries its plan: what the handler answers to which event.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from helpers.between import Between, Held, Lost
from helpers.live_node import LiveNode
from helpers.sipp import CAN_PLAY, Sipp, Verdict
from outdial.model.resources import CallHistory
from outdial.sip.parse import parse

HANDLER = '''
"""Keeps the plan that came with the call, and answers each event with what it says: by kind, or by kind and type of action."""
import json


def handler(event, context):
    kind, data = event["InvocationEventType"], event.get("ActionData") or {}
    if kind == "NEW_OUTBOUND_CALL":
        return {"SchemaVersion": "1.0", "TransactionAttributes": {"plan": data["Parameters"]["Arguments"]["plan"]}, "Actions": []}
    plan = json.loads(event["CallDetails"]["TransactionAttributes"]["plan"])
    actions = plan.get(kind + " " + data.get("Type", ""), plan.get(kind, []))
    return {"SchemaVersion": "1.0", "Actions": actions}
'''

Action = dict[str, Any]


def action(kind: str, **parameters: Any) -> Action:
    """One action of a reply."""
    return {"Type": kind, "Parameters": parameters}


def pause(ms: int) -> Action:
    return action("Pause", DurationInMilliseconds=ms)


HANG_UP = action("Hangup", SipResponseCode="0")
LISTEN = action(
    "ReceiveDigits", InputDigitsRegex="^[0-9*#]+$", InBetweenDigitsDurationInMilliseconds=600, FlushDigitsDurationInMilliseconds=20000
)
SHORT: dict[str, list[Action]] = {"CALL_ANSWERED": [pause(400), HANG_UP]}
HEARS: dict[str, list[Action]] = {"CALL_ANSWERED": [LISTEN], "DIGITS_RECEIVED": [HANG_UP]}


def record(seconds: int, **more: Any) -> Action:
    """Record so long, into the bucket `voice`."""
    destination = {"Type": "S3", "BucketName": "voice"}
    return action("RecordAudio", DurationInSeconds=seconds, RecordingTerminators=["#"], RecordingDestination=destination, **more)


RECORDS: dict[str, list[Action]] = {"CALL_ANSWERED": [record(2)], "ACTION_SUCCESSFUL RecordAudio": [HANG_UP]}
LISTENS_LONG: dict[str, list[Action]] = {"CALL_ANSWERED": [pause(1500), HANG_UP]}


@dataclass(kw_only=True)
class Case:
    """One call: what the callee does, what the application does, what is lost between them."""

    steps: tuple[str, ...]
    plan: Mapping[str, list[Action]] = field(default_factory=lambda: SHORT)
    rules: tuple[Lost | Held, ...] = ()
    loss: float = 0.0
    calls: int = 1
    """How many calls it is given, at once."""


@dataclass(kw_only=True)
class Ended:
    """How a call went, at both ends."""

    history: CallHistory
    verdict: Verdict
    events: list[dict[str, Any]]

    @property
    def kinds(self) -> list[str]:
        """The events that the handler was given."""
        return [str(event["InvocationEventType"]) for event in self.events]

    @property
    def code(self) -> int:
        """What HANGUP said."""
        assert self.events[-1]["InvocationEventType"] == "HANGUP"
        code: int = self.events[-1]["ActionData"]["Parameters"]["SipResponseCode"]
        return code

    @property
    def reason(self) -> str:
        assert self.history.cdr is not None
        return self.history.cdr.termination.reason

    @property
    def digits(self) -> list[str]:
        """What was reported as pressed."""
        return [event["ActionData"]["ReceivedDigits"] for event in self.events if "ReceivedDigits" in event.get("ActionData", {})]

    def sent(self, start: str, method: str = "") -> int:
        """How many messages that begin so we sent, by our record."""
        return _count(self.history, "sent", start, method)

    def received(self, start: str, method: str = "") -> int:
        """How many messages that begin so we received, by our record."""
        return _count(self.history, "received", start, method)

    def all_is_well(self) -> None:
        """SIPp has nothing to object to; the record is whole; our own parser finds nothing wrong with what we sent."""
        assert self.verdict.good, (self.verdict.code, self.verdict.errors[-1500:])
        assert self.history.cdr is not None
        assert [event["Sequence"] for event in self.events] == list(range(1, len(self.events) + 1))
        assert self.kinds.count("HANGUP") == 1
        assert self.kinds[-1] == "HANGUP"
        for row in self.history.sip:
            if row.way == "sent":
                assert not parse(row.message).fault, row.message


def _count(history: CallHistory, way: str, start: str, method: str) -> int:
    return sum(
        row.way == way and row.message.startswith(start.encode()) and f" {method}".encode() in row.message.partition(b"CSeq:")[2][:30]
        for row in history.sip
    )


def number(index: int) -> str:
    return f"+1206555{150 + index:04}"


def place(node: LiveNode, to: str, plan: Mapping[str, list[Action]]) -> Any:
    """Place a call that carries its plan."""
    return node.place(to, ArgumentsMap={"plan": json.dumps(plan, separators=(",", ":"))})


class _Ended(dict[str, "list[Ended]"]):
    """A call that was not made, since SIPp may not play captures here, skips the test that asks for it."""

    def __missing__(self, name: str) -> list[Ended]:
        if CAN_PLAY:
            raise KeyError(name)
        pytest.skip("SIPp needs root to play a capture")


def at_once(
    folder: Path,
    cases: Mapping[str, Case],
    settings: Mapping[str, str] | None = None,
    meanwhile: Callable[[LiveNode], None] = lambda node: None,
) -> dict[str, list[Ended]]:
    """Start a node and a SIPp for each case, place all calls, and wait until all have ended. `meanwhile` happens with all of them up."""
    ended = _Ended()
    cases = {name: case for name, case in cases.items() if CAN_PLAY or "play_pcap_audio" not in "".join(case.steps)}
    with ExitStack() as stack:
        network = stack.enter_context(Between())
        node = stack.enter_context(LiveNode(folder, handler=HANDLER, trunk=network.uri, settings=settings))
        peers, placed = {}, {}
        for index, (name, case) in enumerate(cases.items()):
            peers[name] = stack.enter_context(Sipp(folder / f"peer-{index}", case.steps, calls=case.calls, limit=40))
            network.connect(number(index), peers[name].address, *case.rules, loss=case.loss)
        for index, (name, case) in enumerate(cases.items()):
            placed[name] = [place(node, number(index), case.plan) for _ in range(case.calls)]
        meanwhile(node)
        for name, calls in placed.items():
            verdict = peers[name].wait()
            histories = [node.finished(call, within=45.0) for call in calls]
            ended[name] = [Ended(history=history, verdict=verdict, events=node.events(history)) for history in histories]
    return ended


class Ear:
    """A port of audio that only listens: what has arrived is read at the end, out of the kernel's buffer."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def heard(self) -> list[bytes]:
        """Every packet that has come."""
        out = []
        while True:
            try:
                out.append(self._socket.recv(4096))
            except BlockingIOError:
                return out

    def close(self) -> None:
        self._socket.close()
