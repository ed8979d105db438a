"""The history of a call as text: everything that left us, in order, whole. Kept under `golden/`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from outdial.sip.message import Request, Response
from outdial.testing.ladder import Ladder
from outdial.testing.ladder_text import Scenario

from .scenarios import ALL

GOLDEN = Path(__file__).parent / "golden"
KEPT = (
    "calls: a call is answered, hears a tone and is hung up",
    "calls: the headers of the request go out as given, and the handler does not see them",
    "calls: nobody answers within 90 s: CANCEL, HANGUP 480",
    "calls: a 200 crosses the CANCEL: ACK and BYE, and no CALL_ANSWERED",
    "calls: attributes of NEW_OUTBOUND_CALL are kept though its actions are ignored",
    "sip: two answers with different tags: the first wins, the other gets ACK and BYE",
    "sip: Record-Route: requests go by the route set",
    "digits: a prompt is played, digits come, the action reports them",
    "digits: too few digits: failure prompt, and the action fails after its last attempt",
    "digits: ReceiveDigits arms and is done; a match is DIGITS_RECEIVED",
    "recording: voicemail: alice hangs up while it runs",
    "recording: a bucket that refuses fails the action, and the recording is delivered later",
    "recording: RecordAudio reports in mid-list, and the list goes on",
    "lists: a failure in mid-list clears the rest",
    "updates: an update while a reply is awaited waits its turn",
    "handlers: the handler hangs, alice hangs up at 5 s: the callee's BYE is the cause",
    "handlers: a second bad reply in a row ends the call",
    "node: the engine dies while alice's phone rings",
    "node: a drain: no new calls, calls in progress get 20 s, then BYE",
)
"""Scenarios whose histories are kept: at least one for each event type and each way to end."""


def named(name: str) -> Scenario:
    """A scenario by file and title."""
    return next(scenario for file, scenario in ALL if f"{file}: {scenario.title}" == name)


def file_of(name: str) -> Path:
    """Where a history is kept."""
    return GOLDEN / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".txt")


def history(name: str, folder: Path) -> str:
    """Run a scenario, and tell what left us."""
    ladder = Ladder(named(name), folder)
    began = ladder.world.now
    world = ladder.run()
    lines = [f"# {name}"]
    for item in world.happened:
        lines.append(f"{item.at - began:9.3f}  us > {item.destination} {item.what}{' again' if item.again else ''}")
        if isinstance(item.item, dict):
            lines += ["           " + line for line in json.dumps(item.item, indent=1, ensure_ascii=False).splitlines()]
        elif isinstance(item.item, Request | Response):
            lines += ["           " + line for line in item.item.encode().decode().replace("\r\n", "\n").rstrip("\n").splitlines()]
    end = world.cdrs[0]
    lines.append(f"ends: {end.termination.who}, {end.termination.result}, {end.termination.reason}: {end.termination.detail}")
    lines.append(
        f"      {end.invocations} invocations, {end.packets_sent} packets sent, {end.packets_received} received, {end.billable_seconds} s"
    )
    return without_chance("\n".join(lines) + "\n")


_DRAWN = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=branch=z9hG4bK)[0-9a-f]+|(?<=tag=)[0-9a-f]{8,}|(?<=Call-ID: )\S+|(?<=o=- )\d+"
)


def without_chance(text: str) -> str:
    """What was drawn at random (ids, tags, branches) by the order of its first appearance: how it is drawn is nobody's business."""
    names: dict[str, str] = {}
    return _DRAWN.sub(lambda found: names.setdefault(found[0], f"<{len(names) + 1}>"), text)
