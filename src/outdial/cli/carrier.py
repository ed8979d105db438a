"""The carrier's process: `python -m outdial.cli.carrier`, a trunk with subscribers and an engine of its own.

A node starts it with its first call and hands over the SIP socket (`--socket-fd`), in which the first INVITE waits already; it ends when
the node's end of `--fd` closes. By itself (`--sip HOST:PORT`) it serves any caller until Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .. import __version__
from ..carrier import SUBSCRIBERS, Carrier, CarrierSettings, Subscriber, tones
from ..carrier.values import Heard, Told
from ..core import Port, Pump
from ..errors import OutdialError
from ..io import clock
from ..io.frames import pack
from ..io.ids import LiveIds
from ..io.live_pump import LivePump, loop_factory
from ..io.media_client import MediaClient
from ..io.objects import LocalObjects
from ..io.sip_udp import SipUdp, bind
from ..io.speech_client import SpeechClient
from ..io.work import Workshop
from ..model.media import Configure, EngineGone, MediaEvent
from ..model.numbers import mask_all
from ..model.work import ObjectSource, Prompt, PromptReady, WorkFailed
from ..node import wiring
from ..sip.endpoint import Endpoint
from ..sip.values import Address

ENGINE_AGAIN_S = 1.0
STORY = "carrier.jsonl"
STORY_BYTES = 16 << 20
"""A story file that has grown so long begins anew."""


class Process:
    """The shell around one carrier."""

    def __init__(self, sip: socket.socket, *, host: str, rtp: tuple[int, int], cache: Path, subscribers: Mapping[str, Subscriber]) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._wall = clock.Wall()
        self._cache = cache
        ids = LiveIds()
        where = sip.getsockname()
        self.address = Address(host=where[0], port=where[1])
        self.carrier = Carrier(ids, subscribers, CarrierSettings(host=host))
        endpoint = Endpoint(ids, self.address, user_agent=f"Outdial-Carrier/{__version__}", advertise=None if host == where[0] else host)
        self._engine = MediaClient(Configure(ports=rtp, addresses=(where[0],)), self._from_engine)
        self._speech = SpeechClient()
        self._workshop = Workshop(LocalObjects(cache / "objects"), self._speech, cache, give=self._from_work)
        self._udp = SipUdp(loop, lambda item: self.pump.give("sip", item), sip)
        self._bits = ids.bits
        self._names: Port | None = None
        self._story = _Story(cache / STORY, self._wall)
        ports: dict[str, Port] = {
            "udp": self._udp.put,
            "dns": self._resolve,
            "engine": lambda item, now: self._engine.submit([item]),
            "work": self._work,
            "record": lambda item, now: None,
            "story": self._story.put,
        }
        routes = wiring.routes([*wiring.CARRIER, ("carrier", (Told, Heard), "story")])
        self.pump = LivePump(Pump({"sip": endpoint, "carrier": self.carrier}, ports, routes, on_fault=_fault), loop)
        self._engine.start()

    async def close(self) -> None:
        """End everything that was started."""
        self.pump.close()
        self._udp.close()
        await self._workshop.close()
        await self._speech.close()
        await self._engine.close()
        self._story.close()

    def _from_engine(self, batch: Sequence[MediaEvent]) -> None:
        for event in batch:
            self.pump.give("carrier", event, "engine")
            if isinstance(event, EngineGone):
                self._loop.call_later(ENGINE_AGAIN_S, self._engine.start)

    def _resolve(self, item: Any, now: float) -> None:
        """Names are rare (a Contact that has one), so what finds them is loaded when the first one comes."""
        if self._names is None:
            from ..io.dns import SipDns

            self._names = SipDns(self._loop, lambda found: self.pump.give("sip", found), self._bits).put
        self._names(item, now)

    def _from_work(self, result: Any) -> None:
        self.pump.give("carrier", result, "work")

    def _work(self, item: Prompt, now: float) -> None:
        if isinstance(item.source, ObjectSource):
            self._loop.call_soon(self._from_work, self._tone(item, item.source.key))
        else:
            self._workshop.put(item, now)

    def _tone(self, item: Prompt, key: str) -> PromptReady | WorkFailed:
        path = self._cache / tones.BUCKET / key
        try:
            data = tones.wav(key)
            if data is None:
                return WorkFailed(token=item.token, reason="not_found")
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                beside = path.with_suffix(f".{item.token}")
                beside.write_bytes(data)
                beside.replace(path)
        except OSError as error:
            return WorkFailed(token=item.token, reason="unreachable", detail=str(error))
        return PromptReady(token=item.token, path=str(path.absolute()), samples=(len(data) - 44) // 2)


class _Story:
    """What subscribers did and heard, a JSON object a line: for whoever tells a call from both of its ends.

    The first line says when the story began: another first line is another story.
    """

    def __init__(self, path: Path, wall: clock.Wall) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._wall = wall
        self._begin(clock.now())

    def put(self, item: Told | Heard, now: float) -> None:
        """Add a line. A disk that is full costs the story, not the call."""
        with contextlib.suppress(OSError):
            if self._file.tell() > STORY_BYTES:
                self._begin(now)
            self._write({"who": type(item).__name__.lower(), **msgspec.to_builtins(item), "at": self._wall(item.at)})

    def close(self) -> None:
        self._file.close()

    def _begin(self, now: float) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._write({"who": "carrier", "what": "began", "at": self._wall(now)})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")


async def serve(arguments: argparse.Namespace, subscribers: Mapping[str, Subscriber]) -> None:
    """Be the carrier until the node's end closes, or until a signal."""
    loop = asyncio.get_running_loop()
    sip = socket.socket(fileno=arguments.socket_fd) if arguments.socket_fd is not None else bind(*arguments.sip)
    host = arguments.advertise or sip.getsockname()[0]
    process = Process(sip, host=host, rtp=arguments.rtp, cache=arguments.cache, subscribers=subscribers)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if arguments.fd is not None:
        parent = socket.socket(fileno=arguments.fd)
        parent.setblocking(False)
        parent.send(pack(msgspec.msgpack.encode({"ready": __version__, "sip": str(process.address)})))
        loop.add_reader(parent, lambda: ended.set() if not _read(parent) else None)
    else:
        print(f"The carrier listens on {process.address}; {len(subscribers)} subscribers, Ctrl-C ends it.", file=sys.stderr)
    try:
        await ended.wait()
    finally:
        await process.close()


