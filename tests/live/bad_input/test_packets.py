"""Datagrams that nobody asked for, at the ports of a whole node while calls are up."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import socket
import struct
import wave
from collections.abc import Iterator

import numpy as np
import pytest

from helpers.bad_node import BadNode
from helpers.steady import SteadyCall
from outdial.media import g711
from outdial.model.records import SipMessageRow
from outdial.model.resources import CallHistory

Address = tuple[str, int]
NUMBERS = itertools.count()


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    """A socket that belongs to no call."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(5)
        yield bound


def sip_address(node: BadNode) -> Address:
    host, port = node.addresses["sip"].removeprefix("sip:").split(":")
    return host, int(port)


def is_answered(node: BadNode, stranger: socket.socket) -> None:
    """The node still answers an OPTIONS, whatever came before it."""
    number = next(NUMBERS)
    host, port = stranger.getsockname()
    me = f"SIP/2.0/UDP {host}:{port};branch=z9hG4bKalive{number}"
    head = f"OPTIONS sip:{sip_address(node)[0]} SIP/2.0\r\nVia: {me}\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\n"
    text = f"{head}To: <sip:b@example.com>\r\nCall-ID: alive-{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    stranger.sendto(text.encode(), sip_address(node))
    while f"branch=z9hG4bKalive{number}".encode() not in (answer := stranger.recv(65536)):
        pass
    assert answer.startswith(b"SIP/2.0 200 ")


def sent_in_turn(node: BadNode, stranger: socket.socket, datagrams: list[bytes], to: Address) -> None:
    """Send them a few at a time: the node answers an OPTIONS in between, so that no queue of the kernel overflows."""
    for start in range(0, len(datagrams), 40):
        for datagram in datagrams[start : start + 40]:
            stranger.sendto(datagram, to)
        is_answered(node, stranger)


def messages(history: CallHistory) -> dict[str, SipMessageRow]:
    """The messages of a call by their beginning."""
    return {row.message.split(b"\r\n")[0].decode().replace("SIP/2.0 ", "").split(" ")[0]: row for row in history.sip}


def media_address(history: CallHistory) -> Address:
    """Where we receive the audio of a call, as our offer says."""
    offer = messages(history)["INVITE"].message.decode()
    found = re.search(r"^m=audio (\d+) ", offer, re.MULTILINE)
    assert found is not None
    return "127.0.0.1", int(found[1])


def test_random_bytes_at_the_sip_port(node: BadNode, stranger: socket.socket) -> None:
    chance = random.Random(11)
    datagrams = [chance.randbytes(chance.choice((0, 1, 4, 20, 300, 1400))) for _ in range(1000)]
    datagrams += [b"INVITE " + chance.randbytes(400) + b"\r\n\r\n" for _ in range(200)]
    before = node.log.stat().st_size
    sent_in_turn(node, stranger, datagrams, sip_address(node))
    assert node.log.stat().st_size - before < 20_000


def test_sip_that_is_cut_off_at_every_byte(node: BadNode, steady: SteadyCall, stranger: socket.socket) -> None:
    """The healthy call's own messages, and a BYE for its dialog: only a whole one could end it."""
    history = node.history(steady.call)
    assert history is not None
    said = messages(history)
    whole = [row.message for row in history.sip] + [bye_for(said["200"].message)]
    for message in whole:
        sent_in_turn(node, stranger, [message[:end] for end in range(len(message))], sip_address(node))


def bye_for(answer: bytes) -> bytes:
    """The callee's BYE, from its 200."""
    text = answer.decode()
    from_, to, call_id = (re.search(rf"^{name}: (.*)\r$", text, re.MULTILINE) for name in ("From", "To", "Call-ID"))
    assert from_ is not None
    assert to is not None
    assert call_id is not None
    via = "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKcutoff"
    head = f"BYE sip:outdial@127.0.0.1 SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {to[1]}\r\nTo: {from_[1]}\r\n"
    return f"{head}Call-ID: {call_id[1]}\r\nCSeq: 4711 BYE\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("port", [0, 1], ids=["rtp", "rtcp"])
def test_random_bytes_at_the_ports_of_a_call(node: BadNode, steady: SteadyCall, stranger: socket.socket, port: int) -> None:
    history = node.history(steady.call)
    assert history is not None
    host, rtp = media_address(history)
    chance = random.Random(12)
    datagrams = [chance.randbytes(chance.choice((0, 1, 11, 12, 172, 1400))) for _ in range(1000)]
    datagrams += [bytes([0x80, chance.choice((0, 8, 101, 200, 201, 203))]) + chance.randbytes(170) for _ in range(1000)]
    sent_in_turn(node, stranger, datagrams, (host, rtp + port))


def tone(sequence: int, ssrc: int) -> bytes:
    """20 ms of a loud tone of 1 kHz as G.711."""
    samples = [round(20_000 * math.sin(2 * math.pi * n / 8)) for n in range(160)]
    payload = g711.encode("PCMU", np.array(samples, dtype=np.int16))
    return struct.pack(">BBHII", 0x80, 0, sequence & 0xFFFF, 160 * sequence, ssrc) + payload


def press(sequence: int, ssrc: int) -> bytes:
    """The end of a press of # (RFC 4733)."""
    return struct.pack(">BBHII", 0x80, 101, sequence & 0xFFFF, 160 * sequence, ssrc) + bytes([11, 0x8A, 0x03, 0x20])


RECORD = {
    "Type": "RecordAudio",
    "Parameters": {
        "DurationInSeconds": 2,
        "RecordingTerminators": ["#"],
        "RecordingDestination": {"Type": "S3", "BucketName": "kept", "Prefix": "stranger"},
    },
}


def test_audio_and_keys_of_a_stranger_are_not_believed(node: BadNode, stranger: socket.socket) -> None:
    """A loud tone and presses of the terminator from another port: the recording lasts its two seconds and is silent."""
    call = node.begin("actions", actions=json.dumps([RECORD]))
    history = node.until(call, lambda history: bool(history.recordings), "the recording to begin")
    to = media_address(history)
    sequence = 0
    while node.history(call).cdr is None:  # type: ignore[union-attr]
        for _ in range(5):
            stranger.sendto(tone(sequence, 0xABCD), to)
            stranger.sendto(press(sequence + 1, 0xABCD), to)
            sequence += 2
    ended = node.over(call)
    [told] = [event["ActionData"] for event in node.events(ended) if event["InvocationEventType"] == "ACTION_SUCCESSFUL"]
    assert "RecordingTerminator" not in told
    [recording] = ended.recordings
    with wave.open(str(node.data / "buckets" / "kept" / recording.key)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    assert 15_500 <= len(samples) <= 16_500
    assert np.abs(samples.astype(int)).max() < 100
    assert sequence > 100
