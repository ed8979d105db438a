"""A world with a handset that a ladder can watch and disturb: what happens is noted, replies wait until they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..io.ids import SeededIds
from ..media.engine import Engine
from ..model import requests, work, workers
from ..model.ids import KeyId, Token
from ..model.records import Cdr
from ..model.settings import CallSettings, InvocationSettings
from ..sip import values as sip
from ..sip.message import Request, Response
from .handset import Handset
from .hearing import Hearing, Stretch, in_file
from .lane import LanePorts
from .network import Quality
from .shorthand import PROMPTS
from .studio import tone
from .troubles import FillingFiles, TroubledEngine
from .world import APPLICATION, THEM, Handler, World

TWO = "two.example.com"
"""A name with two addresses, both of alice's network."""
SECOND = "198.51.100.2"


@dataclass(slots=True, kw_only=True)
class Happening:
    """Something that `us` did, until a line tells it."""

    at: float
    destination: str
    what: str
    """What a line calls it: a method, a status, an event type."""
    item: Any
    optional: bool = False
    """It may go untold."""
    again: bool = False
    """A repeat of an earlier message."""
    told: bool = False


@dataclass(slots=True, kw_only=True)
class Given:
    """An event that the handler has and has not answered."""

    give: workers.GiveEvent
    event: dict[str, Any]
    reply: Any = None
    """What a real handler said (text), or its exception."""


