"""What the words of a ladder line mean, and how what came is told from what was wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..model import requests
from ..sdp.description import parse as parse_sdp
from ..sip.message import Request, Response
from .hearing import Stretch
from .ladder_text import Line
from .ladder_world import Happening
from .network import Quality
from .shorthand import ABSENT
from .studio import pitch_of

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def scripted(lines: Sequence[Line]) -> frozenset[int]:
    """Which givings have a line that answers them."""
    number, found = -1, set()
    for line in lines:
        if line.kind == "message" and line.source == "us" and line.destination == "handler":
            number += 1
        elif line.kind == "message" and line.source == "handler":
            found.add(number)
    return frozenset(found)


def described(item: Happening) -> str:
    what = item.what
    match item.item:
        case dict():
            action = item.item.get("ActionData", {})
            more = [
                f"seq={item.item['Sequence']}",
                *(f"{key}={action[key]}" for key in ("Type", "ErrorType", "ReceivedDigits") if key in action),
            ]
            if what == "HANGUP":
                more[1:] = [f"code={action['Parameters'].get('SipResponseCode')}"]
            what = f"{what} {' '.join(more)}"
        case requests.Refused(refusal=refusal):
            what = f"refused {refusal.reason} ({refusal.detail})"
    return f"{what} again" if item.again else what


def stretches(words: Sequence[str]) -> list[Stretch]:
    """`tone 440Hz 1.0s`, `silence 2s`, `speech "words"`, one after another."""
    found: list[Stretch] = []
    for word in words:
        if word in ("tone", "silence", "nothing", "speech"):
            found.append(Stretch(hz=0.0, seconds=0.0, at=0.0))
        elif word.endswith("Hz"):
            found[-1].hz = float(word.removesuffix("Hz"))
        elif (seconds := _SECONDS.fullmatch(word)) is not None:
            found[-1].seconds = float(seconds[1])
        elif found:
            found[-1].hz = pitch_of(word)
    return found


def alike(wanted: Stretch, got: Stretch, slack: float) -> bool:
    if bool(wanted.hz) != bool(got.hz) or abs(wanted.hz - got.hz) > 12:
        return False
    return not wanted.seconds or abs(wanted.seconds - got.seconds) <= slack


def share(text: str) -> float:
    if text.endswith("%"):
        return float(text[:-1]) / 100
    if text.endswith("ms"):
        return float(text[:-2]) / 1000
    return float(text)


def fields(quality: Quality) -> dict[str, Any]:
    return {name: getattr(quality, name) for name in ("loss", "delay", "jitter", "duplicates")}


def within(wanted: Any, got: Any) -> bool:
    """Everything wanted is there; numbers may be text (reference 6.2), further keys do not matter."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(within(part, got.get(key)) for key, part in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(within, wanted, got))
    return wanted == got or str(wanted) == str(got)


def sip_differences(line: Line, message: Request | Response) -> list[str]:
    found: list[str] = []
    if {"offer", "answer"} & {*line.words}:
        names = [word for word in line.words if word in ("pcmu", "pcma")]
        try:
            audio = parse_sdp(message.body).media[0]
        except (ValueError, IndexError):
            return ["it has no SDP"]
        codecs = {"0": "pcmu", "8": "pcma"}
        offered = [codecs[number] for number in audio.formats if number in codecs]
        if names and offered != names:
            found.append(f"its codecs are {' '.join(offered)}, wanted {' '.join(names)}")
        if "events" in line.words and not any("telephone-event" in attribute.value for attribute in audio.all("a")):
            found.append("it has no telephone-event")
    if "empty" in line.words and message.body:
        found.append("it has a body")
    for name, wanted in line.facts.items():
        if name == "to":
            continue
        if name == "uri" and isinstance(message, Request):
            got: Any = message.uri
        elif name == "body":
            if str(wanted) not in message.body.decode(errors="replace"):
                found.append(f"its body is {message.body!r}")
            continue
        else:
            values = message.lines(name.lower())
            got = values[0] if values else ABSENT
        if isinstance(wanted, str) and len(wanted) > 1 and wanted.endswith("*"):
            same = got.startswith(wanted[:-1])
        else:
            same = got == str(wanted)
        if not same:
            found.append(f"{name} is {got!r}, wanted {wanted!r}")
    return found
