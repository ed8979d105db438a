"""A whole node, and a telephone on the far side, on virtual time: the same cores and the same wiring, no sockets, no clock.

Time moves only when the world is told to go on, straight from one deadline to the next. A handler is a plain function of this process; its
reply arrives after a delay that the test sets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..apps.invocations import Invocations
from ..calls.control import Control
from ..carrier import Carrier, CarrierSettings, Heard, Subscriber, Told, tones
from ..core import Core, Pump
from ..io.ids import SeededIds
from ..io.media_files import MediaFiles
from ..media.engine import Engine
from ..model import media, requests, work, workers
from ..model.ids import ApplicationId, CallId, FunctionName, KeyId, Token
from ..model.settings import CallSettings, InvocationSettings, Trunk
from ..node import wiring
from ..sip import values as sip
from ..sip.endpoint import Endpoint
from ..store.memory import MemoryPort
from .lane import Lane, LanePorts
from .later import Arrival, Later
from .machine import Dead
from .network import Network, Party, Quality
from .softphone import Order, Softphone
from .studio import Studio

US = "192.0.2.1"
THEM = "198.51.100.1"
EPOCH_MS = 1_796_000_000_000
PORTS = (10000, 10999)
ENGINES = ("engine", "phone.engine")
TICK = 1e-9
"""So that what falls on the very end is done."""
FUNCTION = FunctionName("handler")
APPLICATION = requests.Application(
    id=ApplicationId("d408563b-4a60-4df7-bd59-82460adb1928"),
    name="tested",
    lambda_arn="arn:aws:lambda:us-east-1:000000000000:function:handler",
    function=FUNCTION,
)
Handler = Callable[[dict[str, Any]], Any]
"""Takes an event, gives a reply (or text, which is given as it is), or raises."""


class World:
    """One node with one function, one telephone, one seed. `folder` is where prompts, objects and recordings lie."""

    def __init__(
        self,
        folder: Path,
        handler: Handler,
        *,
        quality: Quality = Quality(),
        seed: int | str = 0,
        settings: CallSettings | None = None,
        invocations: InvocationSettings = InvocationSettings(),
        handler_delay: float = 0.0,
        store: MemoryPort | None = None,
        observers: Sequence[Callable[[str, str, Any, float], None]] = (),
        unfinished: Sequence[Any] = (),
        subscribers: Mapping[str, Subscriber] | None = None,
        handset: Core | None = None,
    ) -> None:
        """With `subscribers` the far side is the carrier with these; with `handset` it is a telephone with a SIP of its own (in `Datagram`
        and media events, out `Transmit` and media commands); else it is a telephone that obeys `order`."""
        self.now = 1000.0
        self.handler = handler
        self.handler_delay = handler_delay
        self.events: list[dict[str, Any]] = []
        """What the handler was given, in order."""
        self.told: list[Any] = []
        """What the API was answered."""
        self.notes: list[work.Note] = []
        self.traces: list[sip.Trace] = []
        self.arrived: list[tuple[float, str, Any]] = []
        self.folder = folder
        self.ids = SeededIds(f"node {seed}")
        recordings = folder / "recordings"
        recordings.mkdir(parents=True, exist_ok=True)
        if settings is None:
            settings = CallSettings(local_host=US, recordings=str(recordings), trunk=Trunk(name="trunk", uri=f"sip:{THEM}"))
        self.studio = Studio(folder)
        self.phone = Softphone(SeededIds(f"phone {seed}"), THEM)
        self.story: list[Told | Heard] = []
        """What the carrier's subscribers did and heard."""
        far: Core = self.phone
        if subscribers is not None:
            far = Carrier(SeededIds(f"phone {seed}"), subscribers, CarrierSettings(host=THEM))
        self.network = Network({US: Party(sip="sip", engine="engine"), THEM: Party(sip="phone.sip", engine="phone.engine")}, quality, seed)
        self.lane = Lane(self.network, self._overhear)
        self.lane.now = self.now
        self._settings, self._invocations, self._seed, self._lives = settings, invocations, seed, 1
        self.store = store if store is not None else MemoryPort()
        self.store.connect(self._stored)
        self._askers: dict[int, str] = {}
        cores: dict[str, Core] = {
            **self._node(),
            "phone.sip": Endpoint(SeededIds(f"phone sip {seed}"), sip.Address(host=THEM, port=5060)),
            "phone": far,
            "phone.engine": self._engine(SeededIds(f"phone engine {seed}"), "phone.engine"),
            "network": self.network,
        }
        ports = {
            "api": self._tell_api,
            "store": lambda item, now: self._store(item, "calls", now),
            "store.apps": lambda item, now: self._store(item, "apps", now),
            "work": self._work,
            "workers": self._workers,
            "udp": self._send_udp,
            "phone.udp": lambda item, now: self.pump.give("network", item),
            "dns": lambda item, now: self._resolve("sip", item),
            "phone.dns": lambda item, now: self._resolve("phone.sip", item),
            "packets": _past_the_lane,
            "phone.packets": _past_the_lane,
            "record": self._record,
            "phone.record": lambda item, now: None,
            "phone.work": self._prompt,
            "phone.story": lambda item, now: self.story.append(item),
            "notes": lambda item, now: self.notes.append(item),
            "switch": self._switch,
        }
        table = wiring.routes([wire for wire in wiring.NODE if wire[0] != "children"])
        table |= wiring.routes(wiring.ENGINE)
        theirs = wiring.routes([*(wire for wire in wiring.CARRIER if wire[0] == "sip"), *wiring.ENGINE], "phone.")
        table |= {key: "phone" if to in ("phone.carrier", "phone.calls") else to for key, to in theirs.items()}
        table |= wiring.routes([("phone", wiring.OWNER_COMMANDS, "phone.sip"), ("phone", wiring.MEDIA_COMMANDS, "phone.engine")])
        table |= wiring.routes([("phone", (work.Prompt,), "phone.work"), ("phone", (Told, Heard), "phone.story")])
        table |= wiring.routes([("network", (Arrival,), "switch"), ("later", (Arrival,), "switch")])
        if handset is not None:
            cores["phone.sip"] = handset
            del cores["phone"]
            table = {key: to for key, to in table.items() if key[0] not in ("phone", "phone.sip")}
            table = {key: "phone.sip" if to == "phone" else to for key, to in table.items()}
            table |= wiring.routes([("phone.sip", (sip.Transmit,), "phone.udp"), ("phone.sip", wiring.MEDIA_COMMANDS, "phone.engine")])
        self.pump: Pump = Pump(cores, ports, table, observers)
        self.pump.give("engine", media.Configure(addresses=(US,), ports=PORTS, seed=1))
        self.pump.give("phone.engine", media.Configure(addresses=(THEM,), ports=PORTS, seed=2))
        for item in unfinished:
            self.pump.give("calls", item)
        self.pump.fire(self.now)

    def _node(self) -> dict[str, Core]:
        """The cores of the node, new, with what handlers have not answered yet."""
        function = workers.FunctionSpec(name=FUNCTION, kind="python", target="virtual.py", handler="handler")
        self.later = Later()
        self.calls = Control(self.ids, self.wall, self._settings)
        self.apps = Invocations(self.ids, self.wall, self._invocations, (function,))
        return {
            "sip": Endpoint(self.ids, sip.Address(host=US, port=5060)),
            "calls": self.calls,
            "apps": self.apps,
            "engine": self._engine(self.ids, "engine"),
            "later": self.later,
        }

    def restart(self) -> None:
        """`kill -9` and the next start, both at this very moment: the far side, the network and the store are left, and nothing else."""
        self._lives += 1
        self.ids = SeededIds(f"node {self._seed} life {self._lives}", first=self.ids.last + 1_000_000)
        for name, core in self._node().items():
            self.pump.replace(name, core)
        self.pump.give("engine", media.Configure(addresses=(US,), ports=PORTS, seed=self._lives))
        for item in (*self.store.unfinished(), *self.store.undelivered()):
            self.pump.give("calls", item)
        self.pump.fire(self.now)

    def wall(self, at: float) -> int:
        """Epoch milliseconds of a moment."""
        return EPOCH_MS + round(at * 1000)

    # --- what a test does ---

    def place(
        self,
        to: str = "+12065550150",
        *,
        from_: str = "+12065550100",
        arguments: dict[str, str] | None = None,
        sip_headers: dict[str, str] | None = None,
        repeat: requests.RepeatKey | None = None,
    ) -> requests.Placed | requests.Refused:
        """Ask for a call, as the API would, and go on until it is answered."""
        facts = requests.Facts(from_owned=True, countries_owned=("US",), application=APPLICATION)
        request = requests.PlaceCall(
            token=Token(self.ids.number()),
            key=KeyId("outdial"),
            from_=from_,
            to=to,
            application=APPLICATION.id,
            sip_headers=sip_headers or {},
            arguments=arguments,
            repeat=repeat,
            facts=facts,
            started_at=self.wall(self.now),
        )
        self.give("calls", request)
        answer = self._answer(request.token)
        assert isinstance(answer, requests.Placed | requests.Refused)
        return answer

    def update(self, call: CallId, arguments: dict[str, str], application: ApplicationId = APPLICATION.id) -> Any:
        """Ask for an update of a call, and go on until it is answered."""
        request = requests.UpdateCall(token=Token(self.ids.number()), call=call, application=application, arguments=arguments)
        self.give("calls", request)
        return self._answer(request.token)

    def order(self, do: Any, **more: Any) -> None:
        """Let the telephone do something now."""
        self.give("phone", Order(do=do, **more))

    def kill_engine(self) -> None:
        """The node's media engine dies."""
        self.lane.put_engine("engine", None)
        self.pump.replace("engine", Dead())
        self.give("calls", media.EngineGone())

    def revive_engine(self) -> None:
        """It is started again."""
        self.pump.replace("engine", self._engine(self.ids, "engine"))
        self.give("engine", media.Configure(addresses=(US,), ports=PORTS, seed=1))

    def give(self, destination: str, item: Any) -> None:
        """Hand one input to a core, and go on with all that follows at this very moment."""
        self.pump.give(destination, item)
        self.pump.run(self.now)

    def go(self, seconds: float) -> None:
        """Let this much time pass."""
        self.until(lambda: False, within=seconds, must=False)

    def until(self, reached: Callable[[], object], *, within: float = 60.0, must: bool = True) -> None:
        """Let time pass until `reached` is true. Raises AssertionError when it is not within so many seconds of virtual time."""
        end = self.now + within
        pump, lane = self.pump, self.lane
        lane.now = self.now
        pump.fire(self.now)
        while not reached():
            deadline = pump.next_deadline(ENGINES)
            others = end + TICK if deadline is None else deadline.at
            if lane.run(min(others, end + TICK)):
                self.now = lane.now
                for name in ENGINES:
                    pump.take(name)
                pump.run(self.now)
            elif others > end:
                self.now = lane.now = end
                if must and not reached():
                    seen = [event["InvocationEventType"] for event in self.events]
                    raise AssertionError(f"not reached within {within} s; the handler saw {seen}")
                return
            else:
                self.now = lane.now = max(self.now, others)
                pump.fire(self.now)

    def saw(self, *types: str) -> Callable[[], bool]:
        """A condition: the handler has been given exactly these event types so far, at least."""
        return lambda: self.types[: len(types)] == list(types)

    @property
    def types(self) -> list[str]:
        """The event types that the handler was given, in order."""
        return [event["InvocationEventType"] for event in self.events]

    def _answer(self, token: Token) -> Any:
        self.until(lambda: any(item.token == token for item in self.told if hasattr(item, "token")), within=10.0)
        return next(item for item in self.told if getattr(item, "token", None) == token)

    def _engine(self, ids: SeededIds, name: str) -> Engine:
        ports = self.lane.ports(US if name == "engine" else THEM)
        engine = self._make_engine(ids, ports)
        self.lane.put_engine(name, engine)
        return engine

    def _make_engine(self, ids: SeededIds, ports: LanePorts) -> Engine:
        return Engine(ids, files=MediaFiles(), ports=ports, wall=self.wall, send=ports.send, seeded=SeededIds)

    def _overhear(self, engine: str, port: int, data: bytes, now: float) -> None:
        """A packet arrives at an engine."""

    # --- ports ---

    def _tell_api(self, item: Any, now: float) -> None:
        self.told.append(item)

    def _send_udp(self, item: sip.Transmit, now: float) -> None:
        self.pump.give("network", item)

    def _store(self, item: Any, asker: str, now: float) -> None:
        if isinstance(item, work.Save) and item.token:
            self._askers[item.token] = asker
        self.store.put(item, now)

    def _stored(self, results: Sequence[Any]) -> None:
        for result in results:
            token = getattr(result, "token", 0)
            self.pump.give(self._askers.pop(token, "calls"), result)

    def _record(self, item: Any, now: float) -> None:
        if isinstance(item, sip.Trace):
            self.traces.append(item)

    def _resolve(self, asker: str, item: sip.Resolve) -> None:
        host, _, port = item.uri.removeprefix("sip:").rpartition("@")[2].partition(";")[0].partition(":")
        targets = (sip.Address(host=host, port=int(port or 5060)),) if host[:1].isdigit() else ()
        self.pump.give(asker, sip.Resolved(token=item.token, targets=targets, detail="" if targets else f"{host} does not resolve"))

    def _work(self, item: work.Work, now: float) -> None:
        self.pump.give("calls", self.studio.do(item))

    def _prompt(self, item: work.Prompt, now: float) -> None:
        if isinstance(item.source, work.ObjectSource) and (data := tones.wav(item.source.key)) is not None:
            path = self.studio.object(item.source.bucket, item.source.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.pump.give("phone", self.studio.do(item))

    def _switch(self, item: Arrival, now: float) -> None:
        self.pump.give(item.destination, item.item)

    def _workers(self, item: workers.WorkerCommand, now: float) -> None:
        match item:
            case workers.StartWorker():
                self.pump.give("apps", workers.WorkerReady(worker=item.worker))
            case workers.KillWorker():
                self.pump.give("apps", workers.WorkerExited(worker=item.worker, status=-9))
            case workers.GiveEvent():
                event = json.loads(item.text)
                self.events.append(event)
                answer: Any
                try:
                    reply = self.handler(event)
                    text = reply if isinstance(reply, str) else json.dumps(reply)
                    answer = workers.WorkerReply(worker=item.worker, id=item.id, text=text)
                except Exception as error:
                    answer = workers.WorkerError(worker=item.worker, id=item.id, error_type=type(error).__name__, message=str(error))
                self.pump.give("later", Arrival(destination="apps", item=answer, after=self.handler_delay))


def _past_the_lane(item: Any, now: float) -> None:
    raise AssertionError(f"audio goes by the lane: {item}")
