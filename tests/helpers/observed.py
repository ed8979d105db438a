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


class Watch:
    """Every observer of a world; `lines` is its log at DEBUG. `world` is set once there is one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.metrics = Metrics()
        self.world: World | None = None
        legs = Legs()
        follow = Follow(legs)
        self.steps = follow.subscribe()
        record = SipRecord(self._save, self._wall, legs)
        log = Log(self.lines.append, self._wall, legs, level=Level.DEBUG, zone=UTC)
        self.observers = (legs, log, self.metrics, follow, record)

    def _wall(self, at: float) -> int:
        return self.world.wall(at) if self.world is not None else 0

    def _save(self, save: Any) -> None:
        assert self.world is not None
        self.world.pump.give("store", save, "record")

    def nothing_is_bare(self) -> None:
        """No line of the log shows a whole number or address."""
        for line in self.lines:
            assert not BARE_NUMBER.search(line), line
            assert not BARE_ADDRESS.search(line), line


class Observed:
    """A world with every observer; `lines` is its log at DEBUG."""

    def __init__(self, folder: Path, reply: Any, **others: Any) -> None:
        watch = Watch()
        self.lines, self.metrics, self.steps = watch.lines, watch.metrics, watch.steps
        self.world = watch.world = World(folder, reply, observers=watch.observers, **others)
        self.nothing_is_bare = watch.nothing_is_bare

    def history(self, placed: Any) -> CallHistory:
        """What is on record about a call."""
        assert isinstance(placed, Placed)
        with self.world.store.read() as connection:
            found = read.history(connection, placed.call)
        assert found is not None
        return found
