"""A node: every core and port of the wiring on one event loop, from the lock on its data folder to the last process that it ends.

Order of a start: folder, sockets, store, cores, engine, what an earlier run left unfinished, HTTP last. The order of an end is the reverse.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .. import __version__
from ..api.app import make_app, make_malformed
from ..api.context import ApiSettings, NumberPool, RequestSeen
from ..apps.invocations import Invocations
from ..calls.control import Control
from ..children.children import Children
from ..children.values import Unwant, Want
from ..config import Config
from ..core import Core, Observer, Port, Pump
from ..errors import DataFolderError, OutdialError
from ..io import clock
from ..io.credentials import in_files
from ..io.dns import SipDns
from ..io.file_watch import FileWatch
from ..io.handlers import Handlers
from ..io.http import HttpServer
from ..io.ids import LiveIds
from ..io.live_pump import LivePump
from ..io.media_client import MediaClient
from ..io.objects import LocalObjects, Objects, S3Objects
from ..io.sip_udp import SipUdp
from ..io.speech_client import SpeechClient
from ..io.work import Workshop
from ..model.ids import KeyId, Token
from ..model.numbers import mask_all
from ..model.records import SequenceBase
from ..model.requests import Drain
from ..model.settings import Trunk
from ..model.work import MachineState, Save
from ..observe.follow import Follow
from ..observe.legs import Legs
from ..observe.line import Level
from ..observe.log import Bridge, Log
from ..observe.metrics import Metrics
from ..observe.sip_record import SipRecord
from ..sip.endpoint import Endpoint
from ..store.folder import Folder, FolderError
from ..store.store import Store
from . import wiring
from .asks import Asks
from .functions import Functions
from .notes import Notes
from .processes import Carrier, Engine, Processes
from .report import Report
from .sockets import address, bind

COUNTER_BLOCK = 1_000_000
"""Numbers of the node's counter that are reserved at a time: those of a later run are above all of this one's."""
LAG_EVERY_S = 0.25


class Node:
    """Made by `start`; `drain` and `stop` end it."""

    def __init__(self, config: Config, wall: clock.Wall, write_log: Callable[[str], None]) -> None:
        self.config = config
        self.legs = Legs()
        self.log = Log(write_log, wall, self.legs, level=Level[LEVELS[config.log]])
        self.wall = wall
        self.metrics = Metrics()
        self.follow = Follow(self.legs)
        self.wish_to_end: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """Set to the seconds of a drain when somebody asks over the API."""
        self.pump: LivePump
        self._exit = contextlib.AsyncExitStack()

    @classmethod
    async def start(cls, config: Config, write_log: Callable[[str], None]) -> Node:
        """Start everything. Raises `OutdialError`; what had been started until then is ended again."""
        wall = clock.Wall()
        node = cls(config, wall, write_log)
        try:
            await node._start()
        except BaseException:
            await node._exit.aclose()
            raise
        return node

    async def _start(self) -> None:
        config, loop, leave = self.config, asyncio.get_running_loop(), self._exit
        bridge = Bridge(self.log, clock.now)
        _logging(bridge, leave)
        try:
            self.folder = Folder.hold(config.data)
        except FolderError as error:
            raise DataFolderError(str(error), error.hint) from None
        leave.callback(self.folder.release)
        self.http = bind("HTTP", "--http", config.http, socket.SOCK_STREAM)
        leave.callback(self.http.close)
        self.sip = bind("SIP", "--sip", config.sip, socket.SOCK_DGRAM)
        leave.callback(self.sip.close)
        carrier_socket = bind("The built-in carrier", "--carrier", config.carrier, socket.SOCK_DGRAM) if config.builtin_carrier else None
        if carrier_socket is not None:
            leave.callback(carrier_socket.close)
        try:
            self.store = Store.open(self.folder.database, report=self._report)
        except FolderError as error:
            raise DataFolderError(str(error), error.hint) from None
        leave.callback(self.store.close)
        if not config.http.loopback and not any(row.active for row in self.store.resources.keys.list()):
            raise OutdialError("keys_needed", address=str(config.http))
        self.ids = LiveIds(self.store.sequence_base() + 1)
        self._reserved = 0
        local_host = address(self.sip).host if config.advertise is None else config.advertise
        self.addresses = {"http": f"http://{address(self.http)}", "sip": str(address(self.sip)), "rtp": str(config.rtp)}
        """What the node listens on, for people and for `node.json`."""
        trunk = config.trunk_settings()
        if carrier_socket is not None:
            trunk = msgspec.structs.replace(trunk, uri=f"sip:{address(carrier_socket)}")
            self.addresses["carrier"] = trunk.uri
        self.trunk: Trunk = trunk
        calls = msgspec.structs.replace(config.call_settings(), trunk=trunk, local_host=local_host, recordings=str(self.folder.recordings))
        self.control = Control(self.ids, self.wall, calls)
        self.endpoint = Endpoint(
            self.ids, _sip_address(self.sip), user_agent=f"Outdial/{__version__}", advertise=config.advertise, refuse_incoming=None
        )
        self.children = Children()
        watch = FileWatch(lambda item: self.pump.give("apps", item), loop) if self._reload else None
        if watch is not None:
            leave.push_async_callback(watch.close)
        specs = config.function_specs()
        self.functions = Functions(specs, lambda item: self.pump.give("apps", item), watch)
        self.invocations = Invocations(self.ids, self.wall, self._invocation_settings(), specs)
        await self._assemble(loop, carrier_socket)
        await self._listen()

    @property
    def _reload(self) -> bool:
        return self.config.reload if self.config.reload is not None else self.config.http.loopback

    def _invocation_settings(self) -> Any:
        config, keys = self.config, self.store.resources.keys.list()
        development = config.http.loopback
        key = None if development else next((row for row in keys if row.active), None)
        return msgspec.structs.replace(
            config.invocation_settings(),
            environment=dict(os.environ),
            endpoint=f"http://{address(self.http)}",
            access_key="" if in_files(os.environ) else DEVELOPMENT_KEY if development else (key.id if key is not None else ""),
            secret_key=DEVELOPMENT_KEY if development else (key.secret if key is not None else ""),
            region=config.region,
            account=config.account,
        )

    async def _assemble(self, loop: asyncio.AbstractEventLoop, carrier_socket: socket.socket | None) -> None:
        config, leave = self.config, self._exit
        self.asks = Asks(lambda: self.pump, self._before_first_call)
        self.engine = Engine(lambda on_events: MediaClient(config.engine_settings(), on_events), self._give)
        leave.push_async_callback(self.engine.client.close)
        children: dict[Any, Engine | Carrier] = {"engine": self.engine}
        if carrier_socket is not None:
            self.carrier = children["carrier"] = Carrier(carrier_socket, self._carrier_arguments(), self._give)
        self.processes = Processes(children)
        self.handlers = Handlers(lambda item: self.pump.give("apps", item), loop, proxy=config.http_proxy, ca_file=_text(config.ca_file))
        leave.push_async_callback(self.handlers.close)
        udp = SipUdp(loop, lambda item: self.pump.give("sip", item), self.sip)
        leave.callback(udp.close)
        dns = SipDns(loop, lambda item: self.pump.give("sip", item), self.ids.bits)
        notes = Notes(self._give, self.wall)
        speech = SpeechClient()
        leave.push_async_callback(speech.close)
        workshop = Workshop(
            self._objects(),
            speech,
            self.folder.cache,
            give=lambda item: self.pump.give("calls", item),
            note=lambda note: self._give("notes", note),
        )
        leave.push_async_callback(workshop.close)
        to_calls, to_apps = self._from_store("calls"), self._from_store("apps")
        self.store.connect(to_calls)
        ports: dict[str, Port] = {
            "api": self.asks.put,
            "engine": lambda item, now: self.engine.client.submit([item]),
            "store": self._keep_counter(self.store.put),
            "store.apps": self.store.port(to_apps),
            "work": workshop.put,
            "workers": self.handlers.put,
            "udp": udp.put,
            "dns": dns.put,
            "record": lambda item, now: None,
            "notes": notes.put,
            "processes": self.processes.put,
        }
        cores: dict[str, Core] = {"sip": self.endpoint, "calls": self.control, "apps": self.invocations, "children": self.children}
        self.report = Report(
            config,
            self.addresses,
            metrics=self.metrics.render,
            child=lambda name: self.children.state(name, clock.now()),
            pids=self.processes.pids,
            end=self._ask_to_end,
        )
        record = SipRecord(lambda save: self.pump.pump.give("store", save, "record"), self.wall, self.legs)
        observers: list[Observer] = [self.legs, self.log, self.metrics, self.follow, record, self.functions, self.report]
        self.pump = LivePump(Pump(cores, ports, wiring.routes(wiring.NODE), observers, self._fault), loop)
        leave.callback(self.pump.close)
        self._reserve()
        self._give("children", Want(child="engine"))
        unfinished = self.store.unfinished()
        if unfinished:
            self._before_first_call()  # the far side of those calls: it died with them, and says so
        for item in (*unfinished, *self.store.undelivered()):
            self._give("calls", item)
        self._lag = loop.create_task(self._watch_lag())
        leave.callback(self._lag.cancel)

    def _objects(self) -> Objects:
        config = self.config
        if config.s3 or config.aws or os.environ.get("AWS_ENDPOINT_URL_S3"):
            return S3Objects(config.s3)
        return LocalObjects(self.folder.buckets)

    async def _listen(self) -> None:
        config = self.config
        settings = ApiSettings(
            account=config.account,
            limits=config.limits,
            loopback=config.http.loopback,
            pool=tuple(NumberPool(first=pool.first, last=pool.last) for pool in config.numbers),
            objects=f"at {config.s3}" if config.s3 else f"in folders, {self.folder.buckets}/BUCKET/KEY",
        )
        app = make_app(
            resources=self.store.resources,
            control=self.asks,
            functions=self.functions,
            follow=self.follow,
            node=self.report,
            ids=self.ids,
            now=clock.now,
            wall=self.wall,
            settings=settings,
            watch=self._request_seen,
        )
        server = HttpServer(app, self.http, make_malformed(self.ids))
        await server.start()
        self._exit.push_async_callback(server.stop)
        self.folder.announce({"version": __version__, **self.addresses})

    # --- ending ---

    async def drain(self, within: float) -> None:
        """Take no new calls, let those in progress end within so many seconds, hang up what is left; at most 5 s more."""
        self.log.line(Level.INFO, "node", "-", "draining", clock.now(), within=f"{within:g}s")
        self.asks.drained.clear()
        self._give("calls", Drain(within=within))
        await self.asks.drained.wait()

    def hang_up_now(self) -> None:
        """While a drain is under way: end every call at once."""
        self._give("calls", Drain(within=0.0))

    async def stop(self) -> None:
        """End everything that was started, last first."""
        self._give("children", Unwant(child="engine"))
        await self._exit.aclose()

    # --- the rest ---

    def _give(self, destination: str, item: Any) -> None:
        self.pump.give(destination, item)

    def _before_first_call(self) -> None:
        if self.config.builtin_carrier:
            self._give("children", Want(child="carrier"))

    def _ask_to_end(self, within: float) -> None:
        if not self.wish_to_end.done():
            self.wish_to_end.set_result(within)

    def _carrier_arguments(self) -> Sequence[str]:
        config = self.config
        arguments = ["--rtp", str(config.carrier_rtp), "--cache", str(self.folder.cache)]
        if config.subscribers is not None:
            arguments += ["--subscribers", str(config.subscribers)]
        return arguments

    def _from_store(self, destination: str) -> Callable[[Sequence[Any]], None]:
        loop = asyncio.get_running_loop()

        def give(results: Sequence[Any]) -> None:
            for result in results:
                self.pump.give(destination, result, "store")

        def deliver(results: Sequence[Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(give, results)

        return deliver

    def _keep_counter(self, put: Callable[[Any, float], None]) -> Callable[[Any, float], None]:
        def port(item: Any, now: float) -> None:
            if self.ids.last > self._reserved - COUNTER_BLOCK // 2:
                self._reserved = self.ids.last + COUNTER_BLOCK
                put(Save(token=Token(0), unit=(SequenceBase(last=self._reserved),)), now)
            put(item, now)

        return port

    def _reserve(self) -> None:
        self._give("store", Save(token=Token(0), unit=()))

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_EVERY_S)
            lag = 1000 * (loop.time() - before - LAG_EVERY_S)
            if self.report.calls or lag > 20:
                self._give("calls", MachineState(loop_lag_ms=lag))

    def _request_seen(self, request: RequestSeen) -> None:
        level = Level.WARN if request.status >= 500 else Level.INFO if request.status >= 400 else Level.DEBUG
        what = f"{request.operation or request.method} {request.status}"
        facts: dict[str, Any] = {"request": request.request_id[:6], "took": f"{1000 * request.seconds:.1f}ms"}
        if request.error:
            facts |= {"error": request.error, "message": request.message}
        self.log.line(level, "api", "x" if request.status >= 400 else "<", what, clock.now(), **facts)

    def _fault(self, where: str, item: Any, error: Exception) -> None:
        """Something of ours raised: the input is lost, everything else goes on."""
        frames = reversed(traceback.extract_tb(error.__traceback__)[-5:])
        trace = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
        what = f"a fault of ours at {type(item).__name__}: {type(error).__name__}: {mask_all(str(error))}"
        self.log.line(Level.ERROR, where, "x", what, clock.now(), at=trace)

    def _report(self, text: str) -> None:
        self.log.line(Level.ERROR, "store", "x", text, clock.now())


DEVELOPMENT_KEY = KeyId("outdial")
LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR"}


def _logging(bridge: Bridge, leave: contextlib.AsyncExitStack) -> None:
    import logging

    root = logging.getLogger()
    root.addHandler(bridge)
    leave.callback(root.removeHandler, bridge)


def _sip_address(bound: socket.socket) -> Any:
    from ..sip.values import Address

    where = address(bound)
    return Address(host=where.host, port=where.port)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