class LadderWorld(World):
    """`script` says which givings (by number, from 0) wait for a line that answers them."""

    def __init__(
        self,
        folder: Path,
        *,
        handler: Handler | None,
        scripted: frozenset[int],
        settings: CallSettings,
        invocations: InvocationSettings,
        quality: Quality = Quality(),
        seed: int | str = 0,
        observers: Sequence[Callable[[str, str, Any, float], None]] = (),
    ) -> None:
        self.happened: list[Happening] = []
        self.hearing = Hearing()
        self.held: Given | None = None
        self.cdrs: list[Cdr] = []
        self.given = 0
        self.texts: list[tuple[str, str]] = []
        """The JSON of each event as it was given, and of what the handler is to answer it with."""
        self.refusing: bool | str = False
        """The network refuses what is sent, to all or to a host."""
        self.loses: list[tuple[str, int]] = []
        """Messages to be lost: start of the request's method or the status, how many."""
        self.object_faults: dict[str, str] = {}
        self.waits_for_lines = False
        """No event is answered before a line answers it."""
        self.files = FillingFiles()
        self._engines: list[TroubledEngine] = []
        self.work_waits = self.dns_waits = self.workers_wait = self.withdraws_late = False
        self._lying: list[tuple[str, Any]] = []
        """What is given when its port goes on."""
        self._real = handler
        self._scripted = scripted
        handset = Handset(SeededIds(f"handset {seed}"), THEM, self._arrived)
        self.handset = handset
        super().__init__(
            folder,
            handler or (lambda event: {}),
            quality=quality,
            seed=seed,
            settings=settings,
            invocations=invocations,
            observers=observers,
            handset=handset,
        )
        self.network.drop = self._drop
        self.network.parties[SECOND] = self.network.parties[THEM]

    # --- what happens ---

    def _note(self, destination: str, what: str, item: Any, *, optional: bool = False, again: bool = False) -> None:
        self.happened.append(Happening(at=self.now, destination=destination, what=what, item=item, optional=optional, again=again))

    def _arrived(self, message: Request | Response, again: bool, now: float) -> None:
        if isinstance(message, Request):
            self._note("alice", message.method, message, optional=again or message.method == "ACK", again=again)
        else:
            asked = message.get("cseq").split()[-1]
            optional = again or message.status == 100 or (asked != "INVITE" and message.status == 200)
            self._note("alice", str(message.status), message, optional=optional, again=again)

    def _overhear(self, engine: str, port: int, data: bytes, now: float) -> None:
        if engine == "phone.engine" and not port & 1:
            self.hearing.hear(data, now)

    def _tell_api(self, item: Any, now: float) -> None:
        self.told.append(item)
        match item:
            case requests.Placed():
                self._note("app", "201", item, optional=True)
            case requests.Updated():
                self._note("app", "202", item, optional=True)
            case requests.Drained():
                self._note("app", "drained", item, optional=True)
            case requests.Refused():
                self._note("app", "refused", item)

    def _make_engine(self, ids: SeededIds, ports: LanePorts) -> Engine:
        engine = TroubledEngine(ids, files=self.files, ports=ports, wall=self.wall, send=ports.send, seeded=SeededIds)
        self._engines.append(engine)
        return engine

    @property
    def engine(self) -> TroubledEngine:
        """The node's engine: the first, or the one that took its place."""
        engines = self._engines
        return engines[0] if len(engines) == 2 else engines[-1]

    def _resolve(self, asker: str, item: sip.Resolve) -> None:
        host = item.uri.rpartition("@")[2].removeprefix("sip:")
        if asker == "sip" and self.dns_waits:
            self._lying.append(("sip", sip.Resolved(token=item.token, targets=(), detail="it does not answer")))
        elif host == TWO:
            self.pump.give(
                asker, sip.Resolved(token=item.token, targets=(sip.Address(host=SECOND, port=5060), sip.Address(host=THEM, port=5060)))
            )
        else:
            super()._resolve(asker, item)

    def go_on(self, destination: str) -> None:
        """A port that waited goes on."""
        lying, self._lying = self._lying, []
        for to, item in lying:
            if to == destination:
                self.pump.give(to, item)
            else:
                self._lying.append((to, item))

    def _store(self, item: Any, asker: str, now: float) -> None:
        if self.withdraws_late and isinstance(item, work.Withdraw):
            return
        if isinstance(item, work.Save):
            self.cdrs += [record for record in item.unit if isinstance(record, Cdr)]
        super()._store(item, asker, now)

    def _work(self, item: work.Work, now: float) -> None:
        if self.work_waits:
            self._lying.append(("work", item))
            return
        match item:
            case work.Prompt(source=work.ObjectSource(bucket=bucket, key=key)):
                if (fault := self.object_faults.get(key)) is not None:
                    self.pump.give("calls", work.WorkFailed(token=item.token, reason=fault, detail=f"{bucket}/{key}: {fault}"))
                    return
                if bucket == PROMPTS and (made := toned(key)) is not None and not self.studio.object(bucket, key).exists():
                    tone(self.studio.object(bucket, key), *made)
            case work.Prompt() if (fault := self.object_faults.get("speech")) is not None:
                self.pump.give("calls", work.WorkFailed(token=item.token, reason=fault, detail=fault))
                return
            case work.Deliver() if not self.studio.fail_deliveries:
                self._note("bucket", f"{item.bucket}/{item.key}", item, optional=True)
        super()._work(item, now)

    # --- the handler ---

    def _workers(self, item: workers.WorkerCommand, now: float) -> None:
        if self.workers_wait and isinstance(item, workers.StartWorker):
            self._lying.append(("workers", item))
            return
        if not isinstance(item, workers.GiveEvent):
            if isinstance(item, workers.KillWorker) and self.held is not None and self.held.give.worker == item.worker:
                self.held = None
            super()._workers(item, now)
            return
        event = json.loads(item.text)
        self.events.append(event)
        given = Given(give=item, event=event)
        if self._real is not None:
            try:
                reply = self._real(event)
                given.reply = reply if isinstance(reply, str) else json.dumps(reply)
            except Exception as error:
                given.reply = error
        else:
            given.reply = json.dumps({"SchemaVersion": "1.0", "Actions": []})
        self._note("handler", event["InvocationEventType"], event)
        number, self.given = self.given, self.given + 1
        self.held = given
        if number not in self._scripted and not self.waits_for_lines:
            self.answer(given.reply)

    def answer(self, reply: Any) -> None:
        """Let the handler answer what it has: text, an exception, or `None` for a process that dies."""
        given, self.held = self.held, None
        assert given is not None
        give = given.give
        answer: Any
        if reply is None:
            answer = workers.WorkerExited(worker=give.worker, status=-11)
        elif isinstance(reply, Exception):
            answer = workers.WorkerError(worker=give.worker, id=give.id, error_type=type(reply).__name__, message=str(reply))
        else:
            answer = workers.WorkerReply(worker=give.worker, id=give.id, text=reply)
        self.texts.append((give.text, "" if not isinstance(reply, str) else reply))
        self.give("apps", answer)

    # --- the network ---

    def _send_udp(self, item: sip.Transmit, now: float) -> None:
        if self.refusing is True or item.destination.host == self.refusing:
            self.pump.give("sip", sip.TransportFailed(destination=item.destination, detail="connection refused"))
        else:
            self.pump.give("network", item)

    def _drop(self, data: bytes, source: str, destination: str) -> bool:
        line = data[:40].decode("ascii", "replace")
        what = line[8:11] if line.startswith("SIP/2.0") else line.split(" ")[0]
        for index, (name, left) in enumerate(self.loses):
            if name == what and left:
                self.loses[index] = (name, left - 1)
                return True
        return False

    # --- what the ladder does ---

    def place_now(self, to: str, from_: str, arguments: dict[str, str] | None, headers: dict[str, str], facts: dict[str, Any]) -> None:
        """Ask for a call, and do not wait for the answer."""
        known = requests.Facts(
            from_owned=facts.get("owned", True),
            countries_owned=tuple(str(facts.get("countries", "US")).split(",")),
            application=None if facts.get("application") == "-" else APPLICATION,
        )
        self.give(
            "calls",
            requests.PlaceCall(
                token=Token(self.ids.number()),
                key=KeyId("outdial"),
                from_=from_,
                to=to,
                application=APPLICATION.id,
                sip_headers=headers,
                arguments=arguments,
                facts=known,
                started_at=self.wall(self.now),
            ),
        )

    def recorded(self, item: work.Deliver) -> list[Stretch]:
        """What is to be heard in a delivered recording."""
        return in_file(self.studio.object(item.bucket, item.key))


@lru_cache(maxsize=1024)
def toned(key: str) -> tuple[float, float] | None:
    """Hertz and seconds of a prompt whose name says them, as `tone-440.wav` (1 s) and `tone-440-2.5s.wav` do."""
    name = key.removesuffix(".wav")
    if not key.endswith(".wav") or not name.startswith("tone-"):
        return None
    hertz, _, seconds = name.removeprefix("tone-").partition("-")
    try:
        return float(hertz), float(seconds.removesuffix("s") or 1.0)
    except ValueError:
        return None