def _fault(where: str, item: Any, error: Exception) -> None:
    """A bug of ours costs its own call at most."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = mask_all(str(error))
    print(
        f"carrier: a fault of ours in {where} at {type(item).__name__}: {type(error).__name__}: {what} ({place.filename}:{place.lineno})",
        file=sys.stderr,
        flush=True,
    )


def _read(parent: socket.socket) -> bytes:
    try:
        return parent.recv(4096)
    except BlockingIOError:
        return b"-"
    except OSError:
        return b""


def main(argv: Sequence[str] | None = None) -> None:
    """Read the arguments and be the carrier."""
    from ..config.kinds import read_host_port, read_port_range

    parser = argparse.ArgumentParser(prog="python -m outdial.cli.carrier", description="A simulated telephone network: a SIP trunk.")
    parser.add_argument("--fd", type=int, help="socket to the node that started it")
    parser.add_argument("--socket-fd", type=int, help="a bound UDP socket for SIP")
    parser.add_argument("--sip", type=read_host_port, default=read_host_port("127.0.0.1:5070"), metavar="HOST:PORT")
    parser.add_argument("--rtp", type=read_port_range, default=read_port_range("20000-21999"), metavar="FROM-TO")
    parser.add_argument("--advertise", metavar="ADDRESS", help="address in its SDP and Contact")
    parser.add_argument("--cache", type=Path, default=Path("outdial-carrier"), metavar="DIR", help="prompts and the story lie here")
    parser.add_argument("--subscribers", type=Path, metavar="FILE", help="TOML, in place of the built-in subscribers")
    arguments = parser.parse_args(argv)
    subscribers = SUBSCRIBERS
    if arguments.subscribers is not None:
        from ..carrier.book import read_book

        try:
            subscribers = read_book(arguments.subscribers.read_text(), name=str(arguments.subscribers))
        except OutdialError as error:
            sys.exit(f"error: {error.sentence}\n\nhint: {error.hint}")
        except OSError as error:
            sys.exit(f"error: {arguments.subscribers} cannot be read: {error.strerror}")
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(arguments, subscribers))


if __name__ == "__main__":
    main()
