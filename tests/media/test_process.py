"""The engine's process and its client: what only real processes and sockets can do."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from helpers.media_rig import LEG, LiveRig, free_range, sine, wav
from outdial.media import g711
from outdial.model.ids import LegId
from outdial.model.media import (
    CloseStream,
    Collect,
    Collected,
    Configure,
    Done,
    EngineGone,
    Failed,
    Load,
    OpenStream,
    Play,
    PlayEnded,
    Ready,
)


def gone(rig: LiveRig) -> EngineGone:
    return rig.wait(EngineGone)


def test_ready_is_the_first_event(live: LiveRig) -> None:
    assert isinstance(live.events[0], Ready)


def test_a_killed_engine_is_told_once_and_can_be_started_again(live: LiveRig) -> None:
    phone = live.phone()
    live.open(phone)
    pid = live.client.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert str(pid) in gone(live).detail
    live.submit(CloseStream(id=live.id(), stream=LEG))
    assert live.client.pid is None
    live.loop.run_until_complete(live._start())
    live.wait(Ready, 2)
    live.open(phone)
    live.until(lambda: phone.packets)
    assert len(live.of(EngineGone)) == 1


def test_it_ends_with_its_socket(live: LiveRig) -> None:
    child = live.client._child
    assert child is not None
    assert child.socket is not None
    live.loop.remove_reader(child.socket)
    child.socket.shutdown(socket.SHUT_RDWR)
    live.until(lambda: not child.running)
    live.client._gone("test")


def test_an_engine_that_does_not_read_is_taken_for_dead(live: LiveRig) -> None:
    pid = live.client.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    commands = [Collect(id=live.id(), stream=LegId("x" * 1000), first_ms=1, between_ms=1) for _ in range(1000)]
    for _ in range(5):
        live.submit(*commands)
    assert "unread" in gone(live).detail
    live.until(lambda: not live.client._ending, 10)


@pytest.mark.parametrize("many", [1000])
def test_a_thousand_commands_at_once_are_answered_in_order_of_their_stream(live: LiveRig, many: int) -> None:
    phone = live.phone()
    live.open(phone)
    commands = [Collect(id=live.id(), stream=LEG, first_ms=1, between_ms=1) for _ in range(many)]
    live.submit(*commands)
    live.until(lambda: len(live.of(Collected)) == many)
    answers = [event.id for event in live.of(Done) if event.id >= commands[0].id]
    assert answers == [command.id for command in commands]


def test_a_port_that_somebody_else_holds_is_skipped() -> None:
    first, last = free_range(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", first + 1))
        rig = LiveRig(Configure(ports=(first, last)))
        try:
            answers = [rig.ask(OpenStream(id=rig.id(), stream=LegId(f"leg-{n}"))) for n in range(2)]
            assert first not in [answer.rtp_port for answer in answers if isinstance(answer, Done)]
            assert isinstance(answers[1], Failed)
            assert answers[1].reason == "no_port"
        finally:
            rig.close()


def test_an_open_stream_shares_its_port_with_nobody(live: LiveRig) -> None:
    port = live.open(live.phone())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))


def test_a_peer_whose_port_is_closed_changes_nothing(live: LiveRig) -> None:
    phone = live.phone()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        closed = sock.getsockname()[1]
    live.open(phone, port=closed)
    live.wait(Load, 1)
    live.remote(phone)
    live.until(lambda: len(phone.packets) > 5)


def test_another_port_of_the_peers_host_is_adopted_live(live: LiveRig) -> None:
    advertised, real = live.phone(), live.phone()
    port = live.open(advertised)
    real.say(b"\x55" * 8000, port)
    live.until(lambda: len(real.packets) > 5)
    count = len(advertised.packets)
    real.say(b"\x55" * 1600, port)
    live.more(real, 10)
    assert len(advertised.packets) <= count + 1


def test_closing_the_client_says_nothing(live: LiveRig) -> None:
    live.loop.run_until_complete(live.client.close())
    assert live.of(EngineGone) == []
    assert live.client.pid is None


def test_a_flood_from_a_stranger_changes_neither_what_plays_nor_what_is_pressed(live: LiveRig, tmp_path: Path) -> None:
    phone, stranger = live.phone(), live.phone()
    port = live.open(phone)
    prompt = sine(440, 1500)
    live.ask(Play(id=live.id(), stream=LEG, path=wav(tmp_path / "p.wav", prompt)))
    live.ask(Collect(id=live.id(), stream=LEG, max_digits=3, first_ms=10_000, between_ms=10_000, stop_playing=False))
    at = 0.1
    for code in (1, 2, 3):
        for moment, data in phone.digit(code):
            phone.send(data, port, at + moment)
        at += 0.2
    junk = stranger.rtp(b"\x55" * 160)
    for step in range(1000):
        for _ in range(10):
            stranger.send(junk, port, 0.001 * step)
    assert live.wait(Collected).digits == "123"
    assert live.wait(PlayEnded).played_ms == 1500
    live.until(lambda: g711.encode("PCMU", prompt)[:8000] in phone.audio)
    closed = live.ask(CloseStream(id=live.id(), stream=LEG))
    assert isinstance(closed, Done)
    assert closed.statistics is not None
    assert closed.statistics.packets_received == 24
    assert closed.statistics.strangers > 100
