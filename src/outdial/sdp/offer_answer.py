"""Offer and answer for one audio stream (RFC 3264): G.711 and telephone events.

An offer of ours has one audio medium. In an offer of the peer's the first audio medium that we can use is taken, every other one is
refused with port 0. We answer with a single codec, so that a peer cannot change it without asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .codecs import EVENT, EVENT_NUMBER, EVENT_RANGE, STATIC_NUMBERS, Codec, Format, formats, packet_time
from .description import Description, Line, Media, parse, write
from .errors import SdpError
from .negotiated import Negotiated

Way = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
_PROTOCOLS = {"RTP/AVP", "RTP/AVPF"}
"""AVPF without feedback is AVP on the wire (RFC 4585 §3.1)."""
_SENDS: dict[Way, tuple[bool, bool]] = {
    "sendrecv": (True, True), "sendonly": (True, False), "recvonly": (False, True), "inactive": (False, False),
}  # fmt: skip
_HELD = {"0.0.0.0", "::"}
_WAYS = {pair: way for way, pair in _SENDS.items()}


def make_offer(
    host: str, port: int, *, session_id: int, version: int, codecs: Sequence[Codec] = ("PCMU", "PCMA"), ptime: int = 20
) -> bytes:
    """An offer to send and receive audio at `host`:`port` (RTCP one above), codecs in order of preference, telephone events too."""
    named = [Format(number=STATIC_NUMBERS[codec], name=codec) for codec in codecs]
    event = Format(number=EVENT_NUMBER, name=EVENT, parameters=EVENT_RANGE)
    return write(_ours(host, session_id, version, [_audio(host, port, "RTP/AVP", [*named, event], ptime, "sendrecv")]))


def judge_answer(offer: bytes, answer: bytes) -> Negotiated:
    """What an answer to an offer of ours agrees on. Raises `SdpError` where it agrees on nothing that we can do."""
    offered, answered = parse(offer), parse(answer)
    index = next((i for i, media in enumerate(offered.media) if media.kind == "audio" and media.port), None)
    if index is None:
        raise SdpError("the offer has no audio", "offer audio")
    if index >= len(answered.media):
        raise SdpError(
            f"the answer has {len(answered.media)} m= lines, the offer {len(offered.media)}",
            "answer each m= line of the offer (RFC 3264 §6)",
        )
    ours, theirs = offered.media[index], answered.media[index]
    if theirs.kind != "audio":
        raise theirs.error(f"this answers an offer of audio with {theirs.kind[:20]}", "answer m= lines in the order of the offer")
    if theirs.port == 0:
        raise theirs.error("the peer refuses audio (port 0)", "let it accept PCMU or PCMA over RTP/AVP")
    known = formats(ours)
    return _agree(answered, _choose(theirs, known), known, _way_of(offered, ours))


def make_answer(offer: bytes, host: str, port: int, *, session_id: int, version: int) -> tuple[bytes, Negotiated]:
    """Answer an offer with audio at `host`:`port`. Raises `SdpError` (488 in SIP) where it has no audio that we can do."""
    offered = parse(offer)
    chosen = _usable(offered)
    agreed = _agree(offered, chosen, None, "sendrecv")
    kept = [chosen.item, *(item for item in chosen.known if item.number == agreed.event_send_type)]
    answers = [
        _audio(host, port, media.protocol, kept, agreed.ptime_ms, agreed.way) if media is chosen.media else _refused(media)
        for media in offered.media
    ]
    return write(_ours(host, session_id, version, answers, _time(offered))), agreed


def same_media(current: Negotiated, offer: bytes) -> bool:
    """Whether a new description of the peer's leaves the audio as it is (False where it cannot be read).

    Address, port and direction are equal, and the codec and telephone events in use are still there under the same numbers; order, the
    version in `o=` and other attributes do not matter.
    """
    try:
        offered = parse(offer)
        chosen = _usable(offered)
        if any(media.port for media in offered.media if media is not chosen.media):
            return False
        agreed = _agree(offered, chosen, None, "sendrecv")
    except SdpError:
        return False
    known = chosen.known
    return (
        (agreed.address, agreed.port, agreed.way) == (current.address, current.port, current.way)
        and any(item.codec == current.codec and item.number == current.send_type for item in known)
        and (current.event_send_type is None or any(item.is_event and item.number == current.event_send_type for item in known))
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """A medium that we can do, with the format of it that is used."""

    media: Media
    known: tuple[Format, ...]
    item: Format
    codec: Codec


def _usable(offered: Description) -> _Choice:
    """The first audio medium of a peer's description that we can do; else an error that says why none will do."""
    reason: SdpError | None = None
    for media in offered.media:
        if media.kind != "audio" or media.port == 0:
            continue
        try:
            return _choose(media, None)
        except SdpError as error:
            reason = reason or error
    raise reason or SdpError("no audio is offered", "offer an m=audio line with a port and PCMU or PCMA")


