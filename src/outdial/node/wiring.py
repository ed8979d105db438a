"""Which output goes where: one table for the live node and for virtual time (DESIGN 2).

The cores of a node are `sip`, `calls`, `apps` and `children`; its ports are `api`, `engine`, `store`, `store.apps`, `work`, `workers`,
`udp`, `dns`, `record`, `notes` and `processes`. In virtual time `engine` is a core too, and the ports are simulated. No async here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from ..children import values as children
from ..media.values import SendPacket
from ..model import invocations, media, requests, work, workers
from ..sip import values as sip

Wire = tuple[str, Iterable[Any], str]

SESSION_EVENTS = get_args(sip.SessionEvent)
OWNER_COMMANDS = get_args(sip.OwnerCommand)
MEDIA_COMMANDS = get_args(media.Command)
MEDIA_EVENTS = (media.Ready, media.EngineGone, *get_args(media.StreamEvent), media.Load)
WORK = get_args(work.Work)

NODE: tuple[Wire, ...] = (
    ("sip", (sip.Transmit,), "udp"),
    ("sip", (sip.Resolve,), "dns"),
    ("sip", SESSION_EVENTS, "calls"),
    ("sip", (sip.Trace, sip.Malformed), "record"),
    ("calls", (requests.Placed, requests.Updated, requests.Refused, requests.Drained), "api"),
    ("calls", OWNER_COMMANDS, "sip"),
    ("calls", MEDIA_COMMANDS, "engine"),
    ("calls", (work.Save, work.Withdraw), "store"),
    ("calls", WORK, "work"),
    ("calls", (invocations.Invoke,), "apps"),
    ("calls", (work.Note,), "notes"),
    ("apps", (work.Save, work.Withdraw), "store.apps"),
    ("apps", get_args(workers.WorkerCommand), "workers"),
    ("apps", (*get_args(invocations.InvocationResult), invocations.FunctionState), "calls"),
    ("apps", (work.Note,), "notes"),
    ("children", get_args(children.ChildCommand), "processes"),
)

CARRIER: tuple[Wire, ...] = (
    ("sip", (sip.Transmit,), "udp"),
    ("sip", (sip.Resolve,), "dns"),
    ("sip", SESSION_EVENTS, "carrier"),
    ("sip", (sip.Trace, sip.Malformed), "record"),
    ("carrier", OWNER_COMMANDS, "sip"),
    ("carrier", MEDIA_COMMANDS, "engine"),
    ("carrier", (work.Prompt,), "work"),
)

ENGINE: tuple[Wire, ...] = (
    ("engine", (SendPacket,), "packets"),
    ("engine", MEDIA_EVENTS, "calls"),
)
"""Where the engine is a core of the pump (virtual time)."""


def routes(wires: Iterable[Wire], prefix: str = "") -> dict[tuple[str, type], str]:
    """The pump's table for these wires, each name with `prefix` before it (two wirings can share one pump)."""
    table: dict[tuple[str, type], str] = {}
    for source, kinds, destination in wires:
        for kind in kinds:
            table[prefix + source, kind] = prefix + destination
    return table
