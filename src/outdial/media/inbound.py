"""What arrives on a stream's RTP port: whom it is from, whether it is good, what it holds.

Theory of operation. A packet from the believed address takes the short way: kind by payload type, account of its SSRC, then to whoever
wants audio. Everything else goes to `address.Peer` first. Events are taken whatever their sequence number says: one press is one
timestamp.
"""

from __future__ import annotations

from collections.abc import Callable

from ..model.ids import LegId
from ..model.media import FirstPacket, SetRemote, SourceAdopted, StreamStatistics
from ..model.media import Stranger as StrangerEvent
from ..rtp import telephone_event
from ..rtp.packet import HEADER, PLAIN, RtpError, payload_bounds
from ..rtp.sequence import Arrival, Reception
from ..rtp.telephone_event import Pressed, Presses
from .address import Peer
from .outlet import Outlet
from .values import Address

_AUDIO, _EVENT = 1, 2
_NEXT = Arrival.NEXT
_unpack = HEADER.unpack_from
_SOURCES = 4
_QUIET_S = 1.0


class Inbound:
    """The receiving half of a stream."""

    def __init__(self, stream: LegId, port: int, outlet: Outlet, opened: float) -> None:
        self._stream = stream
        self._port = port
        self._outlet = outlet
        self._opened = opened
        self._kinds: dict[int, int] = {}
        self.peer: Peer | None = None
        self.believed: Address | None = None
        self.destination: Address | None = None
        """Where packets go; None: nowhere."""
        self.out: Callable[[bytes], object] | None = None
        """A quicker way to send there, where there is one."""
        self.waiting = False
        """A candidate may be adopted without another packet: call `ripen`."""
        self.hears = False
        """Our direction lets us receive."""
        self.on_audio: Callable[[int, bytes, int], None] | None = None
        self.on_press: Callable[[Pressed, float], None] = _nobody
        self.on_still: Callable[[str, float], None] = _still
        self._presses = Presses()
        self.ssrc = -1
        self.reception: Reception | None = None
        self._receptions: dict[int, Reception] = {}
        self._past = [0, 0]
        self.packets = 0
        self.octets = 0
        self.strangers = 0
        self.first_at: float | None = None
        self.last_at: float | None = None

    def configure(self, remote: SetRemote, now: float) -> None:
        """An answer came: learning starts anew."""
        self._kinds = dict.fromkeys(remote.accept_types, _AUDIO) | dict.fromkeys(remote.event_accept_types, _EVENT)
        self.hears = remote.way in ("sendrecv", "recvonly")
        self.peer = Peer(sdp=(remote.address, remote.port), symmetric=remote.symmetric, nat=remote.nat, sip_host=remote.sip_host, now=now)
        self.believed, self.waiting = None, False
        self._aim(self.peer.destination)

    def rtp(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram. Never raises."""
        length = len(data)
        if length < 12:
            self.strangers += 1
            return
        first, second, sequence, timestamp, ssrc = _unpack(data)
        kind = self._kinds.get(second & 0x7F)
        if kind is None or first & 0xC0 != 0x80:
            self.strangers += source != self.believed
            return
        if first == PLAIN:
            start, end = 12, length
        else:
            try:
                start, end = payload_bounds(data)
            except RtpError:
                self.strangers += source != self.believed
                return
        if source != self.believed and not self._consider(data, source, ssrc, sequence, now):
            return
        if ssrc == self.ssrc:
            reception = self.reception
        else:
            reception = self._other_source(ssrc, sequence)
        assert reception is not None
        arrival = reception.arrive(sequence)
        self.packets += 1
        self.octets += end - start
        self.last_at = now
        if self.first_at is None:
            self._greet(source, now)
        if kind == _EVENT:
            if self.hears:
                self._event(ssrc, timestamp, data[start:end], now)
            return
        arrived = (now - self._opened) * 8000
        if arrival is _NEXT:
            reception.time(arrived, timestamp)
        elif arrival is not Arrival.EARLIER:
            return
        if self.on_audio is not None and self.hears:
            self.on_audio(timestamp, data[start:end], round(arrived))

    def ripen(self, now: float) -> None:
        """Adopt a candidate whose time has come."""
        peer = self.peer
        if peer is None:
            return
        known = peer.rivals
        kept = peer.ripe(now)
        if peer.rivals != known:
            for rival in peer.rivals:
                self._outlet.emit(StrangerEvent(stream=self._stream, source=_text(rival), count=3, at=self._clock(now), time=now))
        if kept is None or peer.believed is None:
            return
        self._believe(peer.believed, now)
        for data, at in kept:
            self.rtp(data, peer.believed, at)

    def statistics(self, base: StreamStatistics) -> StreamStatistics:
        """`base` with the receiving half filled in."""
        receptions = self._receptions.values()
        fields = {name: getattr(base, name) for name in base.__struct_fields__}
        fields |= {
            "packets_received": self.packets,
            "octets_received": self.octets,
            "lost": self._past[0] + sum(reception.lost for reception in receptions),
            "duplicates": self._past[1] + sum(reception.duplicates for reception in receptions),
            "strangers": self.strangers,
            "jitter_ms": round(self.reception.jitter / 8, 3) if self.reception else 0.0,
            "first_packet": None if self.first_at is None else self._clock(self.first_at),
            "last_packet": None if self.last_at is None else self._clock(self.last_at),
            "source": _text(self.believed) if self.believed else "",
        }
        return StreamStatistics(**fields)

    def _consider(self, data: bytes, source: Address, ssrc: int, sequence: int, now: float) -> bool:
        peer = self.peer
        if peer is None:
            self.strangers += 1
            return False
        if source == peer.sdp:
            if peer.from_sdp():
                self._believe(source, now)
            self.believed, self.waiting = source, False
            self._aim(source)
            return True
        if peer.learning and peer.eligible(source[0]):
            if not peer.offer(source, ssrc, sequence, data, now):
                self.strangers += 1
            self.waiting = True
            self.ripen(now)
            return False
        self.strangers += 1
        count = peer.stranger(source[0], good=self.last_at is None or now - self.last_at > _QUIET_S)
        if count:
            self._outlet.emit(StrangerEvent(stream=self._stream, source=_text(source), count=count, at=self._clock(now), time=now))
        return False

    def _believe(self, source: Address, now: float) -> None:
        self.believed, self.waiting = source, False
        self._aim(source)
        self._outlet.emit(SourceAdopted(stream=self._stream, source=_text(source), at=self._clock(now), time=now))

    def _aim(self, destination: Address | None) -> None:
        if destination != self.destination:
            self.destination = destination
            self.out = self._outlet.aim(self._port, destination)

    def _greet(self, source: Address, now: float) -> None:
        self.first_at = now
        self._outlet.emit(FirstPacket(stream=self._stream, source=_text(source), at=self._clock(now), time=now))

    def _other_source(self, ssrc: int, sequence: int) -> Reception:
        reception = self._receptions.get(ssrc)
        if reception is None:
            if len(self._receptions) >= _SOURCES:
                gone = self._receptions.pop(next(iter(self._receptions)))
                self._past[0] += gone.lost
                self._past[1] += gone.duplicates
            reception = self._receptions[ssrc] = Reception(sequence)
        self.ssrc, self.reception = ssrc, reception
        return reception

    def _event(self, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        event = telephone_event.parse(payload)
        if event is None:
            return
        pressed = self._presses.take(ssrc, timestamp, event, now)
        if pressed is not None:
            self.on_press(pressed, now)
        elif (last := self._presses.last) is not None and last.timestamp == timestamp:
            self.on_still(last.digit, now)

    def _clock(self, now: float) -> int:
        return round((now - self._opened) * 8000)


def _nobody(pressed: Pressed, now: float) -> None:
    return None


def _still(digit: str, now: float) -> None:
    return None


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