def _choose(media: Media, ours: Sequence[Format] | None) -> _Choice:
    """The first format of a medium that is one of ours. Raises `SdpError` where none is."""
    if media.protocol.upper() not in _PROTOCOLS:
        raise media.error(f"{media.protocol[:30]} is not served", "use RTP/AVP (without SRTP)")
    allowed = None if ours is None else {item.codec for item in ours}
    known = formats(media)
    for item in known:
        codec = item.codec
        if codec is not None and (allowed is None or codec in allowed):
            return _Choice(media, known, item, codec)
    named = ", ".join(str(item) for item in known[:8]) or "nothing"
    raise media.error(f"none of its formats is one of ours: {named}", "allow PCMU (0) or PCMA (8)")


def _agree(theirs: Description, choice: _Choice, ours: Sequence[Format] | None, our_way: Way) -> Negotiated:
    media, item, codec = choice.media, choice.item, choice.codec
    event = next((f for f in choice.known if f.is_event), None) if ours is None or any(f.is_event for f in ours) else None
    address = theirs.connection(media)
    way = _from_our_side(_way_of(theirs, media), our_way)
    if address in _HELD:  # held as RFC 2543 did it: nothing is to be sent there (RFC 3264 §8.4)
        way = _WAYS[False, _SENDS[way][1]]
    accept = [item.number, *(f.number for f in ours or () if f.codec == codec)]
    events = [] if event is None else [event.number, *(f.number for f in ours or () if f.is_event)]
    return Negotiated(
        address=address,
        port=media.port,
        rtcp_port=_rtcp_port(media),
        codec=codec,
        send_type=item.number,
        accept_types=tuple(dict.fromkeys(accept)),
        event_send_type=None if event is None else event.number,
        event_accept_types=tuple(dict.fromkeys(events)),
        ptime_ms=packet_time(media),
        way=way,
    )


def _way_of(description: Description, media: Media) -> Way:
    for section in (media, description):
        for line in section.all("a"):
            way = line.value.strip()
            if way in _SENDS:
                return way
    return "sendrecv"


def _from_our_side(theirs: Way, ours: Way) -> Way:
    they_send, they_receive = _SENDS[theirs]
    we_send, we_receive = _SENDS[ours]
    return _WAYS[we_send and they_receive, we_receive and they_send]


def _rtcp_port(media: Media) -> int:
    # a=rtcp:53020, or with an address, which we leave aside (RFC 3605 §2.1).
    value = (media.attribute("rtcp") or "").partition(" ")[0]
    if value.isascii() and value.isdigit() and 0 < int(value) <= 65_535:
        return int(value)
    return min(media.port + 1, 65_535)


def _time(offered: Description) -> str:
    # RFC 3264 §6: the t= line of the answer equals that of the offer.
    line = offered.first("t")
    return line.value if line is not None else "0 0"


def _kind(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def _ours(host: str, session_id: int, version: int, media: Sequence[Media], time: str = "0 0") -> Description:
    lines = (
        Line(kind="v", value="0"),
        Line(kind="o", value=f"- {session_id} {version} IN {_kind(host)} {host}"),
        Line(kind="s", value="-"),
        Line(kind="c", value=f"IN {_kind(host)} {host}"),
        Line(kind="t", value=time),
    )
    return Description(lines=lines, media=tuple(media))


def _audio(host: str, port: int, protocol: str, items: Sequence[Format], ptime: int, way: Way) -> Media:
    attributes = []
    for item in items:
        name = "telephone-event" if item.is_event else item.name
        attributes.append(f"rtpmap:{item.number} {name}/{item.rate}")
        if item.is_event:
            attributes.append(f"fmtp:{item.number} {EVENT_RANGE}")
    attributes += [f"ptime:{ptime}", f"rtcp:{port + 1}", way]
    return Media(
        lines=tuple(Line(kind="a", value=value) for value in attributes),
        kind="audio",
        port=port,
        protocol=protocol,
        formats=tuple(str(item.number) for item in items),
    )


def _refused(media: Media) -> Media:
    return Media(kind=media.kind, port=0, protocol=media.protocol, formats=media.formats)
