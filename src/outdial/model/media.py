"""Commands to the media engine and its events (reference/processes 1). They cross processes as msgpack."""

from __future__ import annotations

from typing import Literal

from .ids import CommandId, LegId
from .value import Value

Codec = Literal["PCMU", "PCMA"]
Way = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


class Configure(Value, frozen=True, kw_only=True):
    """The first frame; answered by nothing."""

    ports: tuple[int, int] = (10000, 19999)
    addresses: tuple[str, ...] = ("127.0.0.1",)
    comfort: Literal["silence", "nothing"] = "silence"
    """What a stream that is `sendrecv` sends between prompts."""
    rtp_timeout_s: float = 30.0
    seed: int | None = None
    """For tests: SSRCs, first sequence numbers and timestamps drawn from it."""


class OpenStream(Value, frozen=True, kw_only=True):
    """Take a pair of ports for a stream. `Done` carries `rtp_port` and `rtcp_port`; fails with `no_port`, `exists`."""

    id: CommandId
    stream: LegId
    local_host: str = "127.0.0.1"


class SetRemote(Value, frozen=True, kw_only=True):
    """Where to send and whom to believe. Fails with `no_stream`, `codec`. Nothing is accepted or sent before it."""

    id: CommandId
    stream: LegId
    address: str
    port: int
    rtcp_port: int
    codec: Codec
    send_type: int
    """Payload type of the audio as the peer's SDP numbers it."""
    accept_types: tuple[int, ...]
    """Payload types of the audio to accept (either side's numbers)."""
    event_send_type: int | None = None
    """Payload type of telephone-event in the peer's SDP; None: not negotiated (digits are then heard in-band)."""
    event_accept_types: tuple[int, ...] = ()
    ptime_ms: int = 20
    way: Way = "sendrecv"
    """From our side: `recvonly` means that we only receive."""
    symmetric: bool = True
    nat: bool = False
    sip_host: str = ""
    """The host that the SIP message came from."""


class CloseStream(Value, frozen=True, kw_only=True):
    """Give the ports back. Every running long command ends first; `Done` carries the stream's `StreamStatistics`."""

    id: CommandId
    stream: LegId


class Play(Value, frozen=True, kw_only=True):
    """Play a prepared file (8 kHz, 16-bit, mono WAV) or silence. Exactly one of `path`, `silence_ms`. Fails with `not_found`, `format`,
    `no_stream`. `Done` carries `samples`; ends with `PlayEnded`. A second Play on a stream waits for the first to end."""

    id: CommandId
    stream: LegId
    path: str | None = None
    silence_ms: int | None = None
    repeat: int = 1
    stop_digits: str = ""
    """Any of these digits ends it (`why` is `digit`)."""
    start_sample: int = 0


class Collect(Value, frozen=True, kw_only=True):
    """Collect digits; ends with `Collected`. A terminator is delivered apart. No regular expressions, no attempts."""

    id: CommandId
    stream: LegId
    max_digits: int = 128
    terminators: str = ""
    first_ms: int
    """How long to wait for the first digit, from `after`'s end, or from now."""
    after: CommandId | None = None
    """A Play's id: the first-digit time begins when that play ends. Digits count from now on all the same."""
    between_ms: int
    stop_playing: bool = True
    """The first digit stops what plays on the stream, and what waits to be played."""


class SendDigits(Value, frozen=True, kw_only=True):
    """Send digits by RFC 4733 (in-band where telephone-event was not negotiated). Ends with `DigitsSent`. Fails with `bad_digit`."""

    id: CommandId
    stream: LegId
    digits: str
    """`0-9 * # A-D`, and `,` for a pause of `pause_ms`."""
    tone_ms: int = 250
    gap_ms: int = 100
    pause_ms: int = 500


class Press(Value, frozen=True, kw_only=True):
    """A digit that came another way (SIP INFO)."""

    id: CommandId
    stream: LegId
    digit: str
    duration_ms: int = 160
    how: Literal["info"] = "info"


class Record(Value, frozen=True, kw_only=True):
    """Record what arrives on the stream's sample clock: 8 kHz, 16-bit, mono. Ends with `RecordEnded`. Fails with `path`, `disk_full`."""

    id: CommandId
    stream: LegId
    path: str
    limit_ms: int | None = None
    silence_ms: int | None = None
    """End after this much silence in a row; None: no silence detection."""
    silence_threshold: int = 200
    """Mean absolute 16-bit sample over 20 ms below which a frame is silent."""
    end_digits: str = ""
    """Any of these digits ends it; the ending digit's sound is kept out of the file."""


class Echo(Value, frozen=True, kw_only=True):
    """What arrives goes back."""

    id: CommandId
    stream: LegId


