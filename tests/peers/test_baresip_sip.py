"""The endpoint against baresip, a telephone with a stack of its own (libre): calls both ways, hold by re-INVITE, refusals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from helpers.sip_live import LiveParty
from helpers.sipp import free_media_port, free_port
from outdial.sip.values import (
    Accept,
    Accepted,
    AckBody,
    Acknowledge,
    Bye,
    ByeReceived,
    Cancel,
    Dial,
    Go,
    Held,
    Incoming,
    Offered,
    Over,
    Provisional,
    Reject,
    Ring,
)

MODULES = Path("/usr/lib/baresip/modules")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("baresip") is None or not MODULES.exists(), reason="baresip is not installed"),
]
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


class Baresip:
    """One baresip and its control connection (netstrings of JSON)."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.uri = f"sip:bob@127.0.0.1:{port}"
        self._reader, self._writer = reader, writer

    def command(self, command: str, params: str = "") -> None:
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of a type; others are passed over."""
        async with asyncio.timeout(10):
            while True:
                length = int((await self._reader.readuntil(b":"))[:-1])
                item: dict[str, Any] = json.loads((await self._reader.readexactly(length + 1))[:-1])
                if item.get("type") == kind:
                    return item


async def start(folder: Path, answermode: str) -> tuple[asyncio.subprocess.Process, int, int, str]:
    """Start baresip and read until it is ready or gone; its SIP port, its control port and what it said."""
    port, control, rtp = free_port(), free_port(), free_media_port()
    (folder / "contacts").write_text("")
    (folder / "accounts").write_text(f"<sip:bob@127.0.0.1:{port}>;regint=0;answermode={answermode};audio_codecs=pcmu\n")
    modules = "".join(f"module {name}.so\n" for name in ("g711", "aufile"))
    (folder / "config").write_text(
        f"sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\nrtp_ports {rtp}-{rtp + 10}\naudio_source aufile,{folder}/say.wav\n"
        f"snd_path {folder}\nmodule_path {MODULES}\n{modules}module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        f"ctrl_tcp_listen 127.0.0.1:{control}\n"
    )
    process = await asyncio.create_subprocess_exec(
        *("timeout", "40", "baresip", "-f", str(folder), "-t", "35"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(10):
        while b"baresip is ready" not in said and not process.stdout.at_eof():
            said += await process.stdout.readline()
    return process, port, control, said.decode(errors="replace")


@contextlib.asynccontextmanager
async def baresip(folder: Path, answermode: str = "auto") -> AsyncIterator[Baresip]:
    folder.mkdir()
    with wave.open(str(folder / "say.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000 * 20))
    for _ in range(3):
        process, port, control, said = await start(folder, answermode)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", control)
            break
        except ConnectionRefusedError:  # somebody took one of its ports between our look and its bind
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    else:
        raise AssertionError(said)
    assert process.stdout is not None
    drain = asyncio.create_task(process.stdout.read())
    try:
        yield Baresip(port, reader, writer)
        writer.close()
        await writer.wait_closed()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)
        await drain


def dial(phone: Baresip) -> Dial:
    return Dial(session="leg", uri=phone.uri, target=phone.uri, from_uri="sip:+12065550100@127.0.0.1", to_uri=phone.uri, body=SDP)


def caller(event: Any) -> list[Any]:
    if isinstance(event, Held):
        return [Go(session=event.session)]
    if isinstance(event, Accepted) and event.wanted:
        return [Acknowledge(session=event.session, fork=event.fork)]
    if isinstance(event, Offered):
        return [Accept(session=event.session, body=SDP)]
    return []


def run(tmp_path: Path, work: Any, owner: Any = caller, answermode: str = "auto") -> LiveParty:
    async def inner() -> LiveParty:
        async with baresip(tmp_path / "phone", answermode) as phone:
            party = LiveParty(owner)
            try:
                await work(party, phone)
                await party.until(Over)
            finally:
                await party.close()
            assert party.malformed == []
            return party

    return asyncio.run(inner())


def test_it_answers_and_we_hang_up(tmp_path: Path) -> None:
    async def work(party: LiveParty, phone: Baresip) -> None:
        party.give(dial(phone))
        await phone.until("CALL_ESTABLISHED")
        party.give(Bye(session="leg"))
        await phone.until("CALL_CLOSED")

    party = run(tmp_path, work)
    assert b"m=audio" in party.of(Accepted)[0].body
    assert party.of(Over)[0] == Over(session="leg", who="us", status=0)


def test_it_hangs_up(tmp_path: Path) -> None:
    async def work(party: LiveParty, phone: Baresip) -> None:
        party.give(dial(phone))
        await phone.until("CALL_ESTABLISHED")
        phone.command("hangup")

    party = run(tmp_path, work)
    assert party.of(Over)[0].who == "peer"
    assert len(party.of(ByeReceived)) == 1


def test_it_is_cancelled_while_it_rings(tmp_path: Path) -> None:
    async def work(party: LiveParty, phone: Baresip) -> None:
        party.give(dial(phone))
        await party.until(Provisional)
        party.give(Cancel(session="leg"))
        await phone.until("CALL_CLOSED")

    party = run(tmp_path, work, answermode="manual")
    assert (party.of(Over)[0].who, party.of(Over)[0].status) == ("us", 487)


def test_it_refuses(tmp_path: Path) -> None:
    async def work(party: LiveParty, phone: Baresip) -> None:
        party.give(dial(phone))
        await phone.until("CALL_INCOMING")
        phone.command("hangup")

    party = run(tmp_path, work, answermode="manual")
    assert (party.of(Over)[0].who, party.of(Over)[0].status) == ("peer", 486)


@pytest.mark.parametrize("accept", [True, False])
def test_it_puts_us_on_hold_by_a_reinvite(tmp_path: Path, accept: bool) -> None:
    def owner(event: Any) -> list[Any]:
        if isinstance(event, Offered) and not accept:
            return [Reject(session=event.session, status=488)]
        return caller(event)

    async def work(party: LiveParty, phone: Baresip) -> None:
        party.give(dial(phone))
        await phone.until("CALL_ESTABLISHED")
        phone.command("hold")
        await party.until(Offered)
        if accept:
            await party.until(AckBody)
        party.give(Bye(session="leg"))
        await phone.until("CALL_CLOSED")

    party = run(tmp_path, work, owner)
    assert party.of(Offered)[0].method == "INVITE"
    assert b"a=sendonly" in party.of(Offered)[0].body
    assert party.of(Over)[0] == Over(session="leg", who="us", status=0)


def test_it_calls_us(tmp_path: Path) -> None:
    def owner(event: Any) -> list[Any]:
        if isinstance(event, Incoming):
            return [Ring(session=event.session), Accept(session=event.session, body=SDP)]
        return [Bye(session=event.session)] if isinstance(event, AckBody) else []

    async def work(party: LiveParty, phone: Baresip) -> None:
        phone.command("dial", f"sip:us@127.0.0.1:{party.address.port}")
        await phone.until("CALL_ESTABLISHED")
        await phone.until("CALL_CLOSED")

    party = run(tmp_path, work, owner)
    assert b"m=audio" in party.of(Incoming)[0].body
    assert party.of(Over)[0].who == "us"


def test_it_gives_up_while_we_ring(tmp_path: Path) -> None:
    def owner(event: Any) -> list[Any]:
        return [Ring(session=event.session)] if isinstance(event, Incoming) else []

    async def work(party: LiveParty, phone: Baresip) -> None:
        phone.command("dial", f"sip:us@127.0.0.1:{party.address.port}")
        await phone.until("CALL_RINGING")
        phone.command("hangup")

    party = run(tmp_path, work, owner)
    assert party.of(ByeReceived)[0].cancelled
