"""A world that is watched: log, metrics, SIP record and live steps, as a node has them. Any scenario can be run in one."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from typing import Any

from outdial.model.requests import Placed
from outdial.model.resources import CallHistory
from outdial.observe.follow import Follow
from outdial.observe.legs import Legs
from outdial.observe.line import Level
from outdial.observe.log import Log
from outdial.observe.metrics import Metrics
from outdial.observe.sip_record import SipRecord
from outdial.store import read
from outdial.testing.world import World

BARE_NUMBER = re.compile(r"\d{7,15}(?![\d*])")
BARE_ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b")


class Observed:
    """A world with every observer; `lines` is its log at DEBUG."""

    def __init__(self, folder: Path, reply: Any, **others: Any) -> None:
        self.lines: list[str] = []
        self.metrics = Metrics()
        legs = Legs()
        follow = Follow(legs)
        self.steps = follow.subscribe()
        worlds: list[World] = []

        def wall(at: float) -> int:
            return worlds[0].wall(at) if worlds else 0

        record = SipRecord(lambda save: worlds[0].pump.give("store", save, "record"), wall, legs)
        log = Log(self.lines.append, wall, legs, level=Level.DEBUG, zone=UTC)
        self.world = World(folder, reply, observers=(legs, log, self.metrics, follow, record), **others)
        worlds.append(self.world)

    def history(self, placed: Any) -> CallHistory:
        """What is on record about a call."""
        assert isinstance(placed, Placed)
        with self.world.store.read() as connection:
            found = read.history(connection, placed.call)
        assert found is not None
        return found

    def nothing_is_bare(self) -> None:
        """No line of the log shows a whole number or address."""
        for line in self.lines:
            assert not BARE_NUMBER.search(line), line
            assert not BARE_ADDRESS.search(line), line