class Unecho(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId


class Watch(Value, frozen=True, kw_only=True):
    """Arm `Silence` (after `silence_ms` in a row) and `Speech` (after `speech_ms` in a row)."""

    id: CommandId
    stream: LegId
    silence_ms: int = 1000
    threshold: int = 200
    speech_ms: int = 60


class Unwatch(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId


class Stop(Value, frozen=True, kw_only=True):
    """Stop a play, collect, record or send-digits. `Done` follows its end event; stopping what has ended is `Done`."""

    id: CommandId
    stream: LegId
    target: CommandId


Command = (
    Configure | OpenStream | SetRemote | CloseStream | Play | Collect | SendDigits | Press | Record | Echo | Unecho | Watch | Unwatch | Stop
)


class StreamStatistics(Value, frozen=True, kw_only=True):
    """What a stream carried in its life."""

    packets_sent: int = 0
    octets_sent: int = 0
    packets_received: int = 0
    octets_received: int = 0
    lost: int = 0
    late: int = 0
    duplicates: int = 0
    strangers: int = 0
    skipped: int = 0
    """Ticks of ours that were too late and left out."""
    jitter_ms: float = 0.0
    first_packet: int | None = None
    """Media clock (samples) of the first accepted packet."""
    last_packet: int | None = None
    source: str = ""
    """host:port that was believed last."""


class Ready(Value, frozen=True, kw_only=True):
    """Once, first."""

    version: str


class EngineGone(Value, frozen=True, kw_only=True):
    """Made by the client of a closed socket."""

    detail: str = ""


class Done(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId
    rtp_port: int | None = None
    rtcp_port: int | None = None
    samples: int | None = None
    statistics: StreamStatistics | None = None
    at: int = 0
    """Media clock of the stream, in samples since it was opened."""
    time: float = 0.0
    """The engine's monotonic seconds."""


class Failed(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId
    reason: str
    detail: str = ""
    at: int = 0
    time: float = 0.0


class FirstPacket(Value, frozen=True, kw_only=True):
    stream: LegId
    source: str
    at: int = 0
    time: float = 0.0


class SourceAdopted(Value, frozen=True, kw_only=True):
    stream: LegId
    source: str
    at: int = 0
    time: float = 0.0


class Digit(Value, frozen=True, kw_only=True):
    """A press, collected or not. Sent once, when it is certain (its first event packet is enough)."""

    stream: LegId
    digit: str
    duration_ms: int
    """As far as known when it was reported; 0 at a press's start."""
    how: Literal["event", "tone", "info"]
    at: int = 0
    time: float = 0.0


class Collected(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId
    digits: str
    terminator: str = ""
    why: Literal["terminator", "max", "between", "first", "stopped", "stream_closed"]
    at: int = 0
    time: float = 0.0


class PlayEnded(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId
    why: Literal["finished", "digit", "stopped", "stream_closed"]
    played_ms: int
    at: int = 0
    time: float = 0.0


class DigitsSent(Value, frozen=True, kw_only=True):
    id: CommandId
    stream: LegId
    why: Literal["finished", "stopped", "stream_closed"]
    at: int = 0
    time: float = 0.0


class RecordEnded(Value, frozen=True, kw_only=True):
    """The file is closed before this is sent."""

    id: CommandId
    stream: LegId
    why: Literal["limit", "silence", "digit", "stopped", "stream_closed", "disk_full"]
    path: str
    samples: int
    digit: str = ""
    peak: int = 0
    at: int = 0
    time: float = 0.0


class Silence(Value, frozen=True, kw_only=True):
    stream: LegId
    ms: int
    at: int = 0
    time: float = 0.0


class Speech(Value, frozen=True, kw_only=True):
    stream: LegId
    at: int = 0
    time: float = 0.0


class NoMedia(Value, frozen=True, kw_only=True):
    stream: LegId
    ms: int
    at: int = 0
    time: float = 0.0


class Stranger(Value, frozen=True, kw_only=True):
    """50 good packets from a host that is not eligible while the SDP's is silent; rate limited."""

    stream: LegId
    source: str
    count: int
    at: int = 0
    time: float = 0.0


class Load(Value, frozen=True, kw_only=True):
    """Each second while streams are up."""

    streams: int
    sent: int
    late: int
    """Packets later than 20 ms."""
    worst_ms: float
    ports_free: int
    ports: int
    cpu: float
    """Share of one core, 0 to 1."""
    time: float = 0.0


StreamEvent = (
    Done | Failed | FirstPacket | SourceAdopted | Digit | Collected | PlayEnded | DigitsSent | RecordEnded
    | Silence | Speech | NoMedia | Stranger
)  # fmt: skip
MediaEvent = Ready | EngineGone | StreamEvent | Load
